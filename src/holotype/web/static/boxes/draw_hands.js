// What is typed while a box is drawn: letters choose an edge, arrows move it.

const EDGE = ["left", "top", "right", "bottom"];
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, -1], ArrowDown: [1, 1] };
const FAR = 10; // pixels, with Shift

export class DrawHands {
  // `acts` are functions by action; `dialogs` are those in which keys mean what they mean there.
  constructor(sheet, keys, dialogs, acts) {
    Object.assign(this, { sheet, keys, dialogs, acts });
    document.addEventListener("keydown", (event) => this.#pressed(event));
    sheet.drawing.fields.forEach((field, which) => {
      field.addEventListener("input", () => sheet.isOpen && sheet.drawing.typed(which));
      field.addEventListener("focus", () => field.select());
    });
    sheet.drawing.nothing.addEventListener("change", ({ target }) => sheet.drawing.say(target.checked));
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || this.dialogs.some((dialog) => dialog.open)) return;
    if (event.target.matches?.("textarea, select")) return;
    const done = event.ctrlKey || event.metaKey ? this.#command(event) : this.#arrow(event) || this.#letter(event);
    if (done) event.preventDefault();
  }

  #command(event) {
    if (event.key.toLowerCase() === "z" && !event.shiftKey) return this.sheet.undo(), true;
    if (event.key !== "Enter" || event.repeat) return false;
    this.acts.handIn();
    return true;
  }

  // In an edge's field an arrow moves the edge to where it points; the others stay with the browser.
  #arrow(event) {
    const which = this.sheet.drawing.fields.indexOf(event.target), arrow = ARROWS[event.key];
    if (which < 0 || !arrow || event.altKey || !this.sheet.isOpen) return false;
    if (arrow[0] === which % 2) this.sheet.drawing.nudge(which, arrow[1] * (event.shiftKey ? FAR : 1));
    return true;
  }

  #letter(event) {
    if (event.altKey) return false;
    if (event.key === "Escape") return this.sheet.isOpen && this.sheet.drawing.drop(), true;
    const action = this.keys.action(event);
    if (!action) return false;
    const edge = EDGE.indexOf(action);
    if (edge >= 0) this.sheet.drawing.fields[edge].focus();
    else this.acts[action]?.();
    return true;
  }
}

export const FIRST = {
  ...{ left: "l", right: "r", top: "t", bottom: "b", nothing: "n", more: "m", tool: "d" },
  ...{ zoom: "z", in: "+", out: "-", help: "?" },
};
