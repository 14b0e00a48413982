// To say that something is wrong with a picture, or with the question: without leaving the page.

export class Report {
  constructor(dialog, said) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.title = dialog.querySelector("h2");
    this.form.addEventListener("submit", (event) => this.#send(event, said));
    dialog.addEventListener("click", (event) => event.target.closest(".close") && dialog.close());
  }

  // Ask what is wrong with a picture, by its number, or with the question: "".
  show(number) {
    this.form.reset();
    this.form.elements.number.value = number;
    this.dialog.classList.toggle("of-picture", number !== "");
    this.title.textContent = number === "" ? "Something is wrong with the question" : `Something is wrong with picture ${number}`;
    this.dialog.showModal();
  }

  async #send(event, said) {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(this.form));
    this.dialog.close();
    try {
      const answer = await fetch(this.form.action, { method: "POST", body, headers: { Accept: "application/json", "HX-Request": "true" } });
      said(answer.ok ? "Thank you: that was noted, and somebody will look at it." : "That could not be noted.");
    } catch {
      said("That could not be noted: the line is down. Please say it again later.");
    }
  }
}
