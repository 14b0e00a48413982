// Sheets on their way: each stays on this device until the server says that it has it, and is sent again until then,
// from whatever page of the site is open. The server takes a sheet once, however often it comes.

import { forget, keys, read, write } from "./kept.js";

const PREFIX = "holotype unsent ";
const WAITS = [1, 2, 4, 8, 16, 32, 60]; // seconds before another try, the last one for ever
const MOMENTARY = new Set([401, 408, 421, 425, 429]); // these may be otherwise later
const REFUSED = "holotype refused ";

export class Outbox {
  #tries = 0;
  #timer = 0;
  #sending = null;
  #memory = new Map(); // where nothing can be kept
  #hopes = new Map();

  // Sheets are of `worker` alone: who else uses this browser sends none of theirs. `told` is called with a state:
  // {waiting, wait, text, refused}, the number of sheets that wait, for how many seconds, and what the server said.
  constructor(worker, told) {
    this.prefix = `${PREFIX}${worker} `;
    this.told = told;
    addEventListener("online", () => this.soon());
    addEventListener("pageshow", (event) => event.persisted && this.soon());
  }

  // Keep a sheet, {address, body}, until it is handed in; whether it would survive this page.
  put(page, sheet) {
    this.#memory.set(this.prefix + page, sheet);
    return write(this.prefix + page, sheet);
  }

  get(page) {
    return this.#memory.get(this.prefix + page) ?? read(this.prefix + page);
  }

  // What a page's sheet is answered at last, however long that takes.
  done(page) {
    return new Promise((resolve) => this.#hopes.set(this.prefix + page, resolve));
  }

  waiting() {
    return [...new Set([...keys(this.prefix), ...this.#memory.keys()])];
  }

  // Send all that waits, one after the other; what the last one was answered, or null where none got through.
  send() {
    clearTimeout(this.#timer);
    this.#sending ??= this.#once().finally(() => (this.#sending = null));
    return this.#sending;
  }

  soon() {
    this.#tries = 0;
    if (this.waiting().length) this.send();
  }

  async #once() {
    let answer = null, text = "";
    let refused = 0;
    for (const key of this.waiting()) {
      const sheet = this.#memory.get(key) ?? read(key);
      const got = sheet && (await post(sheet));
      if (got?.ok) {
        answer = got.json ?? {};
        await this.#drop(key, answer);
      } else if (got?.final) {
        write(REFUSED + key, sheet);
        await this.#drop(key, null);
        refused += 1;
        text = got.text;
      } else if (got) text = got.text;
    }
    const left = this.waiting().length;
    const wait = left ? WAITS[Math.min(this.#tries, WAITS.length - 1)] : 0;
    this.#tries = left ? this.#tries + 1 : 0;
    if (left) this.#timer = setTimeout(() => this.send(), 1000 * wait);
    this.told({ waiting: left, wait, text, refused });
    return answer;
  }

  async #drop(key, answer) {
    this.#memory.delete(key);
    await forget(key);
    this.#hopes.get(key)?.(answer);
    this.#hopes.delete(key);
  }
}

// What became of sheets, in words, in the element that every page has for it.
export function unsentIn(element) {
  return ({ waiting, wait, text, refused }) => {
    const pages = waiting === 1 ? "A page waits" : `${waiting} pages wait`;
    element.textContent = refused
      ? `A page could not be handed in: ${text}`
      : waiting
        ? `${pages} on this device to be handed in. ${text || "The line is down, or the site busy:"} Trying again in ${wait} s.`
        : "";
  };
}

// {ok, json} for a sheet that is handed in, {final, text} for one that never will be, else {text} or null.
async function post({ address, body }) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: new URLSearchParams(body),
      headers: { Accept: "application/json", "HX-Request": "true" },
      keepalive: true,
      redirect: "manual",
    });
    if (answer.ok) return { ok: true, json: await answer.json().catch(() => null) };
    const said = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim();
    return { final: answer.status >= 400 && answer.status < 500 && !MOMENTARY.has(answer.status), text: said };
  } catch {
    return null;
  }
}
