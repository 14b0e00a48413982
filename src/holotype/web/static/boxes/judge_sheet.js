// A page of pictures with boxes that are judged: one answer a picture, each a native radio button.

import { put, Work } from "../grid/work.js";

export class JudgeSheet extends Work {
  #done = [];
  at = 0;

  constructor(form) {
    super(form);
    this.cells = [...form.querySelectorAll(".judged")];
    this.radios = this.cells.map((cell) => [...cell.querySelectorAll("[type=radio]")]);
    this.before = this.all();
    if (this.phase === "open") this.open();
  }

  open() {
    super.open();
    this.form.noValidate = true; // what is wrong is said in our words
    this.form.addEventListener("change", (event) => this.#changed(this.of(event.target)));
    this.cells.forEach((cell) => cell.querySelector("img").addEventListener("error", () => cell.classList.add("failed")));
    const kept = this.draft.read();
    if (kept?.ms > 0) this.watch.add(kept.ms);
    if (Array.isArray(kept?.answers)) {
      this.heard(kept.answers);
      this.say("your answers are here as you left them");
    }
    this.refresh();
  }

  get(at) {
    return this.radios[at].find((radio) => radio.checked)?.value ?? "";
  }

  all() {
    return this.cells.map((_, at) => this.get(at));
  }

  // The place of the picture that an element is in, or -1.
  of(element) {
    return this.cells.indexOf(element?.closest?.(".judged"));
  }

  give(at, answer) {
    if (!this.isOpen) return;
    this.#set(at, answer);
    this.#changed(at);
  }

  // Be at a place, clamped, with the focus in its answers.
  to(at) {
    this.at = Math.min(Math.max(at, 0), this.cells.length - 1);
    const radio = this.radios[this.at].find((one) => one.checked) ?? this.radios[this.at][0];
    radio.focus();
    this.cells[this.at].scrollIntoView({ block: "nearest" });
  }

  undo() {
    if (!this.isOpen || !this.#done.length) return;
    const [at, was] = this.#done.pop();
    this.#set(at, was);
    this.before = this.all();
    this.#kept();
    this.to(at);
  }

  mine() {
    return { answers: this.all() };
  }

  told() {
    return this.all();
  }

  heard(answers) {
    answers.slice(0, this.cells.length).forEach((answer, at) => this.#set(at, answer));
    this.#done = [];
    this.before = this.all();
    this.refresh();
  }

  take(fields) {
    this.heard(this.cells.map((cell) => fields.get(`answer-${cell.dataset.number}`) ?? ""));
  }

  forPlatform() {
    return this.all().flatMap((word, at) => {
      const place = this.cells[at].dataset.number, { answer, reason } = this.radios[at].find((one) => one.checked).dataset;
      return [[`answer-${place}`, answer], ...(this.form.dataset.kind === "quality" ? [[`reason-${place}`, reason]] : [])];
    });
  }

  wanting() {
    return this.cells.map((_, at) => at).filter((at) => !this.get(at));
  }

  // Whether it may be handed in; where not yet, go to what is left.
  ready() {
    if (!this.isOpen) return false;
    const [first] = this.wanting();
    if (first === undefined) return true;
    this.to(first);
    this.cells[first].scrollIntoView({ block: "center" });
    this.say("first answer those that are left");
    return false;
  }

  #set(at, answer) {
    this.radios[at].forEach((radio) => (radio.checked = radio.value === answer));
  }

  #changed(at) {
    if (at < 0 || this.phase !== "open") return;
    if (this.before[at] !== this.get(at)) this.#done.push([at, this.before[at]]);
    this.before = this.all();
    this.say("");
    this.#kept();
    this.ping();
  }

  #kept() {
    this.keep();
    this.draft.tell("draft", this.told());
    this.refresh();
  }

  refresh() {
    const left = this.wanting().length, all = this.cells.length;
    put("seen", left ? `${all - left} of ${all} answered` : `all ${all} answered`);
    this.button?.setAttribute("aria-disabled", String(left > 0));
    if (this.undoButton) this.undoButton.disabled = !this.#done.length;
    this.cells.forEach((cell, at) => (cell.dataset.answer = this.get(at)));
    this.form.dispatchEvent(new Event("answered"));
  }

  freeze() {
    super.freeze();
    this.radios.flat().forEach((radio) => (radio.disabled = true));
  }
}
