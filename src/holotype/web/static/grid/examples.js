// Whether the examples are open is remembered.

import { write } from "./kept.js";

export function rememberExamples(details) {
  if (!details) return;
  const root = document.documentElement;
  if (root.classList.contains("no-examples")) details.open = false;
  details.addEventListener("toggle", () => {
    root.classList.toggle("no-examples", !details.open);
    write("holotype examples", { closed: !details.open });
  });
}
