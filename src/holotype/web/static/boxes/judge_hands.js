// What is clicked and typed on a page of boxes that are judged. Left and right go from picture to picture; up and down
// are the browser's: from answer to answer.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class JudgeHands {
  constructor(sheet, keys, closer, dialogs, handIn) {
    Object.assign(this, { sheet, keys, closer, dialogs, handIn });
    document.addEventListener("keydown", (event) => this.#pressed(event));
    sheet.form.addEventListener("focusin", ({ target }) => sheet.of(target) >= 0 && (sheet.at = sheet.of(target)));
    sheet.form.addEventListener("click", (event) => {
      const button = event.target.closest(".enlarge, .picture");
      if (button) closer.show(sheet.of(button));
    });
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || this.dialogs.some((dialog) => dialog.open)) return;
    if (event.target.matches?.("textarea, select, input:not([type=radio])")) return;
    const done = event.ctrlKey || event.metaKey ? this.#command(event) : this.#move(event) || this.#act(event);
    if (done) event.preventDefault();
  }

  #command(event) {
    if (event.key.toLowerCase() === "z" && !event.shiftKey) {
      this.sheet.undo();
      if (this.closer.isOpen) this.closer.show(this.sheet.at);
      return true;
    }
    if (event.key !== "Enter" || event.repeat) return false;
    if (this.closer.isOpen) this.closer.dialog.close();
    this.handIn();
    return true;
  }

  #move(event) {
    const inside = this.closer.isOpen || this.sheet.of(event.target) >= 0;
    if (event.altKey || !inside) return false;
    const ends = { Home: 0, End: this.sheet.cells.length - 1 }, step = STEPS[event.key];
    if (step === undefined && !(event.key in ends)) return false;
    this.#go(step === undefined ? ends[event.key] : this.#at + step);
    return true;
  }

  get #at() {
    return this.closer.isOpen ? this.closer.at : this.sheet.at;
  }

  #go(at) {
    if (this.closer.isOpen) this.closer.show(at);
    else this.sheet.to(at);
  }

  #act(event) {
    const action = this.keys.action(event);
    if (!action) return false;
    if (action === "help") return this.dialogs[0].showModal(), true;
    if (action === "enlarge") return this.closer.isOpen ? this.closer.dialog.close() : this.closer.show(this.sheet.at), true;
    const answer = action.replace(/-here$/, ""), at = this.#at;
    if (event.repeat || !this.sheet.isOpen || !this.sheet.radios[at].some((radio) => radio.value === answer)) return true;
    this.sheet.give(at, answer);
    this.#go(action.endsWith("-here") ? at : at + 1);
    return true;
  }
}
