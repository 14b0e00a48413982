// Keys for an auditor's three answers; a box on the page switches them off, and the browser remembers that.
"use strict";
(() => {
  const box = document.getElementById("keys");
  if (!box) return;
  const stored = "holotype-audit-keys";
  try { box.checked = localStorage.getItem(stored) !== "off"; } catch { /* nothing is remembered */ }
  box.closest(".keys").hidden = false;
  box.addEventListener("change", () => {
    try { localStorage.setItem(stored, box.checked ? "on" : "off"); } catch { /* nothing is remembered */ }
  });
  const places = { KeyY: "y", Digit1: "y", KeyN: "n", Digit2: "n", KeyU: "u", Digit3: "u" };
  const letters = { y: "y", n: "n", u: "u", 1: "y", 2: "n", 3: "u" };
  let sent = false;
  document.addEventListener("keyup", (event) => {
    if (!box.checked || sent || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const latin = /^[\x20-\x7e]$/.test(event.key);
    const key = latin ? letters[event.key.toLowerCase()] : places[event.code];
    const button = key && document.querySelector(`button[data-key="${key}"]`);
    if (button) { sent = true; button.click(); }
  });
})();
