// A blind test of kept takes: pairs in both orders, or all side by side, equally loud. Everything stays in this browser.
import { Player } from "./player.js";
import { Trial, make } from "./trial.js";

const ROUNDS = 6; // of every pair, half in each order
const Z = 1.959964; // two-sided 95 %
const main = document.querySelector("main");
const player = new Player();
let takes;
let current;

const shuffled = (list) => {
  const left = [...list];
  for (let place = left.length - 1; place > 0; place -= 1) {
    const other = Math.floor(Math.random() * (place + 1));
    [left[place], left[other]] = [left[other], left[place]];
  }
  return left;
};
const button = (words, action, look = "next") => {
  const node = make("button", { type: "button", className: look, textContent: words });
  node.addEventListener("click", action);
  return node;
};
const place = (list) => {
  const box = make("p", { className: "clips" });
  box.append(...list);
  return box;
};

// Integrated loudness in LUFS (ITU-R BS.1770-4): K-weighting, blocks of 0.4 s, gates at -70 and 10 below the mean.
async function loudness(buffer) {
  const offline = new OfflineAudioContext(1, buffer.length, buffer.sampleRate);
  const source = offline.createBufferSource();
  source.buffer = buffer;
  const shelf = new BiquadFilterNode(offline, { type: "highshelf", frequency: 1500, gain: 4 });
  const pass = new BiquadFilterNode(offline, { type: "highpass", frequency: 38, Q: -6 });
  source.connect(shelf).connect(pass).connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  const size = Math.min(samples.length, Math.round(0.4 * buffer.sampleRate));
  const powers = [];
  for (let from = 0; from + size <= samples.length; from += Math.max(1, size >> 2)) {
    let sum = 0;
    for (let at = from; at < from + size; at += 1) sum += samples[at] ** 2;
    powers.push(sum / size);
  }
  const level = (list) => -0.691 + 10 * Math.log10(list.reduce((sum, power) => sum + power, 0) / list.length);
  const heard = powers.filter((power) => level([power]) > -70);
  const gate = level(heard) - 10;
  return level(heard.filter((power) => level([power]) > gate));
}

async function load(cells) {
  const files = await Promise.all(cells.map(async ({ audio }) => (await fetch(audio.url)).arrayBuffer()));
  const buffers = await Promise.all(files.map((file) => player.context.decodeAudioData(file.slice(0))));
  const levels = await Promise.all(buffers.map(loudness));
  const quietest = Math.min(...levels);
  takes = cells.map((cell, number) => ({
    name: `${number + 1}: ${cell.title}`,
    file: files[number],
    gain: 10 ** ((quietest - levels[number]) / 20), // down to the quietest, so that nothing can clip
  }));
}

window.begin = async (cells) => {
  main.replaceChildren(make("p", { textContent: "Loading …" }));
  await load(cells);
  const question = make("input", { type: "text", value: "Which do you prefer?", maxLength: 200 });
  const pairs = (takes.length * (takes.length - 1)) / 2;
  main.replaceChildren(
    make("h1", { textContent: "Blind test of my takes" }),
    make("p", { textContent: `${takes.length} takes, equally loud and in hidden order. Play them with the keys 1, 2, …; the space bar pauses. You can answer when all were heard.` }),
    make("label", {}, "Question ", question),
    place([
      button(`Pairs: A or B, ${pairs * ROUNDS} trials`, () => runPairs(question.value)),
      button("All side by side", () => runMany(question.value)),
    ]),
    saving(),
  );
};

// Shows trials one after the other; resolves to their answers.
async function run(trials) {
  const answers = [];
  for (const [number, told] of trials.entries()) {
    const answer = await new Promise((done) => {
      player.clear();
      current = new Trial(main, { listen: 0.8, ...told, question: `${told.question} (${number + 1} of ${trials.length})` }, player, done);
      player.load(told.order.map((take) => takes[take].file.slice(0)), told.order.map((take) => takes[take].gain));
    });
    current.end();
    answers.push({ ...answer, order: told.order });
  }
  return answers;
}

