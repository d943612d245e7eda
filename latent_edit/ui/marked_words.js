// `props.value`: {words, marked}: the words as they are read, and which of them are changed, such as "3-5"; "" is all.
let drawn = "";
const range = () => (props.value?.marked || "").split("-").map(Number).filter(Boolean);
const mark = (first, last) => {
  props.value = { ...props.value, marked: first ? (first === last ? `${first}` : `${first}-${last}`) : "" };
};

function draw() {
  const words = props.value?.words ?? [];
  const [first = 0, last = first] = range();
  const group = element.querySelector("div");
  if (drawn !== JSON.stringify(words)) {
    drawn = JSON.stringify(words);
    group.replaceChildren(...words.map((word) => Object.assign(document.createElement("button"), { type: "button", textContent: word })));
  }
  [...group.children].forEach((button, index) => button.setAttribute("aria-pressed", index + 1 >= first && index < last));
  element.querySelector(".remark button").hidden = !first;
  if (first) element.querySelector("details").open = true;
}

// The first word marks itself, another one stretches the range to it; a word inside begins anew, the only one clears.
element.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const word = [...element.querySelector("div").children].indexOf(button) + 1; // 0: "All words", which goes out of sight
  if (!word) element.querySelector("summary").focus();
  const [first = 0, last = first] = range();
  if (!word || (word === first && word === last)) mark(0);
  else if (!first || (word >= first && word <= last)) mark(word, word);
  else mark(Math.min(word, first), Math.max(word, last));
  draw();
});
watch("value", draw);
draw();
