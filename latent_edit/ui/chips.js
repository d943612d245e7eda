// `props.value` is the chosen preset, or null. The markup never changes; only which radio button is checked does.
const radios = () => element.querySelectorAll("input[type=radio]");
const mark = () => radios().forEach((radio) => (radio.checked = radio.value === props.value));
element.addEventListener("change", (event) => {
  props.value = event.target.value;
  trigger("input");
});
watch("value", mark);
mark();
