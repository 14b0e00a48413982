// A page of pictures: what is clicked and typed, what is kept, and the hand-in.

import { Answers, NO, UNSURE, YES } from "./grid/answers.js";
import { Draft, forgetOldDrafts } from "./grid/draft.js";
import { Enlarged } from "./grid/enlarged.js";
import { rememberExamples } from "./grid/examples.js";
import { Following } from "./grid/following.js";
import { Keys, showKeys } from "./grid/keys.js";
import { Moves } from "./grid/moves.js";
import { Outbox, unsentIn } from "./grid/outbox.js";
import { Report } from "./grid/report.js";
import { Seen, Watch } from "./grid/watch.js";

const PREFETCH = 0.7; // of the pictures seen
const PING = 60_000; // milliseconds between signs of life
const ANSWERS = { yes: YES, no: NO, unsure: UNSURE };

class Sheet {
  state = "open"; // then "sending", and "over" once it is handed in
  #pinged = Date.now();
  #timer = 0;
  #last = null;
  #shifted = false;

  constructor(form) {
    this.form = form;
    this.kind = form.dataset.form;
    this.cells = [...form.querySelectorAll(".cell")];
    this.isDone = "done" in form.dataset;
    this.isPreview = "preview" in form.dataset;
    this.moves = new Moves(this.cells);
    const dialog = document.getElementById("enlarged");
    this.answers = new Answers(this.cells, () => this.#changed());
    this.enlarged = new Enlarged(dialog, this.cells, this.isDone ? null : this.answers, {
      closed: (at) => this.moves.to(at),
      report: (at) => (this.enlarged.close(), this.report.show(this.cells[at].dataset.number)),
    });
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("keyup", (event) => this.#released(event));
    form.addEventListener("click", (event) => this.#clicked(event));
    form.addEventListener("focusin", (event) => this.#entered(event));
    this.keys = new Keys();
    if (!this.isDone) this.#open();
  }

  #open() {
    const { page, worker, following } = this.form.dataset;
    const attempt = this.form.elements.attempt?.value ?? "";
    this.draft = new Draft(`${page} ${attempt}`.trim(), worker, (news) => this.#heard(news));
    this.following = new Following(following, page);
    const kept = this.draft.read() ?? {};
    if (Array.isArray(kept.answers)) this.answers.replace(kept.answers);
    this.watch = new Watch(kept.ms > 0 ? kept.ms : 0);
    this.seen = new Seen(this.cells, Array.isArray(kept.seen) ? kept.seen : [], () => this.#refresh(true));
    this.says = { seen: document.getElementById("seen"), saved: document.getElementById("saved") };
    this.button = document.getElementById("hand-in");
    document.getElementById("looked").required = false;
    this.form.addEventListener("change", (event) => this.#ticked(event));
    this.form.addEventListener("submit", (event) => this.#submitted(event));
    document.getElementById("undo").addEventListener("click", () => this.#undo());
    this.#openDialogs();
    addEventListener("pageshow", (event) => event.persisted && this.state !== "open" && location.reload());
    addEventListener("online", () => this.seen.again());
    document.addEventListener("visibilitychange", () => this.#refresh(true));
    const unsent = document.getElementById("unsent");
    this.outbox = new Outbox(worker, unsentIn(unsent));
    if (this.kind === "sheet") this.#resume();
    if (kept.answers) this.#say("your answers are here as you left them");
    this.#refresh();
  }

  #openDialogs() {
    const keys = document.getElementById("keys"), report = document.getElementById("report");
    showKeys(keys, this.keys);
    document.getElementById("show-keys").addEventListener("click", () => keys.showModal());
    this.keysDialog = keys;
    if (!report) return;
    this.report = new Report(report, (text) => this.#say(text));
    document.querySelector(".ask-wrong .report")?.addEventListener("click", () => this.report.show(""));
  }

  // Send what waits; where this page does, its answers are what was handed in.
  async #resume() {
    const mine = this.outbox.get(this.form.dataset.page);
    if (!mine) return this.outbox.soon();
    const fields = new URLSearchParams(mine.body);
    const ticked = (name) => new Set(fields.getAll(name));
    const [yes, unsure] = [ticked("yes"), ticked("unsure")];
    const given = this.cells.map(({ dataset: { number } }) => (unsure.has(number) ? UNSURE : yes.has(number) ? YES : NO));
    this.answers.replace(given);
    this.#freeze();
    this.#finish(await this.outbox.send());
  }

  // Clicks and keys

  #clicked(event) {
    const at = this.moves.of(event.target);
    if (at < 0) return;
    if (event.target.closest(".enlarge")) return this.enlarged.show(at);
    if (event.target.matches("input")) this.#shifted = event.shiftKey;
    else if (event.shiftKey && event.target.closest("label.picture, .yes label") && this.#last !== null) {
      event.preventDefault();
      this.#range(this.#last, at, YES);
    }
  }

  #ticked(event) {
    const at = this.moves.of(event.target);
    if (at < 0) return;
    const last = this.#last;
    this.answers.ticked(at, event.target);
    if (this.#shifted && last !== null && last !== at && event.target.matches(".yes input")) {
      this.answers.undo();
      this.#range(last, at, event.target.checked ? NO : YES);
    }
    this.#shifted = false;
    this.#last = at;
  }

  #range(from, to, answer) {
    if (this.state !== "open" || this.isDone || this.isPreview) return;
    const [first, last] = from < to ? [from, to] : [to, from];
    this.answers.give(this.cells.map((_, at) => [at, answer]).slice(first, last + 1));
    this.#last = to;
    this.moves.to(to);
  }

  #entered(event) {
    const at = this.moves.of(event.target);
    if (at >= 0) this.moves.to(at, false);
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return;
    if (this.keysDialog?.open || this.report?.dialog.open) return;
    if (event.key === "Enter" && event.target.matches?.("#sheet [type=checkbox]")) event.preventDefault();
    const done = event.ctrlKey || event.metaKey ? this.#command(event) : this.#move(event) || this.#act(event);
    if (done) event.preventDefault();
  }

  #command(event) {
    if (this.isDone) return false;
    if (event.key.toLowerCase() === "z" && !event.shiftKey) return (this.#undo(), true);
    if (event.key === "Enter" && !event.repeat) return (this.enlarged.close(), this.handIn(), true);
    return false;
  }

  #move(event) {
    if (event.altKey || !(this.enlarged.isOpen || this.moves.of(event.target) >= 0)) return false;
    const from = this.enlarged.isOpen ? this.enlarged.at : this.moves.at;
    const to = this.enlarged.isOpen ? { ArrowLeft: from - 1, ArrowRight: from + 1 }[event.key] : this.moves.target(event.key);
    if (to === undefined) return false;
    if (this.enlarged.isOpen) this.enlarged.show(to);
    else if (event.shiftKey && !this.isDone) this.#range(from, to, YES);
    else this.moves.to(to);
    return true;
  }

  #act(event) {
    const action = this.keys.action(event);
    if (!action) return false;
    if (action === "help") return this.keysDialog ? (this.keysDialog.showModal(), true) : false;
    if (action === "enlarge") return (this.#enlarge(event), true);
    if (event.repeat || this.isDone || this.state !== "open" || this.isPreview) return true;
    const at = this.enlarged.isOpen ? this.enlarged.at : this.moves.at;
    this.#last = at;
    this.answers.give([[at, ANSWERS[action.split("-")[0]]]]);
    const next = at + (action.endsWith("-here") ? 0 : 1);
    if (this.enlarged.isOpen) this.enlarged.show(next);
    else this.moves.to(next);
    return true;
  }

  // Pressed it opens and closes; held it is open for as long.
  #enlarge(event) {
    if (event.repeat) this.held = this.enlarged.isOpen;
    else if (this.enlarged.isOpen) this.enlarged.close();
    else {
      const inside = this.form.querySelector(".cell :focus-visible");
      const under = inside ? -1 : this.moves.of(this.form.querySelector(".cell:hover"));
      this.enlarged.show(under < 0 ? this.moves.at : under);
    }
  }

  #released(event) {
    if (!this.held || this.keys.action(event) !== "enlarge") return;
    this.held = false;
    this.enlarged.close();
  }

  #undo() {
    if (this.state !== "open") return;
    const at = this.answers.undo();
    if (at === null) return;
    if (this.enlarged.isOpen) this.enlarged.show(at);
    else this.moves.to(at);
  }

