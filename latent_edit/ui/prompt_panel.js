// `props.value`: {axes, lines, set}. The rows are drawn anew only when another reading arrives, not while one is moved.
const text = (axis, value) => {
  if (axis.base) return `\u00d7 ${(axis.base ** value).toFixed(2)} ${axis.unit}`;
  if (axis.unit === "%") return `${Math.round(100 * value)} %`;
  return `${value > 0 ? "+" : ""}${value.toFixed(1)} ${axis.unit}`.replace("-", "\u2212");
};
const add = (parent, name, words = "", values = {}) => {
  const made = Object.assign(document.createElement(name), values);
  made.textContent = words;
  parent.append(made);
  return made;
};
let drawn = null;
const draw = () => {
  const { axes = [], lines = [], set = {} } = props.value ?? {};
  if (drawn === axes || (drawn && JSON.stringify(drawn) === JSON.stringify(axes) && Object.keys(set).length)) return;
  drawn = axes;
  const list = element.querySelector(".understood");
  list.replaceChildren();
  lines.forEach((line) => add(list, "li", line));
  const rows = element.querySelector(".axes");
  rows.replaceChildren();
  axes.forEach((axis) => {
    const row = add(rows, "label", "", { className: axis.named ? "named" : "" });
    add(row, "span", axis.title);
    const value = set[axis.name] ?? axis.value;
    const { name, low: min, high: max, step } = axis;
    const slider = add(row, "input", "", { type: "range", min, max, step, name });
    slider.value = value;
    slider.setAttribute("aria-valuetext", text(axis, value));
    add(row, "output", text(axis, value));
    add(row, "small", axis.words && `from ${axis.words}`);
  });
};
element.addEventListener("input", ({ target }) => {
  const axis = (props.value?.axes ?? []).find(({ name }) => name === target.name);
  if (!axis) return;
  const value = Math.abs(target.value) < axis.step / 2 ? 0 : Number(target.value); // steps from `low` may miss 0 a little
  target.setAttribute("aria-valuetext", text(axis, value));
  const row = target.closest("label");
  row.querySelector("output").textContent = text(axis, value);
  row.querySelector("small").textContent = "set by hand";
  props.value = { ...props.value, set: { ...props.value.set, [axis.name]: value } };
});
watch("value", draw);
draw();
