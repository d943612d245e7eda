// Clips of one trial: decoded before anything is heard, started at the same moment, and switched by their gains alone,
// so that a change from one to another has no gap and loses no time.
const FADE_SECONDS = 0.008;
const TICK_MS = 50;

export class Player {
  constructor() {
    this.context = new (window.AudioContext ?? window.webkitAudioContext)();
    this.listeners = new Set();
    this.clear();
  }

  clear() {
    this.stop();
    this.buffers = [];
    this.plays = [];
    this.listened = [];
    this.active = 0;
  }

  // files: ArrayBuffers of encoded audio, one for each place. gains: linear, 1 where left out.
  async load(files, gains = []) {
    this.clear();
    const buffers = await Promise.all(files.map((file) => this.context.decodeAudioData(file)));
    this.buffers = buffers;
    this.levels = buffers.map((_, place) => gains[place] ?? 1);
    this.plays = buffers.map(() => 0);
    this.listened = buffers.map(() => 0);
    this.tell();
  }

  get seconds() {
    return Math.max(0, ...this.buffers.map((buffer) => buffer.duration));
  }

  get playing() {
    return Boolean(this.sources);
  }

  get position() {
    return this.playing ? Math.min(this.seconds, this.context.currentTime - this.began) : this.rest;
  }

  heard(place, share) {
    return this.listened[place] >= share * this.buffers[place].duration;
  }

  // Plays a place: from its beginning when it was not the one that plays, else at the same moment as the one before.
  async play(place) {
    if (!this.buffers.length) return;
    const again = this.playing && place === this.active;
    if (this.playing && !again) return this.turn(place);
    this.stop();
    this.rest = 0;
    this.active = place;
    await this.resume();
  }

  async resume() {
    await this.context.resume();
    if (this.playing || !this.buffers.length) return;
    const start = this.context.currentTime + 0.02;
    const from = this.rest < this.seconds - 0.01 ? this.rest : 0;
    this.began = start - from;
    this.gains = this.buffers.map((_, place) => {
      const gain = this.context.createGain();
      gain.gain.value = place === this.active ? this.levels[place] : 0;
      gain.connect(this.context.destination);
      return gain;
    });
    this.sources = this.buffers.map((buffer, place) => {
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.gains[place]);
      source.start(start, from);
      return source;
    });
    this.marked = from;
    this.plays[this.active] += 1;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tell();
  }

  turn(place) {
    this.mark();
    const now = this.context.currentTime;
    for (const [other, gain] of this.gains.entries()) {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(other === place ? this.levels[place] : 0, now + FADE_SECONDS);
    }
    this.active = place;
    this.plays[place] += 1;
    this.tell();
  }

  pause() {
    const rest = this.position;
    this.stop();
    this.rest = rest;
  }

  stop() {
    if (this.sources) {
      this.mark();
      for (const source of this.sources) source.stop();
      for (const gain of this.gains) gain.disconnect();
      clearInterval(this.timer);
      this.sources = null;
    }
    this.rest = 0;
    this.tell();
  }

  // What was heard since the last mark is added to the clip that was audible.
  mark() {
    const now = this.position;
    const end = this.buffers[this.active].duration;
    this.listened[this.active] += Math.max(0, Math.min(now, end) - Math.min(Math.max(0, this.marked), end));
    this.marked = now;
  }

  tick() {
    this.mark();
    if (this.position >= this.seconds) return this.stop();
    this.tell();
  }

  tell() {
    for (const listener of this.listeners ?? []) listener();
  }
}
