// A page of pictures that somebody is at: what is answered, seen and kept of it, and what is said about that.

import { Answers, NO, UNSURE } from "./answers.js";
import { Draft } from "./draft.js";
import { Moves } from "./moves.js";
import { Seen, Watch } from "./watch.js";

const PING = 60_000; // milliseconds between signs of life

export class Sheet {
  phase = "open"; // "over" once it is on its way; "shown" where it can only be looked at
  #pinged = Date.now();
  #timer = 0;

  constructor(form) {
    this.form = form;
    this.cells = [...form.querySelectorAll(".cell")];
    this.moves = new Moves(this.cells);
    this.answers = new Answers(this.cells, () => this.#changed());
    if ("done" in form.dataset) this.phase = "shown";
    else this.#open();
  }

  get kind() {
    return this.form.dataset.form;
  }

  // Whether answers can be given.
  get isOpen() {
    return this.phase === "open" && !this.isPreview;
  }

  get isPreview() {
    return "preview" in this.form.dataset;
  }

  #open() {
    const { page, worker } = this.form.dataset;
    const attempt = this.form.elements.attempt?.value ?? "";
    this.draft = new Draft(`${page} ${attempt}`.trim(), worker, (news) => this.#heard(news));
    this.watch = new Watch();
    this.seen = new Seen(this.cells, () => this.refresh(true));
    this.button = document.getElementById("hand-in");
    this.undoButton = document.getElementById("undo");
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

  // What became of the answers.
  state(text) {
    put("saved", text);
  }

  // Something to know now, until the next answer.
  say(text) {
    put("said", text);
  }

  #changed() {
    if (this.phase !== "open") return;
    this.draft.tell("draft", this.answers.all());
    this.say("");
    this.refresh(true);
    this.#ping();
    this.form.dispatchEvent(new Event("answered"));
  }

  keep() {
    const mine = { answers: this.answers.all(), seen: [...this.seen.seen], ms: Math.round(this.watch.ms) };
    this.state(this.draft.write(mine) ? "saved on this device" : "this browser keeps nothing: do not close this page");
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
    clearTimeout(this.#timer);
    if (!left.length && wait) this.#timer = setTimeout(() => this.refresh(), wait + 20);
    this.form.dispatchEvent(new Event("looked"));
  }

  // The places of pictures that are still to be looked at, and the milliseconds that a careful person needs yet.
  wanting() {
    const left = this.seen.left((at) => this.answers.get(at) === UNSURE);
    return { left, wait: Math.max(0, 1000 * this.form.dataset.pace * this.cells.length - this.watch.ms) };
  }

  #progress(left, wait) {
    const all = this.cells.length, lost = left.filter((at) => this.seen.failed.has(at)).length;
    const text = left.length ? `${all - left.length} of ${all} looked at` : `all ${all} looked at`;
    return text + (lost ? `; ${lost} did not load` : !left.length && wait ? ": take a moment" : "");
  }

  get seconds() {
    return (this.watch.ms / 1000).toFixed(1);
  }

  undo() {
    if (!this.isOpen) return;
    const at = this.answers.undo();
    if (at !== null) this.moves.to(at);
  }

  // No answer can be changed any more.
  freeze() {
    this.phase = "over";
    this.button.setAttribute("aria-disabled", "true");
    this.form.querySelectorAll(".cell input").forEach((box) => (box.disabled = true));
  }

  // It ended otherwise than by the next page: say how, and offer to go on.
  end(text) {
    this.freeze();
    const note = document.getElementById("ended"), on = document.createElement("a");
    Object.assign(on, { href: this.form.dataset.leave, className: "button", textContent: "Go on" });
    note.replaceChildren(`${text} `, on);
    note.hidden = false;
    note.scrollIntoView({ block: "center" });
  }

  #heard({ kind, answers }) {
    if (this.phase !== "open") return;
    this.answers.replace(answers);
    if (kind === "handed in") this.end("This page was handed in from another tab.");
    else this.refresh();
  }

  async #ping() {
    const { draft } = this.form.dataset;
    if (!draft || Date.now() - this.#pinged < PING) return;
    this.#pinged = Date.now();
    const answer = await fetch(draft, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 409) this.say("somebody else has this page now as well; you can still hand it in");
  }
}

// Only where it is new, for it is read out.
function put(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

// What the button says: what omission means, in numbers.
function words(answers) {
  const none = answers.count(NO);
  if (none === answers.length) return "Hand in: none shows it";
  return none === 0 ? "Hand in" : `Hand in: ${none} ${none === 1 ? "does" : "do"} not show it`;
}
