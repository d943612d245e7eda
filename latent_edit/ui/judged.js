element.addEventListener("click", (event) => {
  if (event.target.closest("[data-action=ask]")) trigger("submit");
});
// The button that was pressed goes; the keyboard stays here.
watch("value", () => {
  if (props.value && document.activeElement === document.body) element.querySelector("section").focus();
});
