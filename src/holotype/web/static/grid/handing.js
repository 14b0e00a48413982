// The hand-in: only of what was looked at, once, and safe against a line that breaks.

import { NO, UNSURE, YES } from "./answers.js";
import { Outbox, unsentIn } from "./outbox.js";

export class Handing {
  constructor(sheet) {
    this.sheet = sheet;
    this.form = sheet.form;
    this.page = sheet.form.dataset.page;
    this.outbox = new Outbox(sheet.form.dataset.worker, unsentIn(document.getElementById("unsent")));
    this.form.addEventListener("submit", (event) => this.#submitted(event));
    addEventListener("pageshow", (event) => event.persisted && sheet.phase !== "open" && location.reload());
    if (sheet.kind === "sheet") this.#resume();
  }

  // As the button does.
  handIn() {
    this.form.requestSubmit(this.sheet.button);
  }

  #submitted(event) {
    const isSheet = this.sheet.kind === "sheet", ready = this.#ready();
    if (isSheet || !ready) event.preventDefault();
    if (ready) isSheet ? this.#send() : this.#leave();
  }

  // Whether it may be handed in; where not yet, go to what is left.
  #ready() {
    const { sheet } = this;
    if (!sheet.isOpen) return false;
    const { left, wait } = sheet.wanting();
    if (!left.length) return !wait;
    const lost = left.every((at) => sheet.seen.failed.has(at));
    sheet.seen.again();
    sheet.moves.to(left[0]);
    sheet.cells[left[0]].scrollIntoView({ block: "center" });
    sheet.say(lost ? "loading these once more; if they stay away, tick “not sure”" : `${left.length} are still to be looked at`);
    return false;
  }

  // By the browser's own means: training, whose answer is a page, and Mechanical Turk, which wants a word a picture.
  #leave() {
    const { sheet } = this;
    this.form.elements.seconds.value = sheet.seconds;
    if (sheet.kind === "turk") {
      sheet.cells.forEach((cell, at) => this.#write(`picture-${cell.dataset.number}`, sheet.answers.get(at)));
    }
    sheet.keep();
    sheet.phase = "over";
  }

  #write(name, value) {
    const field = this.form.elements[name] ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    this.form.append(field);
  }

  async #send() {
    this.form.elements.seconds.value = this.sheet.seconds;
    const body = String(new URLSearchParams(new FormData(this.form)));
    this.sheet.freeze();
    this.sheet.state("handing in …");
    this.outbox.put(this.page, { address: this.form.action, body });
    this.#finish(await this.outbox.send());
  }

  // Send what waits; where this page does, its answers are what was handed in.
  async #resume() {
    const mine = this.outbox.get(this.page);
    if (!mine) return this.outbox.soon();
    const ticked = (name) => new Set(new URLSearchParams(mine.body).getAll(name));
    const yes = ticked("yes"), unsure = ticked("unsure");
    const numbers = this.sheet.cells.map((cell) => cell.dataset.number);
    this.sheet.answers.replace(numbers.map((number) => (unsure.has(number) ? UNSURE : yes.has(number) ? YES : NO)));
    this.sheet.freeze();
    this.#finish(await this.outbox.send());
  }

  // On to the next page where it is handed in; else it waits, and one may go on or stay.
  async #finish(answer) {
    const { sheet } = this;
    if (this.outbox.get(this.page)) {
      sheet.state("saved on this device, not handed in yet");
      sheet.end("This page is kept on this device and handed in as soon as that is possible. You may stay here, or go on.");
      answer = await this.outbox.done(this.page);
    }
    if (answer === null) return sheet.end("This page could not be handed in.");
    sheet.draft.tell("handed in", sheet.answers.all());
    await sheet.draft.forget();
    sheet.state("handed in");
    location.assign(answer.next ?? this.form.dataset.leave);
  }
}
