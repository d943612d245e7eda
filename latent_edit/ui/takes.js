// Clips beside each other: how one goes on with another at the same moment, and how takes that were kept are called.

// Seconds in one clip -> seconds in another that says the same. Each is given as the rising moments at which its
// phonemes begin, with its length at the end; where they do not correspond, time runs in proportion.
window.sameMoment = (seconds, from, to) => {
  if (from.length !== to.length) [from, to] = [[0, from.at(-1)], [0, to.at(-1)]];
  const next = from.findIndex((moment, place) => place > 0 && seconds <= moment);
  if (next < 0) return to.at(-1);
  const width = from[next] - from[next - 1];
  const share = width > 0 ? Math.max(0, seconds - from[next - 1]) / width : 0;
  return to[next - 1] + share * (to[next] - to[next - 1]);
};

// Play from a place. What is heard goes on until the place is found (sounds.js): no gap. `wanted`: whether it still is.
window.playFrom = (audio, seconds, wanted = () => true) => {
  const play = () => wanted() && audio.play();
  if (audio.readyState > 0) audio.addEventListener("seeked", play, { once: true });
  audio.currentTime = seconds; // before anything is loaded: where it will begin
  if (!audio.readyState) play();
};

// Takes are called by what differs among them; where nothing does, by their prompt, and by a number as well.
window.namedTakes = (cells) => {
  const names = Object.keys(cells[0]?.settings ?? {});
  const differing = names.filter((name) => new Set(cells.map(({ settings }) => settings[name])).size > 1);
  const titled = differing.length ? differing : ["prompt"];
  const short = ["text", "prompt", "voice", "strength", "guidance", "seed"].filter((name) => !titled.includes(name));
  const told = {};
  return cells.map((cell) => {
    const words = (chosen) => chosen.map((name) => cell.settings[name]).join(", ");
    const title = words(titled);
    told[title] = (told[title] ?? 0) + 1;
    const again = told[title] > 1 ? ` (${told[title]})` : "";
    return { ...cell, title: title + again, detail: `${words(short)}, ${cell.seconds.toFixed(1)} s` };
  });
};

// A take is a copy of what the page shows already: it stays with the visitor when the server forgets it.
window.keepTake = async (player, heatmaps, takes, most) => {
  const after = player?.clips?.find((clip) => clip.name === "after");
  const picture = heatmaps?.pictures?.find((shown) => shown.name === "z_edit");
  if (!after || !picture) return [takes, ""];
  const copy = async ({ url }) => ({ url: URL.createObjectURL(await (await fetch(url)).blob()) });
  const [audio, image] = await Promise.all([after.audio, picture.image].map(copy));
  const { settings, moments } = player;
  const take = { clip: "after", settings, audio, image, seconds: after.seconds, moments: moments.map((pair) => pair[1]) };
  const kept = [...(takes?.cells ?? []), take].slice(-most);
  const longest = Math.max(...kept.map((cell) => cell.seconds));
  const cells = window.namedTakes(kept.map((cell) => ({ ...cell, share: (100 * cell.seconds) / longest })));
  const full = takes?.cells.length === most ? "; the oldest made room" : "";
  return [{ columns: 0, cells }, `<p role="status">Kept under Compare: ${kept.length} of at most ${most}${full}.</p>`];
};
