// The page after this one: asked for when most of this one was seen, with its first pictures, so that it is there at
// once. Whose it is from when on is the server's to say.

const FIRST = 12;

export class Following {
  #asked = null;
  #kept = [];

  constructor(address, page) {
    Object.assign(this, { address, page });
  }

  // Ask, once.
  ask() {
    if (!navigator.connection?.saveData) this.#asked ??= this.#once();
  }

  async #once() {
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        body: new URLSearchParams({ after: this.page }),
        headers: { Accept: "application/json", "HX-Request": "true" },
        priority: "low",
        redirect: "manual",
      });
      const { pictures } = answer.ok ? await answer.json() : { pictures: [] };
      this.#kept = pictures.slice(0, FIRST).map((address) => {
        const picture = new Image();
        picture.fetchPriority = "low";
        picture.src = address;
        return picture;
      });
    } catch {
      this.#asked = null; // the line is down: the next time that more was seen
    }
  }
}
