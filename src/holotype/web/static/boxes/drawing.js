// A box that is being drawn: its edges, the points that were clicked, or that nothing is left; every change can be undone.

import { EDGES, around, fault, within } from "./pixels.js";

const NONE = { edges: [null, null, null, null], points: [], method: "", nothing: false };

export class Drawing {
  #done = [];

  // `size` is of the picture, {width, height}; `form` has a field for each edge, which is what is handed in, and
  // `nothing`, `method` and `points`; `changed` is called after each change.
  constructor(size, form, changed) {
    Object.assign(this, { size, changed });
    this.fields = EDGES.map((name) => form.elements[name]);
    ({ nothing: this.nothing, method: this.method, points: this.points } = form.elements);
    this.now = this.#read();
  }

  get edges() {
    return this.now.edges;
  }

  get fault() {
    return this.now.nothing ? "" : fault(this.now.edges, this.size);
  }

  // Whether there is a whole box.
  get isBox() {
    return !this.now.nothing && this.fault === "";
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  // An extreme point was clicked; the fourth makes the box.
  click(point) {
    const points = [...(this.now.points.length < 4 ? this.now.points : []), point];
    if (points.length < 4) return this.#change({ ...NONE, points, method: "extreme" });
    this.#change({ ...NONE, points, method: "extreme", edges: around(points, this.size) });
  }

  // A box was dragged from one point to another.
  drag(from, to) {
    this.#change({ ...NONE, method: "drag", edges: around([from, to], this.size) });
  }

  // An edge was moved to a pixel; `how` is keys, numbers or drag, which is the method where nothing else made the box.
  // Of one that was typed the field stays as it is.
  move(which, value, how) {
    const { edges, points, method } = this.now, isWhole = points.length === 4 || method !== "extreme";
    const moved = edges.map((edge, at) => (at === which ? value : edge));
    const known = isWhole ? { points, method: method || how } : { points: [], method: how };
    this.#change({ ...known, edges: moved, nothing: false }, how === "numbers" ? which : -1);
  }

  // By so many pixels; an edge that is nowhere yet comes from the picture's own.
  nudge(which, by) {
    const start = this.edges[which] ?? [0, 0, this.size.width - 1, this.size.height - 1][which];
    this.move(which, within(this.edges, which, start + (this.edges[which] === null ? 0 : by), this.size), "keys");
  }

  // Nothing is left to box, or there is.
  say(nothing) {
    this.#change(nothing ? { ...NONE, nothing: true } : NONE);
  }

  drop() {
    if (this.now.nothing || this.now.points.length || this.edges.some((edge) => edge !== null)) this.#change(NONE);
  }

  undo() {
    const before = this.#done.pop();
    if (before) this.#set(before);
  }

  // As it was left, or as another tab has it: nothing to undo here.
  replace(state) {
    this.#done = [];
    this.#set({ ...NONE, ...state });
  }

  // What the fields say, where somebody typed.
  typed(which) {
    const text = this.fields[which].value.trim();
    const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : null;
    if (value !== this.edges[which]) this.move(which, value, "numbers");
  }

  #read() {
    const edges = this.fields.map(({ value }) => (/^[0-9]{1,6}$/.test(value.trim()) ? Number(value) : null));
    return { ...NONE, edges, nothing: this.nothing.checked, method: edges.includes(null) ? "" : "numbers" };
  }

  #change(state, typed = -1) {
    this.#done.push(this.now);
    this.#set(state, typed);
  }

  #set(state, typed = -1) {
    this.now = state;
    this.fields.forEach((field, at) => at === typed || (field.value = state.edges[at] ?? ""));
    this.nothing.checked = state.nothing;
    this.method.value = state.edges.includes(null) ? "" : state.method;
    this.points.value = state.points.length === 4 ? state.points.map((point) => point.join(",")).join(" ") : "";
    this.changed();
  }
}
