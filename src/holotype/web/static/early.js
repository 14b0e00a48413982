// Runs before anything is painted, so that nothing jumps: what the page looks like where scripts run.
document.documentElement.classList.add("scripted");
try {
  if (JSON.parse(localStorage.getItem("holotype examples"))?.closed) document.documentElement.classList.add("no-examples");
} catch {
  // a browser that keeps nothing: examples are open
}
