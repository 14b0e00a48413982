// What was seen of a page, and for how long it was looked at.

// Which pictures were in view. One that did not load is not seen, whatever was in view.
export class Seen {
  constructor(cells, changed) {
    this.cells = cells;
    this.seen = new Set();
    this.failed = new Set();
    this.changed = changed;
    this.inView = new Set();
    // Half of it, or as much as covers half of a small window, above the bar at the bottom.
    this.observer = new IntersectionObserver((entries) => entries.forEach((entry) => this.#look(entry)), {
      threshold: [0, 0.25, 0.5, 0.75],
      rootMargin: "0px 0px -40px 0px",
    });
    cells.forEach((cell, at) => {
      const picture = cell.querySelector("img");
      picture.addEventListener("load", () => this.#loaded(at));
      picture.addEventListener("error", () => this.#lost(at));
      if (picture.complete && picture.naturalWidth === 0 && picture.loading !== "lazy") this.#lost(at);
      this.observer.observe(cell.querySelector(".picture"));
    });
  }

  // These were seen.
  add(places) {
    places.filter((at) => at in this.cells).forEach((at) => {
      this.seen.add(at);
      this.cells[at].dataset.seen = "";
    });
  }

  get size() {
    return this.seen.size;
  }

  // The places that are still to be looked at; for those that do not load, an answer that was given is enough.
  left(answered) {
    const places = this.cells.map((_, at) => at);
    return places.filter((at) => !this.seen.has(at) && !(this.failed.has(at) && answered(at)));
  }

  #look(entry) {
    const at = this.cells.indexOf(entry.target.closest(".cell"));
    const height = entry.rootBounds?.height ?? Infinity;
    const enough = entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= height / 2;
    if (entry.isIntersecting && enough) this.inView.add(at);
    else this.inView.delete(at);
    this.#check(at);
  }

  #loaded(at) {
    this.failed.delete(at);
    this.cells[at].classList.remove("failed");
    this.#check(at);
  }

  #lost(at) {
    this.failed.add(at);
    this.cells[at].classList.add("failed");
    this.changed();
  }

  // Ask again for pictures that did not load.
  again() {
    for (const at of this.failed) {
      const picture = this.cells[at].querySelector("img");
      picture.src = picture.src;
    }
  }

  #check(at) {
    const picture = this.cells[at].querySelector("img");
    if (this.seen.has(at) || !this.inView.has(at) || !picture.complete || !picture.naturalWidth) return;
    this.add([at]);
    this.changed();
  }
}

// Milliseconds for which the page was in front of somebody.
export class Watch {
  #sum = 0;
  #since = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#turn());
    this.#turn();
  }

  get ms() {
    return this.#sum + (this.#since === null ? 0 : performance.now() - this.#since);
  }

  // So long was it before.
  add(ms) {
    this.#sum += ms;
  }

  #turn() {
    this.#sum = this.ms;
    this.#since = document.visibilityState === "visible" ? performance.now() : null;
  }
}
