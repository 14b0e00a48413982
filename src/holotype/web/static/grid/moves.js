// Where one is among the pictures: one of them is in the order of the Tab key, the arrows move.

export class Moves {
  at = 0;

  constructor(cells) {
    this.cells = cells;
    this.controls = cells.map((cell) => [...cell.querySelectorAll("input, button")]);
    this.#rove();
  }

  // Be at a place, clamped, and with `focus` put the focus there.
  to(at, focus = true) {
    this.at = Math.min(Math.max(at, 0), this.cells.length - 1);
    this.#rove();
    if (focus) this.controls[this.at][0].focus();
  }

  // The place that an arrow, Home or End leads to, or undefined for another key.
  target(key) {
    if (key === "Home") return 0;
    if (key === "End") return this.cells.length - 1;
    const wide = this.#columns(), by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[key];
    if (by === undefined) return undefined;
    return this.at + by in this.cells ? this.at + by : this.at;
  }

  // The place of the picture that an element is in, or -1.
  of(element) {
    return this.cells.indexOf(element?.closest?.(".cell"));
  }

  #columns() {
    const top = this.cells[0].offsetTop;
    const wide = this.cells.findIndex((cell) => cell.offsetTop !== top);
    return wide < 0 ? this.cells.length : wide;
  }

  #rove() {
    this.controls.forEach((some, at) => some.forEach((control) => (control.tabIndex = at === this.at ? 0 : -1)));
  }
}
