// The answers on a page: its checkboxes are what is true, and every change can be undone.

export const YES = "yes", NO = "no", UNSURE = "unsure";

export class Answers {
  #done = [];

  // `cells` are the list items of the pictures in their order; `changed` is called after each change.
  constructor(cells, changed) {
    this.boxes = cells.map((cell) => ({
      cell,
      yes: cell.querySelector(".yes input"),
      unsure: cell.querySelector(".unsure input"),
    }));
    this.changed = changed;
    this.#paint();
    this.before = this.all();
  }

  get length() {
    return this.boxes.length;
  }

  get(at) {
    const { yes, unsure } = this.boxes[at];
    return unsure.checked ? UNSURE : yes.checked ? YES : NO;
  }

  all() {
    return this.boxes.map((_, at) => this.get(at));
  }

  count(answer) {
    return this.all().filter((given) => given === answer).length;
  }

  // Give answers, [place, answer] each, as one step.
  give(changes) {
    const old = changes.map(([at]) => [at, this.before[at]]).filter(([at, was], n) => was !== changes[n][1]);
    changes.forEach(([at, answer]) => this.#set(at, answer));
    this.#settle(old);
  }

  // A checkbox of the picture at a place was ticked or unticked by its own means: of the two only one stays ticked.
  ticked(at, box) {
    const { yes, unsure } = this.boxes[at];
    if (box.checked) (box === yes ? unsure : yes).checked = false;
    this.#settle([[at, this.before[at]]]);
  }

  // Take the last step back; the place where it was, or null.
  undo() {
    const step = this.#done.pop();
    if (step === undefined) return null;
    step.forEach(([at, was]) => this.#set(at, was));
    this.#settle([]);
    return step[0][0];
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  // Take answers that were given elsewhere: nothing to undo here.
  replace(answers) {
    answers.slice(0, this.length).forEach((answer, at) => this.#set(at, answer));
    this.#done = [];
    this.#paint();
    this.before = this.all();
  }

  #set(at, answer) {
    this.boxes[at].yes.checked = answer === YES;
    this.boxes[at].unsure.checked = answer === UNSURE;
  }

  #settle(step) {
    if (step.length) this.#done.push(step);
    this.#paint();
    this.before = this.all();
    this.changed();
  }

  #paint() {
    this.boxes.forEach(({ cell }, at) => {
      cell.classList.toggle("is-yes", this.get(at) === YES);
      cell.classList.toggle("is-unsure", this.get(at) === UNSURE);
    });
  }
}
