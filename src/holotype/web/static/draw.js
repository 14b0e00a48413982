// A page on which one box is drawn, put together.

import { DrawHands, FIRST } from "./boxes/draw_hands.js";
import { DrawSheet } from "./boxes/draw_sheet.js";
import { Surface } from "./boxes/surface.js";
import { Zoom } from "./boxes/zoom.js";
import { forgetOldDrafts } from "./grid/draft.js";
import { Handing } from "./grid/handing.js";
import { read, restore, write } from "./grid/kept.js";
import { Keys, showKeys } from "./grid/keys.js";
import { Report } from "./grid/report.js";

const TOOL = "holotype tool";
const $ = (id) => document.getElementById(id);

// Clicks or drags, as somebody chose last.
function tools(changed) {
  const buttons = [...document.querySelectorAll("[data-tool]")];
  let tool = read(TOOL)?.tool === "drag" ? "drag" : "extreme";
  const paint = () => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tool === tool)));
    document.querySelectorAll("[data-how]").forEach((text) => (text.hidden = text.dataset.how !== tool));
  };
  const choose = (chosen) => {
    tool = chosen;
    write(TOOL, { tool });
    paint();
    changed();
  };
  buttons.forEach((button) => button.addEventListener("click", () => choose(button.dataset.tool)));
  paint();
  return { get: () => tool, other: () => choose(tool === "drag" ? "extreme" : "drag") };
}

function start(form) {
  const picture = $("picture"), sheet = new DrawSheet(form, picture), { drawing } = sheet;
  const tool = tools(() => surface?.paint());
  const surface = new Surface($("surface"), drawing, tool.get);
  const zoom = new Zoom($("view"), $("canvas"), drawing.size, (now) => ($("zoom").textContent = `${Math.round(100 * now)} %`));
  const keys = new Keys("holotype draw keys", FIRST), [keyList, rules, report] = ["keys", "rules", "report"].map($);
  const reporting = report && new Report(report, (text) => sheet.say(text));
  const look = () => {
    if (sheet.phase !== "open" || (picture.complete && picture.naturalWidth && !sheet.isTrue)) surface.stop();
    surface.paint();
  };
  form.addEventListener("drawn", look);
  $("surface").addEventListener("full", () => sheet.say("the box is there: move its edges, or press Esc to draw another"));
  picture.addEventListener("load", () => (sheet.refresh(), check(sheet)));
  picture.addEventListener("error", () => (sheet.refresh(), check(sheet)));
  const handing = new Handing(sheet);
  const closer = () => (drawing.isBox && zoom.isFit ? zoom.round(drawing.edges) : zoom.fit());
  new DrawHands(sheet, keys, [keyList, rules, report].filter(Boolean), {
    handIn: () => handing.handIn(),
    nothing: () => sheet.isOpen && drawing.say(!drawing.now.nothing),
    more: () => sheet.isOpen && form.elements.more.click(),
    tool: tool.other,
    zoom: closer,
    in: () => zoom.step(1),
    out: () => zoom.step(-1),
    help: () => keyList.showModal(),
  });
  showKeys(keyList, keys);
  Object.entries({ "zoom-in": () => zoom.step(1), "zoom-out": () => zoom.step(-1), "zoom-fit": closer }).forEach(([id, act]) =>
    $(id).addEventListener("click", act),
  );
  $("show-keys").addEventListener("click", () => keyList.showModal());
  $("show-rules").addEventListener("click", () => rules.showModal());
  rules.querySelector(".close").addEventListener("click", () => rules.close());
  $("undo").addEventListener("click", () => sheet.undo());
  $("drop").addEventListener("click", () => sheet.isOpen && drawing.drop());
  document.querySelector(".ask-wrong button")?.addEventListener("click", () => reporting.show(""));
  sheet.refresh();
  check(sheet);
}

// A picture of another size than the server knows is not drawn on.
function check(sheet) {
  const { complete, naturalWidth } = sheet.picture;
  if (complete && (!naturalWidth || !sheet.isTrue)) sheet.say(sheet.wanting());
}

await restore();
forgetOldDrafts();
const form = $("sheet");
if (form) {
  start(form);
  form.dataset.ready = "";
}
