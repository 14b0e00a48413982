// The picture as one draws on it: pointers become points in pixels of the picture, and what is drawn is shown.

import { covered, pixel, within } from "./pixels.js";

const STILL = 6; // CSS pixels that a click may move
const KEPT = 1000; // points are kept to a thousandth of a pixel

export class Surface {
  #from = null; // where a pointer went down, {id, point, x, y}
  #edge = -1; // the edge that is moved

  // `svg` lies over the picture and has its size as a view box; `tool` says "extreme" or "drag".
  constructor(svg, drawing, tool) {
    Object.assign(this, { svg, drawing, tool, size: drawing.size });
    this.box = part(svg, "rect", "drawn");
    this.dots = [0, 1, 2, 3].map(() => part(svg, "path", "dot"));
    this.cross = ["M", "M"].map(() => part(svg, "path", "cross"));
    this.edges = [0, 1, 2, 3].map((which) => Object.assign(part(svg, "path", `edge edge-${which % 2 ? "down" : "across"}`), { which }));
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", (event) => this.#up(event));
    svg.addEventListener("pointercancel", () => this.#drop());
    svg.addEventListener("pointerleave", () => this.#aim(null));
    this.isOn = true;
  }

  // Nothing is drawn any more.
  stop() {
    this.isOn = false;
    this.#drop();
    this.#aim(null);
    this.svg.classList.add("off");
  }

  // Show what there is.
  paint() {
    const { now, isBox, edges } = this.drawing;
    this.#show(isBox ? edges : null);
    this.dots.forEach((dot, at) => dot.setAttribute("d", now.points[at] && !isBox ? `M${now.points[at].join(" ")}h0` : ""));
    this.svg.classList.toggle("whole", isBox);
    this.svg.classList.toggle("dragging", this.isOn && this.tool() === "drag" && !isBox && !now.nothing);
    this.svg.classList.toggle("nothing", now.nothing);
  }

  #show(edges) {
    this.box.setAttribute("visibility", edges ? "visible" : "hidden");
    const { x, y, width, height } = edges ? covered(edges) : { x: 0, y: 0, width: 0, height: 0 };
    Object.entries({ x, y, width, height }).forEach(([name, value]) => this.box.setAttribute(name, value));
    const lines = [`M${x} ${y}v${height}`, `M${x} ${y}h${width}`, `M${x + width} ${y}v${height}`, `M${x} ${y + height}h${width}`];
    this.edges.forEach((edge, at) => edge.setAttribute("d", edges ? lines[at] : ""));
  }

  // A pointer's place, continuous, in pixels of the picture.
  #point(event) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    const round = (value, most) => Math.min(Math.max(Math.round(value * KEPT) / KEPT, 0), most - 1 / KEPT);
    const x = ((event.clientX - left) / width) * this.size.width, y = ((event.clientY - top) / height) * this.size.height;
    return [round(x, this.size.width), round(y, this.size.height)];
  }

  #down(event) {
    if (!this.isOn || !event.isPrimary || event.button !== 0) return;
    this.#from = { id: event.pointerId, point: this.#point(event), x: event.clientX, y: event.clientY };
    this.#edge = this.edges.indexOf(event.target);
    if (this.#edge >= 0 || this.tool() === "drag") {
      event.preventDefault();
      this.svg.setPointerCapture(event.pointerId);
    }
  }

  #move(event) {
    if (!this.isOn || !event.isPrimary) return;
    const point = this.#point(event);
    this.#aim(event.pointerType === "mouse" || event.pointerType === "pen" || this.#edge >= 0 ? point : null);
    if (!this.#from) return;
    if (this.#edge >= 0) this.#show(this.#moved(point));
    else if (this.tool() === "drag" && !this.#isStill(event)) this.#show(this.#dragged(point));
  }

  #up(event) {
    const from = this.#from, edge = this.#edge;
    if (!this.isOn || from?.id !== event.pointerId) return;
    const point = this.#point(event), still = this.#isStill(event), moved = edge >= 0 && this.#moved(point)[edge];
    this.#from = null;
    this.#edge = -1;
    if (edge >= 0 && !still) this.drawing.move(edge, moved, "drag");
    else if (edge >= 0 || (still && this.tool() === "drag")) this.paint();
    else if (this.tool() === "drag") this.drawing.drag(from.point, point);
    else if (still && !this.drawing.isBox) this.drawing.click(from.point);
    else this.svg.dispatchEvent(new Event("full"));
  }

  #drop() {
    this.#from = null;
    this.#edge = -1;
    this.paint();
  }

  #isStill(event) {
    return Math.hypot(event.clientX - this.#from.x, event.clientY - this.#from.y) < STILL;
  }

  #dragged(point) {
    const across = [this.#from.point[0], point[0]].map((x) => pixel(x, this.size.width));
    const down = [this.#from.point[1], point[1]].map((y) => pixel(y, this.size.height));
    return [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
  }

  // The box with the edge that is moved at a point: the line between pixels that is nearest, for the edge is that line.
  #moved(point) {
    const which = this.#edge, line = Math.round(point[which % 2]) - (which < 2 ? 0 : 1);
    const at = within(this.drawing.edges, which, line, this.size);
    return this.drawing.edges.map((edge, n) => (n === which ? at : edge));
  }

  #aim(point) {
    const [across, down] = this.cross, { width, height } = this.size;
    across.setAttribute("d", point ? `M0 ${point[1]}H${width}` : "");
    down.setAttribute("d", point ? `M${point[0]} 0V${height}` : "");
  }
}

function part(svg, kind, name) {
  const made = document.createElementNS(svg.namespaceURI, kind);
  made.setAttribute("class", name);
  svg.append(made);
  return made;
}