async function runPairs(question) {
  const trials = [];
  for (let one = 0; one < takes.length; one += 1) {
    for (let two = one + 1; two < takes.length; two += 1) {
      for (let round = 0; round < ROUNDS; round += 1) {
        trials.push({ kind: "trial", test: "ab", tie: true, labels: ["A", "B"], rated: [0, 1], question, order: round % 2 ? [two, one] : [one, two] });
      }
    }
  }
  const answers = await run(shuffled(trials));
  const rows = new Map();
  for (const { order, response } of answers) {
    const [one, two] = [...order].sort((a, b) => a - b);
    const row = rows.get(`${one} ${two}`) ?? { one, two, wins: 0, losses: 0, ties: 0 };
    if (response === "tie") row.ties += 1;
    else if (order[response] === one) row.wins += 1;
    else row.losses += 1;
    rows.set(`${one} ${two}`, row);
  }
  const lines = [...rows.values()].map((row) => {
    const [low, high] = wilson(row.wins, row.wins + row.losses);
    const share = row.wins + row.losses ? `${percent(row.wins / (row.wins + row.losses))} (${percent(low)} to ${percent(high)})` : "only ties";
    return [takes[row.one].name, row.wins, takes[row.two].name, row.losses, row.ties, share];
  });
  result(
    ["Take", "chosen", "against", "chosen", "no difference", "share of the first, with the 95 % interval"],
    lines,
    answers.map(({ order, response, ...rest }) => ({ shown: order, answer: response === "tie" ? "no difference" : takes[order[response]].name, ...rest })),
    "Intervals are Wilson's binomial ones over decided trials of one listener.",
  );
}

async function runMany(question) {
  const order = shuffled(takes.keys());
  const labels = order.map((_, number) => String.fromCharCode(65 + number));
  const [answer] = await run([{ kind: "trial", test: "multi", words: ["Bad", "Poor", "Fair", "Good", "Excellent"], labels, rated: [...order.keys()], question, order }]);
  const ratings = order.map((take, number) => [takes[take].name, answer.response[number]]).sort((a, b) => b[1] - a[1]);
  const beaten = ratings.map(([name, value]) => {
    const wins = ratings.filter((other) => other[0] !== name && other[1] < value).length;
    const met = ratings.filter((other) => other[0] !== name && other[1] !== value).length;
    const [low, high] = wilson(wins, met);
    return [name, value, met ? `${wins} of ${met} (${percent(low)} to ${percent(high)})` : "none decided"];
  });
  result(["Take", "rating", "rated above others, with the 95 % interval"], beaten, [{ shown: order, answer: answer.response, ...answer }], "Intervals are Wilson's binomial ones over decided pairs of one listener.");
}

const percent = (share) => `${Math.round(100 * share)} %`;

