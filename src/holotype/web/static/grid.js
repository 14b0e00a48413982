// A page of pictures, put together.

import { forgetOldDrafts } from "./grid/draft.js";
import { Enlarged } from "./grid/enlarged.js";
import { rememberExamples } from "./grid/examples.js";
import { Following } from "./grid/following.js";
import { Handing } from "./grid/handing.js";
import { Hands } from "./grid/hands.js";
import { restore } from "./grid/kept.js";
import { Keys, showKeys } from "./grid/keys.js";
import { Report } from "./grid/report.js";
import { Sheet } from "./grid/sheet.js";

const PREFETCH = 0.7; // of the pictures seen

function start(form) {
  const sheet = new Sheet(form), keys = new Keys();
  const [keyList, report] = ["keys", "report"].map((id) => document.getElementById(id));
  const reporting = report && new Report(report, (text) => sheet.say(text));
  const answers = sheet.phase === "shown" ? null : sheet.answers;
  const enlarged = new Enlarged(document.getElementById("enlarged"), sheet.cells, answers, {
    closed: (at) => sheet.moves.to(at),
    report: (at) => (enlarged.close(), reporting.show(sheet.cells[at].dataset.number)),
  });
  const handing = answers && new Handing(sheet);
  new Hands(sheet, keys, enlarged, [keyList, report].filter(Boolean), () => handing.handIn());
  if (!answers) return;
  form.addEventListener("answered", () => enlarged.paint());
  showKeys(keyList, keys);
  document.getElementById("show-keys").addEventListener("click", () => keyList.showModal());
  document.getElementById("undo").addEventListener("click", () => sheet.undo());
  document.querySelector(".ask-wrong button")?.addEventListener("click", () => reporting.show(""));
  if (sheet.kind === "sheet") prefetch(sheet);
}

function prefetch(sheet) {
  const following = new Following(sheet.form.dataset.following, sheet.form.dataset.page);
  const look = () => sheet.seen.size >= PREFETCH * sheet.cells.length && following.ask();
  sheet.form.addEventListener("looked", look);
  look();
}

await restore();
forgetOldDrafts();
rememberExamples(document.querySelector(".examples"));
const form = document.getElementById("sheet");
if (form) {
  start(form);
  form.dataset.ready = "";
}
