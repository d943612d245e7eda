// Gives the markup of grid.html its behaviour. Words of a visitor are put in here, as text: gradio would run ${...}
// inside a template as a program.
const cells = () => [...element.querySelectorAll("[data-cell]")];
const index = (node) => cells().indexOf(node.closest("[data-cell]"));

const frames = new WeakMap();
let shown = []; // the titles of the cells
let heard; // the place of the clip that plays, and its seconds when it was last drawn
let wanted; // the clip that was pressed last

function draw(cell) {
  const audio = cell.querySelector("audio");
  const playing = !audio.paused && !audio.ended;
  cell.classList.toggle("playing", playing);
  if (playing) heard = { place: cells().indexOf(cell), seconds: audio.currentTime };
  else if (heard?.place === cells().indexOf(cell)) heard = null;
  cell.querySelector(".plate i").style.left = `${(100 * audio.currentTime) / (audio.duration || 1)}%`;
  cell.querySelector(".plate i").style.opacity = audio.currentTime > 0 ? 1 : 0;
  const title = cell.querySelector("h3").textContent;
  cell.querySelector("[data-action=play]").setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${title}`);
  cancelAnimationFrame(frames.get(cell)); // one drawing, however many events ask for it
  if (playing) frames.set(cell, requestAnimationFrame(() => draw(cell)));
}

// The moments of a cell in its own seconds; without phonemes only its beginning and end.
const momentsOf = ({ moments, seconds }) => [...(moments ?? [0]), seconds];
const sentenceOf = ({ settings }) => settings?.text; // only takes that were kept may differ in it

// Play a cell: while another says the same sentence, from the moment where that one is.
function play(audio, place) {
  wanted = audio;
  const from = heard && props.value.cells[heard.place];
  const to = props.value.cells[place];
  if (!from || sentenceOf(from) !== sentenceOf(to)) return audio.play();
  const seconds = cells()[heard.place].querySelector("audio").currentTime;
  window.playFrom(audio, window.sameMoment(seconds, momentsOf(from), momentsOf(to)), () => wanted === audio);
}

function fill() {
  const described = props.value?.cells ?? [];
  const { about, fixed } = props.value ?? {};
  for (const [name, words] of [["about", about], ["fixed", fixed && `Held fixed: ${fixed}.`]]) {
    const line = element.querySelector(`.${name}`);
    if (line) line.textContent = words ?? "";
  }
  cells().forEach((cell, place) => {
    const { title, detail } = described[place];
    cell.querySelector("h3").textContent = title;
    cell.querySelector(".detail").textContent = detail;
    cell.querySelector("img").alt = `Heatmap of ${title}`;
    cell.querySelector("[data-action=remove]").setAttribute("aria-label", `Remove ${title}`);
    const link = cell.querySelector("[data-download]");
    link.download = `${title}.wav`; // of a copy in the browser; the server names its own files
    link.setAttribute("aria-label", `Download WAV of ${title}`);
    draw(cell);
  });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  if (button.dataset.action === "remove") {
    const place = index(button);
    const left = props.value.cells.filter((_, other) => other !== place);
    props.value = left.length ? { ...props.value, cells: window.namedTakes(left) } : null;
    requestAnimationFrame(() => {
      fill(); // the markup is drawn after `watch` when the value is set from here
      (cells()[place] ?? cells().at(-1))?.querySelector("[data-action=remove]").focus(); // the keyboard stays there
    });
    return;
  }
  const audio = button.closest("[data-cell]").querySelector("audio");
  if (audio.paused) play(audio, index(button));
  else audio.pause();
});
// Media events do not bubble; they are caught on the way down.
for (const kind of ["play", "pause", "ended", "seeked", "loadedmetadata"]) {
  element.addEventListener(kind, (event) => draw(event.target.closest("[data-cell]")), true);
}
// One more cell may change the gain of all, and so their files: the clip that plays goes on where it was.
function playOn() {
  const audio = heard && cells()[heard.place]?.querySelector("audio");
  if (!audio?.paused) return;
  audio.currentTime = heard.seconds;
  audio.play();
}

watch("value", () => {
  const before = shown;
  shown = props.value?.cells?.map(({ title }) => title) ?? [];
  if (before.length && before.every((title, place) => title === shown[place])) playOn();
  fill();
});
fill();
