// An edit that is shown is made again when Strength is let go. The browser's own `change` comes from a visitor alone,
// never from a link or an edit.json; the pause makes one edit of several arrow keys. While an edit runs, the button that
// is pressed here does nothing, and the page says that the settings have changed.
{
  const PAUSE = 400; // milliseconds
  let waiting;
  const follow = ({ target }) => {
    if (!target.closest?.("#strength")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (document.querySelector("[data-clip=after]")) document.querySelector("#edit").click();
    }, PAUSE);
  };
  addEventListener("change", follow);
  addEventListener("click", (event) => event.target.closest?.("#strength button") && follow(event)); // back to 1
}
