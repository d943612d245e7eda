// `props.value`: {prompt, axes, lines, set}. The rows are drawn anew only when another value arrives, not while one moves.
const text = (axis, value) => {
  if (axis.base) return `\u00d7 ${(axis.base ** value).toFixed(2)} ${axis.unit}`.trim();
  if (axis.unit === "%") return `${Math.round(100 * value)} %`;
  return `${value > 0 ? "+" : ""}${value.toFixed(1)} ${axis.unit}`.replace("-", "\u2212");
};
const add = (parent, name, words = "", values = {}) => {
  const made = Object.assign(document.createElement(name), values);
  made.textContent = words;
  parent.append(made);
  return made;
};
let shown = {}; // the value, with what is set by hand
let drawn = "";

// Remarks, and what is asked of which axis, and by which words, as far as one hears it or has set it.
function drawUnderstood() {
  const { axes = [], lines = [], set } = shown;
  const list = element.querySelector(".understood");
  list.replaceChildren();
  lines.forEach((line) => add(list, "li", line));
  for (const axis of axes) {
    if (!axis.named && !(axis.name in set)) continue;
    const item = add(list, "li", "", { className: "asked" });
    add(item, "strong", axis.title);
    const source = axis.name in set ? "by hand" : axis.words;
    item.append(` ${text(axis, set[axis.name] ?? axis.value)}${source && ` (${source})`}`);
  }
  element.querySelector("button").hidden = !Object.keys(set).length;
}

function drawAxes() {
  const { axes = [], set } = shown;
  const rows = element.querySelector(".axes");
  rows.replaceChildren();
  for (const axis of axes) {
    const byHand = axis.name in set;
    const row = add(rows, "label", "", { className: byHand ? "by-hand" : axis.named ? "named" : "" });
    add(row, "span", axis.title);
    const value = set[axis.name] ?? axis.value;
    const { name, low: min, high: max, step } = axis;
    const slider = add(row, "input", "", { type: "range", min, max, step, name });
    slider.value = value;
    slider.setAttribute("aria-valuetext", text(axis, value));
    add(row, "output", text(axis, value));
    add(row, "small", byHand ? "set by hand" : axis.words && `from ${axis.words}`);
  }
}

function drawAll() {
  drawn = JSON.stringify(shown);
  drawUnderstood();
  drawAxes();
}

// Another reading of the same words keeps what was set by hand.
function draw() {
  if (!props.value) return;
  const { prompt, set } = props.value;
  const before = shown.prompt === prompt ? shown.set : {};
  shown = { ...props.value, set: set ?? before };
  if (!set && Object.keys(before).length) props.value = shown;
  if (drawn === JSON.stringify(shown)) return;
  drawAll();
}

element.addEventListener("input", ({ target }) => {
  const axis = (shown.axes ?? []).find(({ name }) => name === target.name);
  if (!axis) return;
  const value = Math.abs(target.value) < axis.step / 2 ? 0 : Number(target.value); // steps from `low` may miss 0 a little
  target.setAttribute("aria-valuetext", text(axis, value));
  const row = target.closest("label");
  row.className = "by-hand";
  row.querySelector("output").textContent = text(axis, value);
  row.querySelector("small").textContent = "set by hand";
  shown = { ...shown, set: { ...shown.set, [axis.name]: value } };
  drawn = JSON.stringify(shown); // the rows stay as they are
  drawUnderstood();
  props.value = shown;
});
element.querySelector("button").addEventListener("click", () => {
  shown = { ...shown, set: {} };
  drawAll();
  props.value = shown;
  element.querySelector("summary").focus(); // the button goes out of sight
});
watch("value", draw);
draw();
