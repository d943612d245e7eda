element.addEventListener("click", (event) => {
  if (event.target.closest("[data-action=ask]")) trigger("submit");
});
