// What holds for every sound of the page, whichever part it belongs to. Media events do not bubble; they are caught on
// the way down.
addEventListener("play", ({ target }) => {
  for (const other of document.querySelectorAll("audio")) if (other !== target) other.pause(); // one at a time
}, true);

// Sounds leave the server after a while.
addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLAudioElement) || !target.closest(".part")) return; // not a visitor's own clip
  document.querySelector(".expired")?.remove();
  const told = document.createElement("p");
  told.className = "expired";
  told.setAttribute("role", "alert");
  told.textContent = "This sound is no longer kept on the server: make it again.";
  (document.querySelector(".gradio-container") ?? document.body).append(told); // where the stylesheet reaches
  setTimeout(() => told.remove(), 8000);
}, true);

// The promise of play() breaks when one pauses before the sound has begun, or where a browser wants a press first, which
// is no fault, and when the sound is not there, which is told above.
addEventListener("unhandledrejection", (event) => {
  if (["AbortError", "NotAllowedError", "NotSupportedError"].includes(event.reason?.name)) event.preventDefault();
});
