// What somebody ticked on a page and has not handed in: kept on this device, the same in all tabs.

import { forget, keys, read, write } from "./kept.js";

const PREFIX = "holotype draft ";
const LONGEST = 14 * 86_400_000; // milliseconds for which a draft is kept

export class Draft {
  // `heard` gets what another tab tells of the same page: {kind: "draft" | "handed in", answers}.
  constructor(page, worker, heard) {
    this.key = `${PREFIX}${worker} ${page}`;
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(this.key) : null;
    this.channel?.addEventListener("message", (event) => heard(event.data));
  }

  read() {
    return read(this.key);
  }

  // Whether it is kept; `mine` are {answers, seen, ms}.
  write(mine) {
    return write(this.key, mine);
  }

  tell(kind, answers) {
    this.channel?.postMessage({ kind, answers });
  }

  async forget() {
    await forget(this.key);
  }
}

export function forgetOldDrafts() {
  for (const key of keys(PREFIX)) {
    if (!(Date.now() - (read(key)?.at ?? 0) < LONGEST)) forget(key);
  }
}
