// What is clicked and typed on a page of pictures.

import { NO, UNSURE, YES } from "./answers.js";

const ANSWERS = { yes: YES, no: NO, unsure: UNSURE };

export class Hands {
  #last = null; // the place that was clicked or answered last, where a range begins
  #shifted = false;
  #held = false;

  // `handIn` is called for Ctrl+Enter; `dialogs` are those in which keys mean what they mean there.
  constructor(sheet, keys, enlarged, dialogs, handIn) {
    Object.assign(this, { sheet, keys, enlarged, dialogs, handIn });
    const { form } = sheet;
    form.addEventListener("click", (event) => this.#clicked(event));
    form.addEventListener("change", (event) => this.#ticked(event));
    form.addEventListener("focusin", (event) => this.#entered(event));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("keyup", (event) => this.#released(event));
  }

  #clicked(event) {
    const at = this.sheet.moves.of(event.target);
    if (at < 0) return;
    if (event.target.closest(".enlarge")) return this.enlarged.show(at);
    if (event.target.matches("input")) this.#shifted = event.shiftKey;
    else if (event.shiftKey && event.target.closest("label.picture, .yes label") && this.#last !== null) {
      event.preventDefault();
      this.#range(this.#last, at, YES);
    }
  }

  #ticked(event) {
    const at = this.sheet.moves.of(event.target);
    if (at < 0) return;
    const { answers } = this.sheet, from = this.#shifted ? this.#last : null;
    answers.ticked(at, event.target);
    if (from !== null && event.target.matches(".yes input")) {
      const answer = answers.get(at);
      answers.undo();
      this.#range(from, at, answer);
    }
    this.#shifted = false;
    this.#last = at;
  }

  #range(from, to, answer) {
    if (!this.sheet.isOpen) return;
    const first = Math.min(from, to), last = Math.max(from, to);
    const places = this.sheet.cells.map((_, at) => at).slice(first, last + 1);
    this.sheet.answers.give(places.map((at) => [at, answer]));
    this.#last = to;
    this.sheet.moves.to(to);
  }

  #entered(event) {
    const at = this.sheet.moves.of(event.target);
    if (at >= 0) this.sheet.moves.to(at, false);
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return;
    if (this.dialogs.some((dialog) => dialog.open)) return;
    if (event.key === "Enter" && event.target.matches?.("#sheet [type=checkbox]")) event.preventDefault();
    const done = event.ctrlKey || event.metaKey ? this.#command(event) : this.#move(event) || this.#act(event);
    if (done) event.preventDefault();
  }

  #command(event) {
    if (this.sheet.phase === "shown") return false;
    if (event.key.toLowerCase() === "z" && !event.shiftKey) return this.#undo(), true;
    if (event.key !== "Enter" || event.repeat) return false;
    if (this.enlarged.isOpen) this.enlarged.close();
    this.handIn();
    return true;
  }

  #undo() {
    this.sheet.undo();
    if (this.enlarged.isOpen) this.enlarged.show(this.sheet.moves.at);
  }

  #move(event) {
    if (event.altKey) return false;
    if (this.enlarged.isOpen) return this.#turn(event.key);
    if (this.sheet.moves.of(event.target) < 0) return false;
    const from = this.sheet.moves.at, to = this.sheet.moves.target(event.key);
    if (to === undefined) return false;
    if (event.shiftKey && this.sheet.isOpen) this.#range(from, to, YES);
    else this.sheet.moves.to(to);
    return true;
  }

  #turn(key) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (by) this.enlarged.show(this.enlarged.at + by);
    return by !== undefined;
  }

  #act(event) {
    const action = this.keys.action(event);
    if (action === "help" && this.dialogs.length) return this.dialogs[0].showModal(), true;
    if (action === "enlarge") return this.#enlarge(event), true;
    if (!(action?.split("-")[0] in ANSWERS)) return false;
    if (!event.repeat && this.sheet.isOpen) this.#answer(action);
    return true;
  }

  #answer(action) {
    const at = this.enlarged.isOpen ? this.enlarged.at : this.sheet.moves.at;
    const next = at + (action.endsWith("-here") ? 0 : 1);
    this.#last = at;
    this.sheet.answers.give([[at, ANSWERS[action.split("-")[0]]]]);
    if (this.enlarged.isOpen) this.enlarged.show(next);
    else this.sheet.moves.to(next);
  }

  // Pressed it opens and closes; held it is open for as long.
  #enlarge(event) {
    if (event.repeat) this.#held = this.enlarged.isOpen;
    else if (this.enlarged.isOpen) this.enlarged.close();
    else {
      const { form, moves } = this.sheet;
      const under = form.querySelector(".cell :focus-visible") ? -1 : moves.of(form.querySelector(".cell:hover"));
      this.enlarged.show(under < 0 ? moves.at : under);
    }
  }

  #released(event) {
    if (!this.#held || this.keys.action(event) !== "enlarge") return;
    this.#held = false;
    this.enlarged.close();
  }
}

function isTyping(element) {
  return element.matches?.("textarea, select, input:not([type=checkbox], [type=radio])") ?? false;
}