// Wilson's 95 % interval of a binomial share (1927, JASA 22); everything from 0 to 1 when nothing was counted.
function wilson(hits, trials) {
  if (!trials) return [0, 1];
  const share = hits / trials;
  const middle = (share + Z ** 2 / (2 * trials)) / (1 + Z ** 2 / trials);
  const half = (Z * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))) / (1 + Z ** 2 / trials);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function result(names, lines, answers, remark) {
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const name of names) head.append(make("th", { textContent: name }));
  const body = table.createTBody();
  for (const line of lines) {
    const row = body.insertRow();
    for (const value of line) row.insertCell().textContent = value;
  }
  const rows = answers.map((one, number) => [number + 1, one.shown.map((take) => takes[take].name).join(" | "), one.answer, one.reaction_ms, one.plays.join(" "), one.shown.map((take) => (20 * Math.log10(takes[take].gain)).toFixed(2)).join(" ")]);
  const csv = [["trial", "shown", "answer", "reaction_ms", "plays", "gain_db"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
  main.replaceChildren(make("h1", { textContent: "What you chose" }), table, make("p", { className: "hint", textContent: remark }), place([button("Download answers (CSV)", () => download("blind-test.csv", new Blob([csv], { type: "text/csv" })), "")]), saving());
}

// No text can start a formula in a spreadsheet; numbers, such as gains, stay numbers.
function cell(value) {
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  const formula = /^\s*[=+@-]/.test(text) && !/^[-\d. ]+$/.test(text);
  return `"${(formula ? `'${text}` : text).replaceAll('"', '""')}"`;
}

function download(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const saving = () => place([button("Save as a study", saveStudy, ""), button("Save for webMUSHRA", saveWebmushra, "")]);
const text = (words) => new TextEncoder().encode(`${words}\n`);
const json = (content) => text(JSON.stringify(content, null, 2)); // which is YAML as well

function saveFiles(folder, files) {
  const about = takes.map(({ name }, number) => `take-${number + 1}: ${name}`).join("\n");
  const all = [...files, ["takes.txt", text(about)]].map(([path, bytes]) => [`${folder}/${path}`, bytes]);
  download(`${folder}.zip`, zipped(all));
}

// study.yaml and a folder for each take, as `listening render` takes them.
function saveStudy() {
  const names = takes.map((_, number) => `take-${number + 1}`);
  const study = {
    id: "my-takes",
    title: "Which do you prefer?",
    conditions: Object.fromEntries(names.map((name) => [name, { source: "folder", folder: name }])),
    items: [{ id: "sentence" }],
    blocks: [{ id: "preference", test: "ab", question: "Which do you prefer?", conditions: names }],
  };
  saveFiles("my-takes", [["study.yaml", json(study)], ...names.map((name, number) => [`${name}/sentence.wav`, new Uint8Array(takes[number].file)])]);
}

// A configuration with a page for every pair, and the sounds, to be copied into a webMUSHRA.
function saveWebmushra() {
  const sounds = takes.map((_, number) => `configs/resources/audio/my-takes-${number + 1}.wav`);
  const looks = { type: "paired_comparison", name: "A or B", unforced: "No difference", showWaveform: false, enableLooping: false };
  const pairs = sounds.flatMap((one, first) => sounds.slice(first + 1).map((two, gap) => ({ ...looks, id: `pair-${first + 1}-${first + gap + 2}`, content: "Which do you prefer?", stimuli: { C1: one, C2: two } })));
  const config = {
    testname: "My takes", testId: "my-takes", bufferSize: 2048, stopOnErrors: true, showButtonPreviousPage: false, remoteService: "service/write.php",
    pages: [["random", ...pairs], { type: "finish", name: "Thank you", content: "", showResults: true, writeResults: true }],
  };
  saveFiles("my-takes-webmushra", [["configs/my-takes.yaml", json(config)], ...sounds.map((path, number) => [path, new Uint8Array(takes[number].file)])]);
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
const checksum = (bytes) => ~bytes.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;

// A ZIP archive of stored files (PKWARE APPNOTE 4.3), dated 1 January 1980.
function zipped(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  const record = (size, fields) => {
    const view = new DataView(new ArrayBuffer(size));
    for (const [at, width, value] of fields) view[width === 4 ? "setUint32" : "setUint16"](at, value, true);
    return new Uint8Array(view.buffer);
  };
  for (const [name, bytes] of files) {
    const path = new TextEncoder().encode(name);
    const [crc, size] = [checksum(bytes), bytes.length];
    const head = record(30, [[0, 4, 0x04034b50], [4, 2, 20], [6, 2, 0x800], [12, 2, 33], [14, 4, crc], [18, 4, size], [22, 4, size], [26, 2, path.length]]);
    parts.push(head, path, bytes);
    directory.push(record(46, [[0, 4, 0x02014b50], [4, 2, 20], [6, 2, 20], [8, 2, 0x800], [14, 2, 33], [16, 4, crc], [20, 4, size], [24, 4, size], [28, 2, path.length], [42, 4, offset]]), path);
    offset += head.length + path.length + size;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, [[0, 4, 0x06054b50], [8, 2, files.length], [10, 2, files.length], [12, 4, length], [16, 4, offset]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
