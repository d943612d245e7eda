// `props.value` is the chosen word, or "". The markup never changes, only which of its radio buttons is checked.
const mark = () => element.querySelectorAll("input").forEach((radio) => (radio.checked = radio.value === props.value));
element.addEventListener("change", (event) => {
  props.value = event.target.value;
  trigger("input");
});
watch("value", mark);
mark();
