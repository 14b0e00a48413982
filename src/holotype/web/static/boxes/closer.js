// One picture with its boxes, large, in a dialog.

export class Closer {
  at = 0;

  // `closed` gets the place of the last picture.
  constructor(dialog, sheet, closed) {
    Object.assign(this, { dialog, sheet });
    this.image = dialog.querySelector("img");
    this.boxes = dialog.querySelector("svg");
    this.title = dialog.querySelector("h2");
    dialog.addEventListener("close", () => closed(this.at));
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (event.target === dialog || button?.classList.contains("close")) dialog.close();
      if (button?.classList.contains("step")) this.show(this.at + Number(button.dataset.step));
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  show(at) {
    const { cells } = this.sheet;
    this.at = Math.min(Math.max(at, 0), cells.length - 1);
    const cell = cells[this.at], { number, large } = cell.dataset, small = cell.querySelector("img"), drawn = cell.querySelector("svg");
    this.title.textContent = `Picture ${number}`;
    this.image.alt = `Picture ${number}, large`;
    this.image.width = 4 * small.getAttribute("width");
    this.image.height = 4 * small.getAttribute("height");
    if (this.image.getAttribute("src") !== large) this.image.src = large;
    this.boxes.setAttribute("viewBox", drawn.getAttribute("viewBox"));
    this.boxes.replaceChildren(...[...drawn.children].map((one) => one.cloneNode(true)));
    this.paint();
    if (!this.isOpen) this.dialog.showModal();
  }

  paint() {
    const radio = this.sheet.radios[this.at].find((one) => one.checked);
    this.dialog.querySelector(".given").textContent = radio ? `Your answer: ${radio.closest("label").textContent.trim()}` : "";
  }
}
