// A page that somebody is at: for how long, what is kept of it here, and what is said about that.

import { Draft } from "./draft.js";
import { Watch } from "./watch.js";

const PING = 60_000; // milliseconds between signs of life

// Who extends it has mine(), told(), heard(told), take(fields), ready() and forPlatform().
export class Work {
  phase = "open"; // "over" once it is on its way; "shown" where it can only be looked at
  #pinged = Date.now();

  constructor(form) {
    this.form = form;
    if ("done" in form.dataset) this.phase = "shown";
    this.button = document.getElementById("hand-in");
    this.undoButton = document.getElementById("undo");
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

  get seconds() {
    return (this.watch.ms / 1000).toFixed(1);
  }

  open() {
    const { page, worker } = this.form.dataset;
    const attempt = this.form.elements.attempt?.value ?? "";
    this.draft = new Draft(`${page} ${attempt}`.trim(), worker, (news) => this.#heard(news));
    this.watch = new Watch();
  }

  state(text) {
    put("saved", text);
  }

  say(text) {
    put("said", text);
  }

  keep() {
    const mine = { ...this.mine(), ms: Math.round(this.watch.ms) };
    this.state(this.draft.write(mine) ? "saved on this device" : "this browser keeps nothing: do not close this page");
  }

  // No answer can be changed any more.
  freeze() {
    this.phase = "over";
    this.button.setAttribute("aria-disabled", "true");
    if (this.undoButton) this.undoButton.disabled = true;
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
    this.heard(answers);
    if (kind === "handed in") this.end("This page was handed in from another tab.");
  }

  async ping() {
    const { draft } = this.form.dataset;
    if (!draft || Date.now() - this.#pinged < PING) return;
    this.#pinged = Date.now();
    const answer = await fetch(draft, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 409) this.say("somebody else has this page now as well; you can still hand it in");
  }
}

// Only what is new, for it is read out.
export function put(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}
