// The hand-in: only of what is ready, once, and safe against a line that breaks.

import { Outbox, unsentIn } from "./outbox.js";

export class Handing {
  constructor(work) {
    this.work = work;
    this.form = work.form;
    this.page = work.form.dataset.page;
    this.outbox = new Outbox(work.form.dataset.worker, unsentIn(document.getElementById("unsent")));
    this.form.addEventListener("submit", (event) => this.#submitted(event));
    addEventListener("pageshow", (event) => event.persisted && work.phase !== "open" && location.reload());
    if (work.kind === "sheet") this.#resume();
  }

  // As the button does.
  handIn() {
    this.form.requestSubmit(this.work.button);
  }

  #submitted(event) {
    const isSheet = this.work.kind === "sheet", ready = this.work.ready();
    if (isSheet || !ready) event.preventDefault();
    if (ready) isSheet ? this.#send() : this.#leave();
  }

  // By the browser's own means: training, whose answer is a page, and Mechanical Turk, with its own fields.
  #leave() {
    const { work } = this;
    this.form.elements.seconds.value = work.seconds;
    if (work.kind === "turk") this.#rename(work.forPlatform());
    work.keep();
    work.phase = "over";
  }

  #rename(fields) {
    const others = [...this.form.elements].filter(({ name }) => name && !["assignmentId", "seconds"].includes(name));
    others.forEach((field) => (field.disabled = true));
    for (const [name, value] of fields) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      this.form.append(field);
    }
  }

  async #send() {
    this.form.elements.seconds.value = this.work.seconds;
    const body = String(new URLSearchParams(new FormData(this.form)));
    this.work.freeze();
    this.work.state("handing in …");
    this.outbox.put(this.page, { address: this.form.action, body });
    this.#finish(await this.outbox.send());
  }

  // Send what waits; where this page does, its answers are what was handed in.
  async #resume() {
    const mine = this.outbox.get(this.page);
    if (!mine) return this.outbox.soon();
    this.work.take(new URLSearchParams(mine.body));
    this.work.freeze();
    this.#finish(await this.outbox.send());
  }

  // On to the next page where it is handed in; else it waits, and one may go on or stay.
  async #finish(answer) {
    const { work } = this;
    if (this.outbox.get(this.page)) {
      work.state("saved on this device, not handed in yet");
      work.end("This page is kept on this device and handed in as soon as that is possible. You may stay here, or go on.");
      answer = await this.outbox.done(this.page);
    }
    if (answer === null) return work.end("This page could not be handed in.");
    work.draft.tell("handed in", work.told());
    await work.draft.forget();
    work.state("handed in");
    location.assign(answer.next ?? this.form.dataset.leave);
  }
}
