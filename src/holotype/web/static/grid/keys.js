// Which key does what. Letters can be changed and switched off (WCAG 2.1.4); the others are those that browsers have.

import { read, write } from "./kept.js";

const KEPT = "holotype keys";
const FIRST = { yes: "y", no: "n", unsure: "u", "yes-here": "1", "no-here": "2", "unsure-here": "3", enlarge: "z", help: "?" };

export class Keys {
  constructor(kept = KEPT, first = FIRST) {
    Object.assign(this, { name: kept, first });
    const found = read(kept, {});
    this.on = found.on !== false;
    this.map = { ...first };
    for (const action in first) if (typeof found.map?.[action] === "string") this.map[action] = found.map[action];
  }

  // The action of a key that was pressed alone, or undefined.
  action(event) {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    return this.#of(event.key.toLowerCase()) ?? this.#of(latin(event));
  }

  // Give an action another key; the action that had it gets the old one. Whether it is a key that can be given.
  change(action, event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : "";
    if (!key.trim() || event.ctrlKey || event.metaKey || event.altKey) return false;
    const other = this.#of(key);
    if (other) this.map[other] = this.map[action];
    this.map[action] = key;
    this.#keep();
    return true;
  }

  switch(on) {
    this.on = on;
    this.#keep();
  }

  reset() {
    this.map = { ...this.first };
    this.#keep();
  }

  #of(key) {
    return Object.keys(this.map).find((action) => this.map[action] === key);
  }

  #keep() {
    write(this.name, { on: this.on, map: this.map });
  }
}

// The key of a Latin keyboard at the place of this one, where this one writes something else: Cyrillic letters, and the
// digits of a French keyboard.
function latin({ key, code }) {
  const letter = /^Key([A-Z])$/.exec(code), digit = /^Digit([0-9])$/.exec(code);
  if (letter && /[^\x00-\x7f]/.test(key)) return letter[1].toLowerCase();
  return digit ? digit[1] : undefined;
}

// The dialog that lists the keys, and changes them.
export function showKeys(dialog, keys) {
  const rows = [...dialog.querySelectorAll("[data-action]")];
  const said = dialog.querySelector("#keys-said"), letters = dialog.querySelector("#letters");
  let asking = null;

  const paint = () => {
    rows.forEach((row) => (row.querySelector("kbd").textContent = keys.map[row.dataset.action].toUpperCase()));
    letters.checked = keys.on;
  };
  const ask = (row) => {
    asking = row;
    said.textContent = row ? "Press the new key, or Escape." : "";
  };
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.classList.contains("change")) ask(button.closest("tr"));
    if (button?.id === "keys-reset") (keys.reset(), ask(null), paint());
    if (button?.classList.contains("close")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (!asking || ["Shift", "Tab", "Control", "Alt", "Meta"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return ask(null);
    const changed = keys.change(asking.dataset.action, event);
    ask(changed ? null : asking);
    said.textContent = changed ? "Changed." : "That key cannot be taken: press a letter, a digit or a sign.";
    paint();
  });
  letters.addEventListener("change", () => keys.switch(letters.checked));
  dialog.addEventListener("close", () => ask(null));
  paint();
}
