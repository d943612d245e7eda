// Fills the monitor. What participants wrote, their ids too, is put in as text.
const reply = await fetch("monitor/state", { cache: "no-store" });
const { title, needed, participants, cells } = await reply.json();
const done = participants.filter((one) => one.finished).length;
document.querySelector("#title").textContent = title;
document.querySelector("#summary").textContent = `${done} finished of ${needed} needed; ${participants.length} came.`;

function fill(id, rows) {
  const body = document.querySelector(id);
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().textContent = value ?? "";
  }
}
const short = (time) => time?.slice(0, 19).replace("T", " ");
fill("#participants", participants.map((one) => [one.number + 1, one.participant, short(one.started), one.answered, short(one.finished), one.removed_for.join("; ") || "stays"]));
fill("#cells", cells.map((cell) => [cell.block, cell.item, cell.conditions.join(", "), cell.given, cell.finished]));
