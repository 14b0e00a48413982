// A page of pictures that somebody is at: what is answered and seen of it, and what is said about that.

import { Answers, NO, UNSURE, YES } from "./answers.js";
import { Moves } from "./moves.js";
import { Seen } from "./watch.js";
import { Work } from "./work.js";

export class Sheet extends Work {
  #timer = 0;
  #toLook = false;

  constructor(form) {
    super(form);
    this.cells = [...form.querySelectorAll(".cell")];
    this.moves = new Moves(this.cells);
    this.answers = new Answers(this.cells, () => this.#changed());
    if (this.phase === "open") this.open();
  }

  open() {
    super.open();
    this.seen = new Seen(this.cells, () => this.refresh(true));
    document.getElementById("looked").required = false;
    document.addEventListener("visibilitychange", () => this.refresh(true));
    addEventListener("online", () => this.seen.again());
    this.#goOn();
    this.refresh();
  }

  // As it was left.
  #goOn() {
    const kept = this.draft.read();
    if (!Array.isArray(kept?.answers) || !Array.isArray(kept.seen)) return;
    this.answers.replace(kept.answers);
    this.seen.add(kept.seen);
    if (kept.ms > 0) this.watch.add(kept.ms);
    this.say("your answers are here as you left them");
  }

  // Something to know now, until the next answer or, if `toLook`, until all was looked at.
  say(text, toLook = false) {
    this.#toLook = toLook;
    super.say(text);
  }

  #changed() {
    if (this.phase !== "open") return;
    this.draft.tell("draft", this.told());
    this.say("");
    this.refresh(true);
    this.ping();
    this.form.dispatchEvent(new Event("answered"));
  }

  mine() {
    return { answers: this.answers.all(), seen: [...this.seen.seen] };
  }

  told() {
    return this.answers.all();
  }

  heard(answers) {
    this.answers.replace(answers);
    this.refresh();
  }

  take(fields) {
    const ticked = (name) => new Set(fields.getAll(name)), yes = ticked("yes"), unsure = ticked("unsure");
    const numbers = this.cells.map((cell) => cell.dataset.number);
    this.answers.replace(numbers.map((number) => (unsure.has(number) ? UNSURE : yes.has(number) ? YES : NO)));
  }

  forPlatform() {
    return this.cells.map((cell, at) => [`picture-${cell.dataset.number}`, this.answers.get(at)]);
  }

  // Say how far one is; keep what changed.
  refresh(changed = false) {
    if (this.phase !== "open" || !this.seen) return;
    if (changed) this.keep();
    const { left, wait } = this.wanting();
    document.getElementById("seen").textContent = this.#progress(left, wait);
    this.button.setAttribute("aria-disabled", String(left.length > 0 || wait > 0));
    if (!this.isPreview) this.button.textContent = words(this.answers);
    this.undoButton.disabled = !this.answers.canUndo;
    if (this.#toLook && !left.length) this.say("");
    clearTimeout(this.#timer);
    if (!left.length && wait) this.#timer = setTimeout(() => this.refresh(), wait + 20);
    this.form.dispatchEvent(new Event("looked"));
  }

  // The places of pictures that are still to be looked at, and the milliseconds that a careful person needs yet.
  wanting() {
    const left = this.seen.left((at) => this.answers.get(at) === UNSURE);
    return { left, wait: Math.max(0, 1000 * this.form.dataset.pace * this.cells.length - this.watch.ms) };
  }

  // Whether it may be handed in; where not yet, go to what is left.
  ready() {
    if (!this.isOpen) return false;
    const { left, wait } = this.wanting();
    if (!left.length) return !wait;
    const lost = left.every((at) => this.seen.failed.has(at));
    this.seen.again();
    this.moves.to(left[0]);
    this.cells[left[0]].scrollIntoView({ block: "center" });
    this.say(lost ? "loading these once more; if they stay away, tick “not sure”" : "first look at those that are left", true);
    return false;
  }

  #progress(left, wait) {
    const all = this.cells.length, lost = left.filter((at) => this.seen.failed.has(at)).length;
    const text = left.length ? `${all - left.length} of ${all} looked at` : `all ${all} looked at`;
    return text + (lost ? `; ${lost} did not load` : !left.length && wait ? ": take a moment" : "");
  }

  undo() {
    if (!this.isOpen) return;
    const at = this.answers.undo();
    if (at !== null) this.moves.to(at);
  }

  freeze() {
    super.freeze();
    this.form.querySelectorAll(".cell input").forEach((box) => (box.disabled = true));
  }
}

// What the button says: what omission means, in numbers.
function words(answers) {
  const none = answers.count(NO);
  if (none === answers.length) return "Hand in: none shows it";
  return none === 0 ? "Hand in" : `Hand in: ${none} ${none === 1 ? "does" : "do"} not show it`;
}
