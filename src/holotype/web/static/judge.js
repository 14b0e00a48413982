// A page of boxes that are judged, put together.

import { Closer } from "./boxes/closer.js";
import { JudgeHands } from "./boxes/judge_hands.js";
import { JudgeSheet } from "./boxes/judge_sheet.js";
import { forgetOldDrafts } from "./grid/draft.js";
import { Handing } from "./grid/handing.js";
import { restore } from "./grid/kept.js";
import { Keys, showKeys } from "./grid/keys.js";
import { Report } from "./grid/report.js";

const $ = (id) => document.getElementById(id);

// The keys at first, as the list of keys has them.
function firstKeys(list) {
  const rows = [...list.querySelectorAll("[data-action]")];
  return Object.fromEntries(rows.map((row) => [row.dataset.action, row.dataset.key]));
}

function start(form) {
  const sheet = new JudgeSheet(form), [keyList, rules, report] = ["keys", "rules", "report"].map($);
  const keys = new Keys(`holotype ${form.dataset.kind} keys`, firstKeys(keyList));
  const closer = new Closer($("enlarged"), sheet, (at) => sheet.to(at));
  form.addEventListener("answered", () => closer.paint());
  const handing = new Handing(sheet);
  new JudgeHands(sheet, keys, closer, [keyList, rules, report].filter(Boolean), () => handing.handIn());
  showKeys(keyList, keys);
  $("show-keys").addEventListener("click", () => keyList.showModal());
  $("show-rules").addEventListener("click", () => rules.showModal());
  rules.querySelector(".close").addEventListener("click", () => rules.close());
  $("undo").addEventListener("click", () => sheet.undo());
  const reporting = report && new Report(report, (text) => sheet.say(text));
  document.querySelector(".ask-wrong button")?.addEventListener("click", () => reporting.show(""));
}

await restore();
forgetOldDrafts();
const form = $("sheet");
if (form) {
  if (!("done" in form.dataset)) start(form);
  form.dataset.ready = "";
}
