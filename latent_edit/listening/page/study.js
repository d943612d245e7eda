// The way through a study. The server says where a participant is; an answer waits in this browser until the server has
// it on disk, and only then comes the next step.
import { Player } from "./player.js";
import { Trial, make } from "./trial.js";

const pid = new URL(location.href).searchParams.get("pid");
const query = `?pid=${encodeURIComponent(pid)}`;
const key = `listening ${location.pathname} ${pid}`;
const root = document.querySelector("main");
const note = document.querySelector("#note");
const session = identifier();
let player;
let trial;
let told;
let pausedAt;

function identifier() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Browsers may forbid storage; then an answer waits in memory alone.
const memory = new Map();
const kept = {
  get: () => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return memory.get(key) ?? null;
    }
  },
  set: (answer) => {
    memory.set(key, answer);
    try {
      localStorage.setItem(key, JSON.stringify(answer));
    } catch {}
  },
  drop: () => {
    memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {}
  },
};

const wait = (ms) =>
  new Promise((done) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      removeEventListener("online", finish);
      done();
    }
    addEventListener("online", finish);
  });

// Until the server answers, however long that takes; a refusal (4xx) is an answer.
async function ask(address, options = {}) {
  for (let pause = 1000; ; pause = Math.min(10_000, pause * 2)) {
    try {
      const answer = await fetch(address, { cache: "no-store", ...options });
      if (answer.status < 500) {
        note.textContent = "";
        return answer;
      }
    } catch {}
    note.textContent = kept.get()
      ? "No connection. Your answer is kept here and is sent as soon as there is one; please leave this page open."
      : "No connection. Trying again …";
    await wait(pause);
  }
}

async function deliver(answer) {
  const reply = await ask(`api/answer${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(answer),
  });
  kept.drop();
  if (reply.ok) return show(await reply.json());
  const problem = await reply.json().catch(() => ({}));
  await begin();
  note.textContent = problem.error ?? "That answer could not be taken; please give it again.";
}

function submit(answer) {
  const whole = { step: told.step, uuid: identifier(), session, ...answer };
  kept.set(whole);
  deliver(whole);
}

async function begin() {
  const reply = await ask(`api/state${query}`, { method: "POST" });
  if (reply.ok) return show(await reply.json());
  root.replaceChildren(make("p", { textContent: "This address is not valid. Please open the link that you were sent." }));
}

function page(...children) {
  root.replaceChildren(...children);
  root.querySelector("h1")?.focus({ preventScroll: true });
}

const title = (words) => make("h1", { textContent: words, tabIndex: -1 });
const paragraphs = (text) => (text ?? "").split(/\n\s*\n/).filter((part) => part.trim()).map((part) => make("p", { textContent: part }));

function button(words, action) {
  const node = make("button", { type: "button", className: "next", textContent: words });
  node.addEventListener("click", () => {
    node.disabled = true;
    action();
  });
  return node;
}

const screens = {
  consent: () =>
    page(title(told.title), ...paragraphs(told.instructions), ...paragraphs(told.text), button(told.text ? "I agree and take part" : "Begin", () => submit({}))),
  instructions: () =>
    page(title("Next part"), ...paragraphs(told.text), ...(told.practice ? [make("p", { textContent: "It begins with practice that does not count." })] : []), button("Begin this part", () => submit({}))),
  volume: () => hear({ question: "Set your volume: play this and make it comfortable. Then leave it as it is.", labels: ["Play"], next: "My volume is set" }),
  headphones: () =>
    hear({
      question: "With headphones on: you will hear three tones. Which is the quietest?",
      labels: ["Play"],
      choices: ["The first", "The second", "The third"].map((words, place) => [place, words]),
    }),
  trial: () => hear({}),
  questionnaire,
  end,
  full: () => page(title(told.title), make("p", { textContent: "This study has all the listeners it needs. Thank you for coming." })),
};

async function hear(more) {
  player ??= new Player();
  player.clear();
  const mine = new Trial(root, { ...told, ...more }, player, submit);
  trial = mine;
  const files = await Promise.all(told.clips.map(async (address) => (await ask(address + query)).arrayBuffer()));
  if (trial !== mine) return;
  try {
    await player.load(files);
    mine.shown = performance.now();
  } catch {
    note.textContent = "A sound could not be loaded; please reload this page. Your place is kept.";
  }
}

function questionnaire() {
  const form = make("form", { className: "questionnaire" }, title("About you"));
  for (const question of told.questions) {
    const properties = { name: question.id, required: question.required };
    const field =
      question.kind === "choice"
        ? make("select", properties, make("option", { value: "", textContent: "…" }), ...question.options.map((option) => make("option", { textContent: option })))
        : make("input", { ...properties, type: question.kind, maxLength: 1000 });
    form.append(make("label", {}, make("span", { textContent: question.ask }), field));
  }
  const next = make("button", { className: "next", textContent: "Next" });
  form.append(next);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    next.disabled = true;
    submit({ response: Object.fromEntries(new FormData(form)) });
  });
  page(form);
}

function end() {
  const link = make("a", { href: `api/mine${query}`, download: "answers.json", textContent: "Download my answers" });
  page(title("Thank you. That was all."), make("p", {}, "Your code: ", make("strong", { className: "code", textContent: told.code })), make("p", {}, link));
}

function show(next) {
  trial?.end();
  trial = null;
  told = next;
  document.title = told.title;
  const progress = document.querySelector("#progress");
  progress.hidden = told.steps === undefined;
  progress.querySelector("progress").value = told.steps ? told.step / told.steps : 0;
  progress.querySelector("span").textContent = told.steps ? `${told.step} of ${told.steps}` : "";
  document.querySelector("#pause").hidden = ["end", "full", "consent"].includes(told.kind);
  screens[told.kind]();
  scrollTo(0, 0);
}

const dialog = document.querySelector("#paused");
document.querySelector("#pause").addEventListener("click", () => {
  player?.pause();
  pausedAt = performance.now();
  dialog.showModal();
});
dialog.addEventListener("close", () => {
  if (trial) trial.pausedMs += performance.now() - pausedAt;
});

const waiting = kept.get();
if (waiting) deliver(waiting);
else begin();
