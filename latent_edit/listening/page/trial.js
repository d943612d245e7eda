// One trial on the screen: clips, the question and its answers. It knows places, never what is played there. Nothing
// can be answered before every clip was heard. Used by the study page and by the blind test of one's own takes.
export function make(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset);
  node.append(...children);
  return node;
}

// Half of a character, which no file can hold, becomes a mark.
const whole = (text) => text.toWellFormed?.() ?? text;
const TYPED = "textarea, input[type=text], input[type=number]";

export class Trial {
  // told: what the server says of a step. submit(answer): called once with the answer.
  constructor(root, told, player, submit) {
    Object.assign(this, { root, told, player, submit });
    this.shown = performance.now();
    this.pausedMs = 0;
    this.choice = undefined;
    this.moved = new Set();
    this.draw();
    this.listener = () => this.update();
    player.listeners.add(this.listener);
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.update();
  }

  end() {
    this.player.listeners.delete(this.listener);
    document.removeEventListener("keydown", this.keys);
    this.player.stop();
  }

  draw() {
    const { told } = this;
    this.form = make("form", { className: `trial ${told.test ?? told.kind}` });
    if (told.practice) this.form.append(make("p", { className: "practice", textContent: "Practice: this one does not count." }));
    this.form.append(make("h1", { textContent: told.question, tabIndex: -1 }));
    this.position = make("progress", { max: 1, value: 0, ariaLabel: "Position" });
    this.buttons = told.labels.map((label, place) => this.clipButton(label, place));
    this.fields = make("fieldset", { disabled: true });
    this.fields.append(make("legend", { className: "hidden", textContent: "Your answer" }));
    if (told.words?.length) this.sliders();
    else this.form.append(make("div", { className: "clips" }, ...this.buttons));
    this.form.append(this.position);
    this.answers();
    if (told.comment) {
      this.comment = make("textarea", { rows: 2, maxLength: 2000, placeholder: "A remark, if you like", ariaLabel: "A remark" });
      this.fields.append(this.comment);
    }
    this.hint = make("p", { className: "hint", role: "status" });
    this.next = make("button", { type: "submit", className: "next", textContent: told.next ?? "Next", disabled: true });
    this.form.append(this.fields, this.hint, this.next);
    this.form.addEventListener("submit", (event) => this.send(event));
    this.root.replaceChildren(this.form);
    this.form.querySelector("h1").focus({ preventScroll: true });
  }

  clipButton(label, place) {
    const button = make("button", { type: "button", className: "clip", dataset: { place } }, make("b", { textContent: label }));
    if (this.told.labels.length > 1) button.append(make("kbd", { textContent: place + 1 }));
    button.addEventListener("click", () => this.player.play(place));
    return button;
  }

  sliders() {
    const { told } = this;
    const rows = this.buttons.map((button, place) => {
      const row = make("div", { className: "row" }, button);
      if (!told.rated.includes(place)) return row;
      const shown = make("output", { textContent: "–" });
      const slider = make("input", { type: "range", min: 0, max: 100, value: 50, disabled: true, ariaLabel: `Rating of ${told.labels[place]}`, dataset: { rated: place } });
      const move = () => {
        this.moved.add(place);
        shown.textContent = slider.value;
        this.update();
      };
      for (const kind of ["input", "change", "pointerup"]) slider.addEventListener(kind, move);
      row.append(slider, shown);
      return row;
    });
    const words = make("div", { className: "words", ariaHidden: "true" }, ...told.words.map((word) => make("span", { textContent: word })));
    this.form.append(words, ...rows);
  }

  answers() {
    const { told } = this;
    const choices = { mos: told.scale, smos: told.scale, emos: told.scale, ccr: told.scale }[told.test] ?? told.choices;
    if (told.test === "ab") this.radios([[0, "A"], ...(told.tie ? [["tie", "No difference"]] : []), [1, "B"]]);
    else if (told.test === "abx") this.radios([[0, "X is A"], [1, "X is B"]]);
    else if (told.test === "identify") this.radios(told.options.map((word, place) => [place, word]));
    else if (told.test === "transcribe") {
      this.words = make("textarea", { rows: 3, maxLength: 2000, spellcheck: false, ariaLabel: "What you heard" });
      this.words.addEventListener("input", () => this.update());
      this.fields.append(this.words);
    } else if (choices) this.radios(choices);
  }

  radios(choices) {
    const group = make("div", { className: "choices" });
    for (const [value, words] of choices) {
      const input = make("input", { type: "radio", name: "answer", value });
      input.addEventListener("change", () => {
        this.choice = value;
        this.update();
      });
      group.append(make("label", {}, input, make("span", { textContent: words })));
    }
    this.fields.append(group);
    this.asks = true;
  }

  get unheard() {
    const { player, told } = this;
    if (player.buffers.length < this.buttons.length) return this.buttons.map((_, place) => place);
    return [...this.buttons.keys()].filter((place) => !player.heard(place, told.listen));
  }

  missing() {
    const { told } = this;
    if (this.player.buffers.length < this.buttons.length) return "Loading …";
    const unheard = this.unheard;
    if (unheard.length) return this.buttons.length > 1 ? `Still to be heard: ${unheard.map((place) => told.labels[place]).join(", ")}.` : "Listen first.";
    if (this.asks && this.choice === undefined) return "Choose an answer.";
    if (this.words && !this.words.value.trim()) return "Type what you heard; “?” if nothing.";
    if (told.words?.length && this.moved.size < told.rated.length) return "Move every slider.";
    return "";
  }

  update() {
    const { player } = this;
    const unheard = this.unheard;
    for (const [place, button] of this.buttons.entries()) {
      const on = player.playing && player.active === place;
      button.classList.toggle("on", on);
      button.classList.toggle("heard", !unheard.includes(place));
      button.disabled = player.buffers.length < this.buttons.length;
      button.setAttribute("aria-pressed", on);
    }
    this.position.value = player.seconds ? player.position / player.seconds : 0;
    const open = !unheard.length;
    if (open && this.fields.disabled) {
      this.fields.disabled = false;
      for (const slider of this.form.querySelectorAll("[data-rated]")) slider.disabled = false;
      if ([document.body, this.form.querySelector("h1")].includes(document.activeElement)) this.form.querySelector("fieldset input, fieldset textarea, [data-rated]")?.focus();
    }
    const missing = this.missing();
    if (this.hint.textContent !== missing) this.hint.textContent = missing;
    this.next.disabled = Boolean(missing) || this.sent;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(TYPED)) return;
    const place = Number(event.key) - 1;
    if (this.buttons[place]) {
      event.preventDefault();
      this.player.play(place);
    } else if (event.key === " " && !event.target.matches?.("button, input, summary, a")) {
      event.preventDefault();
      if (this.player.playing) this.player.pause();
      else this.player.resume();
    }
  }

  response() {
    const { told } = this;
    if (told.words?.length) return told.rated.map((place) => Number(this.form.querySelector(`[data-rated="${place}"]`).value));
    if (this.words) return whole(this.words.value);
    return this.choice ?? null;
  }

  send(event) {
    event.preventDefault();
    if (this.sent || this.missing()) return;
    this.sent = true;
    this.player.stop();
    this.update();
    this.submit({
      response: this.response(),
      comment: whole(this.comment?.value ?? ""),
      reaction_ms: Math.round(performance.now() - this.shown - this.pausedMs),
      plays: [...this.player.plays],
      listened: this.player.listened.map((seconds) => Math.round(seconds * 1000) / 1000),
    });
  }
}
