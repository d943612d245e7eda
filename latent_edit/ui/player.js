// Gives the markup of player.html its behaviour. gradio calls this once with `element`, `props` and `watch`;
// later edits only patch the markup, so every listener sits on `element` and looks its targets up when needed.
// Words of a visitor are put in here, as text: gradio would run ${...} inside a template as a program.
const clip = (name) => element.querySelector(`[data-clip="${name}"]`);
const sound = (name) => clip(name)?.querySelector("audio");
const other = (name) => (name === "before" ? "after" : "before");
const nameOf = (node) => node.closest("[data-clip]").dataset.clip;
let current = "before"; // the clip heard last
const frames = {}; // the next drawing of each clip: one, however many events ask for it
let shown; // the value before this one
let before = { playing: false, seconds: 0 }; // how far it had been played when it was last drawn

// Seconds in one clip -> seconds in another. The original and before are said in the same time.
function corresponding(seconds, from, to) {
  if ((from === "after") === (to === "after")) return seconds;
  const moments = [...props.value.moments, ["before", "after"].map((name) => sound(name).duration || 0)];
  const [before, after] = [0, 1].map((column) => moments.map((pair) => pair[column]));
  return from === "after" ? window.sameMoment(seconds, after, before) : window.sameMoment(seconds, before, after);
}

// Go on with another clip at the same moment.
function goOn(next) {
  const heard = sound(current);
  const finished = heard.ended || heard.currentTime === 0;
  const place = finished ? 0 : corresponding(heard.currentTime, current, next);
  current = next;
  window.playFrom(sound(next), place, () => current === next);
}

function draw(name) {
  const audio = sound(name);
  if (!audio) return;
  const playing = !audio.paused && !audio.ended;
  const length = audio.duration || 1;
  const card = clip(name);
  const begun = audio.currentTime > 0;
  card.classList.toggle("playing", playing);
  card.classList.toggle("begun", begun);
  // On the root, because the heatmaps show the moment as well.
  const root = document.documentElement.style;
  root.setProperty(`--played-${name}`, `${(100 * audio.currentTime) / length}%`);
  root.setProperty(`--begun-${name}`, begun ? 1 : 0);
  card.querySelector("[data-clock]").textContent = audio.currentTime.toFixed(1);
  card.querySelector("[data-action=play]").setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${name}`);
  const place = card.querySelector("[data-action=seek]");
  place.value = audio.currentTime;
  place.setAttribute("aria-valuetext", `${audio.currentTime.toFixed(1)} of ${length.toFixed(1)} seconds`);
  const label = element.querySelector("[data-flip-label]"); // not there while after is still to come
  if (label) label.textContent = `Switch to ${other(current)}`;
  for (const choice of element.querySelectorAll("[data-action=choose]")) choice.checked = choice.value === current;
  if (name === "before") before = { playing, seconds: audio.currentTime };
  cancelAnimationFrame(frames[name]);
  if (playing) frames[name] = requestAnimationFrame(() => draw(name));
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button?.dataset.action === "flip") goOn(other(current));
  if (button?.dataset.action === "play") {
    const name = nameOf(button);
    if (sound(name).paused) sound(name).play();
    else sound(name).pause();
  }
});
element.addEventListener("change", (event) => {
  if (event.target.dataset.action === "choose") goOn(event.target.value);
});
element.addEventListener("input", (event) => {
  if (event.target.dataset.action !== "seek") return;
  current = nameOf(event.target);
  sound(current).currentTime = Number(event.target.value);
});
// Media events do not bubble; they are caught on the way down.
element.addEventListener("play", (event) => (current = nameOf(event.target)), true);
for (const kind of ["play", "pause", "ended", "seeked", "loadedmetadata"]) {
  element.addEventListener(kind, (event) => draw(nameOf(event.target)), true);
}
// The after of an edit may change the gain of both clips, and so the file of before: it plays on where it was.
function playOn() {
  const { playing, seconds } = before;
  if (!playing || !sound("before").paused) return;
  sound("before").currentTime = seconds;
  sound("before").play();
}

watch("value", () => {
  const reading = shown;
  shown = props.value;
  if (!props.value) return;
  current = "before";
  const seconds = (value) => value.clips.find(({ name }) => name === "before").seconds;
  if (reading && !reading.record && seconds(reading) === seconds(shown)) playOn();
  for (const { name, manner, seconds } of props.value.clips) {
    clip(name).querySelector(".manner").textContent = manner;
    clip(name).querySelector("[data-length]").textContent = seconds.toFixed(1);
    draw(name);
  }
  // Of a link that was opened, after is heard at once, where the browser allows sound that nobody has pressed for.
  if (props.value.record && window.playOnArrival) sound("after").play();
});
