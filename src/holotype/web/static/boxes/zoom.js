// How large the picture is: its width in CSS pixels; what does not fit is scrolled to.

const STEPS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6, 8];

export class Zoom {
  // `view` scrolls, `canvas` in it is as large as the picture; `told` is called with the zoom.
  constructor(view, canvas, size, told) {
    Object.assign(this, { view, canvas, size, told });
    addEventListener("resize", () => this.isFit && this.fit());
    this.fit();
  }

  // All of it in view; small pictures up to three times their size.
  fit() {
    const high = this.#high;
    this.view.style.maxHeight = `${high}px`;
    this.to(Math.min(this.view.clientWidth / this.size.width, high / this.size.height, 3));
    this.isFit = true;
  }

  // CSS pixels that there are between what is above the picture, or a little of that, and the bar below it.
  get #high() {
    const above = Math.min(this.view.getBoundingClientRect().top + scrollY, 150);
    const below = document.querySelector(".bar")?.offsetHeight ?? 0;
    return Math.max(220, innerHeight - above - below - 12);
  }

  // The next step up or down.
  step(by) {
    const near = by > 0 ? STEPS.find((step) => step > this.zoom + 1e-6) : STEPS.findLast((step) => step < this.zoom - 1e-6);
    if (near) this.to(near);
  }

  // Round a box, with a fifth of it beside.
  round([left, top, right, bottom]) {
    const wide = 1.4 * (right - left + 1), high = 1.4 * (bottom - top + 1);
    this.to(Math.min(this.view.clientWidth / wide, this.#high / high, 8));
    this.view.scrollTo(((left + right + 1 - wide) / 2) * this.zoom, ((top + bottom + 1 - high) / 2) * this.zoom);
  }

  // CSS pixels for a pixel of the picture; what is in the middle stays there.
  to(zoom) {
    const { view, canvas } = this, old = this.zoom ?? zoom;
    const middle = [(view.scrollLeft + view.clientWidth / 2) / old, (view.scrollTop + view.clientHeight / 2) / old];
    this.zoom = zoom;
    this.isFit = false;
    canvas.style.width = `${this.size.width * zoom}px`;
    canvas.style.height = `${this.size.height * zoom}px`;
    view.scrollTo(middle[0] * zoom - view.clientWidth / 2, middle[1] * zoom - view.clientHeight / 2);
    this.told(zoom);
  }
}
