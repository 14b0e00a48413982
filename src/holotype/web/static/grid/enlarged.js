// One picture, large, in a dialog: to look closely, and to answer there.

export class Enlarged {
  #at = 0;

  // `cells` are the pictures; `answers` is null on a page that is only looked at; `closed` gets the place of the last.
  constructor(dialog, cells, answers, { closed, report }) {
    Object.assign(this, { dialog, cells, answers });
    this.image = dialog.querySelector("img");
    this.title = dialog.querySelector("h2");
    this.marks = [...dialog.querySelectorAll(".mark")];
    this.marks.forEach((mark) => (mark.hidden = !answers));
    this.image.addEventListener("error", () => this.#fail(true));
    this.image.addEventListener("load", () => this.#fail(false));
    dialog.addEventListener("close", () => closed(this.#at));
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (event.target === dialog || button?.classList.contains("close")) dialog.close();
      if (button?.classList.contains("step")) this.show(this.#at + Number(button.dataset.step));
      if (button?.classList.contains("mark")) this.#mark(button.dataset.answer);
      if (button?.classList.contains("report")) report(this.#at);
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  get at() {
    return this.#at;
  }

  show(at) {
    this.#at = Math.min(Math.max(at, 0), this.cells.length - 1);
    const { number, large } = this.cells[this.#at].dataset;
    this.title.textContent = `Picture ${number}`;
    this.image.alt = `Picture ${number}, large`;
    const small = this.cells[this.#at].querySelector("img");
    this.image.width = small.width ? small.getAttribute("width") * 4 : 1024;
    this.image.height = small.width ? small.getAttribute("height") * 4 : 1024;
    if (this.image.getAttribute("src") !== large) this.image.src = large;
    this.paint();
    if (!this.isOpen) this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  paint() {
    if (!this.answers) return;
    const given = this.answers.get(this.#at);
    this.marks.forEach((mark) => mark.setAttribute("aria-pressed", String(mark.dataset.answer === given)));
    this.dialog.dataset.answer = given;
  }

  #mark(answer) {
    this.answers.give([[this.#at, this.answers.get(this.#at) === answer ? "no" : answer]]);
  }

  #fail(failed) {
    this.dialog.querySelector(".failed").hidden = !failed;
  }
}