  // What is kept and said

  #changed() {
    if (this.state !== "open" || this.isDone) return;
    this.enlarged.paint();
    this.draft.tell("draft", this.answers.all());
    this.#refresh(true);
    this.#ping();
  }

  #keep() {
    const mine = { answers: this.answers.all(), seen: [...this.seen.seen], ms: Math.round(this.watch.ms) };
    this.#say(this.draft.write(mine) ? "saved on this device" : "this browser keeps nothing: do not close this page");
  }

  // Keep what changed, and say how far one is.
  #refresh(changed = false) {
    if (this.state !== "open" || !this.seen) return;
    if (changed) this.#keep();
    const { left, wait } = this.#wanting();
    const all = this.cells.length, lost = left.filter((at) => this.seen.failed.has(at)).length;
    this.says.seen.textContent =
      (left.length ? `${all - left.length} of ${all} looked at` : wait ? `all ${all} looked at: take a moment` : `all ${all} looked at`) +
      (lost ? `; ${lost} did not load` : "");
    this.button.setAttribute("aria-disabled", String(left.length > 0 || wait > 0));
    if (!this.isPreview) this.button.textContent = words(this.answers);
    document.getElementById("undo").disabled = !this.answers.canUndo;
    clearTimeout(this.#timer);
    if (!left.length && wait) this.#timer = setTimeout(() => this.#refresh(), wait + 20);
    if (this.kind === "sheet" && this.seen.size >= PREFETCH * all) this.following.ask();
  }

  #wanting() {
    const left = this.seen.left((at) => this.answers.get(at) === UNSURE);
    return { left, wait: Math.max(0, 1000 * this.form.dataset.pace * this.cells.length - this.watch.ms) };
  }

  #say(text) {
    if (this.says.saved.textContent !== text) this.says.saved.textContent = text;
  }

  #heard({ kind, answers }) {
    if (this.state !== "open") return;
    if (kind === "draft") this.answers.replace(answers);
    if (kind === "draft") return this.#refresh();
    this.answers.replace(answers);
    this.#over("This page was handed in from another tab.");
  }

  async #ping() {
    const { draft } = this.form.dataset;
    if (!draft || Date.now() - this.#pinged < PING) return;
    this.#pinged = Date.now();
    const answer = await fetch(draft, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 409) this.#say("somebody else has this page now as well; you can still hand it in");
  }

  // The hand-in

  #submitted(event) {
    if (this.kind === "sheet" || !this.#ready()) event.preventDefault();
    if (this.kind === "sheet") this.handIn();
    else if (!event.defaultPrevented) this.#leave();
  }

  handIn() {
    if (this.kind !== "sheet") return this.form.requestSubmit();
    if (this.#ready()) this.#send();
  }

  // Whether it may be handed in; where not yet, go to what is left.
  #ready() {
    if (this.state !== "open" || this.isPreview) return false;
    const { left, wait } = this.#wanting();
    if (!left.length) return !wait;
    const lost = left.every((at) => this.seen.failed.has(at));
    this.#say(lost ? "look at these again: loading them once more; if they stay away, tick “not sure”" : `first look at the ${left.length} that are left`);
    this.seen.again();
    this.moves.to(left[0]);
    this.cells[left[0]].scrollIntoView({ block: "center" });
    return false;
  }

  // By the browser's own means: training, whose answer is a page, and Mechanical Turk.
  #leave() {
    this.form.elements.seconds.value = this.#seconds();
    if (this.kind === "turk") this.cells.forEach((cell, at) => this.#field(`picture-${cell.dataset.number}`, this.answers.get(at)));
    this.#keep();
    this.state = "sending";
  }

  #field(name, value) {
    const field = this.form.elements[name] ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    this.form.append(field);
  }

  #seconds() {
    return (this.watch.ms / 1000).toFixed(1);
  }

  async #send() {
    const { page } = this.form.dataset;
    this.form.elements.seconds.value = this.#seconds();
    const sheet = { address: this.form.action, body: String(new URLSearchParams(new FormData(this.form))) };
    this.#freeze();
    this.#say("handing in …");
    this.outbox.put(page, sheet);
    this.#finish(await this.outbox.send());
  }

  #freeze() {
    this.state = "sending";
    this.button.setAttribute("aria-disabled", "true");
    this.form.querySelectorAll(".cell input").forEach((box) => (box.disabled = true));
  }

  // On to the next page where it is handed in; else it waits, and one may go on or stay.
  async #finish(answer) {
    const { page, leave } = this.form.dataset;
    if (!this.outbox.get(page)) {
      this.draft.tell("handed in", this.answers.all());
      if (answer === null) return this.#over("This page could not be handed in.");
      this.draft.forget();
      this.#say("handed in");
      this.state = "over";
      return location.assign(answer.next ?? leave);
    }
    this.#say("saved on this device, not handed in yet");
    this.#over("This page is kept on this device and will be handed in when the line is back. You may stay here, or go on.");
    this.outbox.done(page).then((later) => this.#finish(later));
  }

  #over(text) {
    this.#freeze();
    const note = document.getElementById("elsewhere"), on = document.createElement("a");
    Object.assign(on, { href: this.form.dataset.leave, className: "button", textContent: "Go on" });
    note.replaceChildren(`${text} `, on);
    note.hidden = false;
    note.scrollIntoView({ block: "center" });
  }
}

// What the button says: what omission means, in numbers.
function words(answers) {
  const none = answers.count(NO);
  if (none === answers.length) return "Hand in: none shows it";
  return none === 0 ? "Hand in" : `Hand in: ${none} ${none === 1 ? "does" : "do"} not show it`;
}

function isTyping(element) {
  return element.matches?.("textarea, select, input:not([type=checkbox], [type=radio])") ?? false;
}

forgetOldDrafts();
rememberExamples(document.querySelector(".examples"));
const form = document.getElementById("sheet");
if (form) new Sheet(form);
