// A page on which one box is drawn: what is kept of it, and what is said about that.

import { put, Work } from "../grid/work.js";
import { Drawing } from "./drawing.js";

const TICKS = ["more", "truncated", "occluded", "group_of"];

export class DrawSheet extends Work {
  constructor(form, picture) {
    super(form);
    this.picture = picture;
    const { width, height } = form.dataset;
    this.drawing = new Drawing({ width: Number(width), height: Number(height) }, form, () => this.#changed());
    this.ticks = TICKS.map((name) => form.elements[name]).filter(Boolean);
    this.ticks.forEach((tick) => tick.addEventListener("change", () => this.#changed()));
    if (this.phase === "open") this.open();
  }

  open() {
    super.open();
    this.form.noValidate = true; // what is wrong is said in our words
    const kept = this.draft.read();
    if (kept?.ms > 0) this.watch.add(kept.ms);
    if (!Array.isArray(kept?.state?.edges)) return;
    this.heard(kept);
    this.say("your box is here as you left it");
  }

  // Whether the picture is as large as the server knows it: else pixels would be others.
  get isTrue() {
    const { naturalWidth, naturalHeight, dataset } = this.picture;
    return naturalWidth === Number(dataset.sentWidth) && naturalHeight === Number(dataset.sentHeight);
  }

  mine() {
    return { state: this.drawing.now, ticks: this.ticks.map((tick) => tick.checked) };
  }

  told() {
    return this.mine();
  }

  heard({ state, ticks }) {
    this.drawing.replace(state);
    this.ticks.forEach((tick, at) => (tick.checked = Boolean(ticks?.[at])));
    this.refresh();
  }

  take(fields) {
    const edges = ["left", "top", "right", "bottom"].map((name) => (fields.get(name) ? Number(fields.get(name)) : null));
    const ticks = this.ticks.map((tick) => fields.has(tick.name));
    this.heard({ state: { edges, nothing: fields.has("nothing"), method: fields.get("method") ?? "" }, ticks });
  }

  forPlatform() {
    const { now, method, points, edges } = this.drawing;
    if (now.nothing) return [["box-1", "nothing"], ["method-1", "numbers"], ["points-1", ""], ["more-1", ""]];
    const ticks = this.ticks.map((tick) => [`${tick.name}-1`, tick.checked ? "yes" : "no"]);
    return [["box-1", edges.join(" ")], ["method-1", method.value], ["points-1", points.value], ...ticks];
  }

  // Whether it may be handed in; where not yet, say what is wanting.
  ready() {
    if (!this.isOpen) return false;
    const wanting = this.wanting();
    if (wanting) this.say(wanting);
    return !wanting;
  }

  wanting() {
    if (!this.picture.complete) return "the picture is still loading";
    if (!this.picture.naturalWidth) return "the picture did not load";
    if (!this.isTrue) return "the picture came in another size than we know, so that no box would fit";
    const { fault } = this.drawing;
    return fault === "no box yet" ? "draw a box first, or say that nothing is left" : fault;
  }

  undo() {
    if (this.isOpen) this.drawing.undo();
  }

  #changed() {
    if (this.phase !== "open" || !this.draft) return this.refresh();
    this.say("");
    this.keep();
    this.draft.tell("draft", this.told());
    this.ping();
    this.refresh();
  }

  refresh() {
    const { drawing, form } = this;
    put("seen", words(drawing));
    this.ticks.forEach((tick) => (tick.disabled = drawing.now.nothing || this.phase !== "open"));
    if (this.undoButton) this.undoButton.disabled = !drawing.canUndo || this.phase !== "open";
    this.button?.setAttribute("aria-disabled", String(Boolean(this.phase !== "open" || this.wanting())));
    drawing.fields.forEach((field, at) => field.setAttribute("aria-invalid", String(isOdd(field, drawing.edges[at]))));
    form.dispatchEvent(new Event("drawn"));
  }

  freeze() {
    super.freeze();
    [...this.drawing.fields, ...this.ticks, this.drawing.nothing].forEach((field) => (field.disabled = true));
    this.form.dispatchEvent(new Event("drawn"));
  }
}

function isOdd(field, edge) {
  return field.value.trim() !== "" && edge === null;
}

// How far the box is.
function words({ now, edges, isBox, fault }) {
  if (now.nothing) return "nothing is left to box";
  if (isBox) return `${edges[2] - edges[0] + 1} × ${edges[3] - edges[1] + 1} pixels`;
  if (now.points.length) return `point ${now.points.length} of 4`;
  return fault;
}
