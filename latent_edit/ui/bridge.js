// One audio element for each stop, all of the same length, so that moving the slider keeps the place in the sentence.
const sounds = () => [...element.querySelectorAll("audio")];
const slider = () => element.querySelector("[data-action=stop]");
const heard = () => sounds()[Number(slider().value)];
let stop = 0; // the place that is heard and seen
let frame; // the next drawing: one, however many events ask for it

function draw() {
  if (!slider()) return; // another edit has taken the place of this one
  const audio = heard();
  const playing = !audio.paused && !audio.ended;
  const box = element.querySelector(".walk-box");
  box.classList.toggle("playing", playing);
  box.style.setProperty("--played", `${(100 * audio.currentTime) / (audio.duration || 1)}%`);
  box.style.setProperty("--begun", audio.currentTime > 0 ? 1 : 0);
  element.querySelector("[data-action=play]").setAttribute("aria-label", playing ? "Pause" : "Play this step");
  cancelAnimationFrame(frame);
  if (playing) frame = requestAnimationFrame(draw);
}

function show(next) {
  const before = sounds()[stop];
  const playing = !before.paused && !before.ended;
  const { label, image } = props.value.stops[next];
  before.pause();
  sounds()[next].currentTime = before.ended ? 0 : before.currentTime;
  if (playing) sounds()[next].play();
  stop = next;
  slider().value = next;
  slider().setAttribute("aria-valuetext", label);
  element.querySelector("[data-stop]").textContent = label;
  element.querySelector("[data-picture]").src = image.url;
}

element.addEventListener("click", (event) => {
  const action = event.target.closest("[data-action]")?.dataset.action;
  if (action === "ask") trigger("submit");
  if (action === "play") {
    const audio = heard();
    if (audio.paused) audio.play();
    else audio.pause();
  }
});
element.addEventListener("input", (event) => {
  if (event.target.dataset.action === "stop") show(Number(event.target.value));
});
// Media events do not bubble; they are caught on the way down.
for (const kind of ["play", "pause", "ended"]) element.addEventListener(kind, draw, true);
watch("value", () => {
  if (!props.value) return;
  stop = 0;
  for (const { image } of props.value.stops) new Image().src = image.url; // so that the slider does not flicker
  show(props.value.last);
  draw();
  if (document.activeElement === document.body) slider().focus(); // the button that was pressed has gone
});
