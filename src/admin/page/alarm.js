// alarm.js - panics: the banner, who has acknowledged them in this browser, and the sounds.

import { byId, el, foreign, keep, recall } from "./dom.js";
import { isWaiting } from "./model.js";
import { age, callName, tick } from "./rows.js";
import { Turn } from "./turn.js";

const REPEAT_MS = 30_000;
const BANNERS_MAX = 4;
const KEPT_MAX = 500; // acknowledgements: of a panic that ended while no board was open, one stays behind
const MODES = ["off", "panic", "all"];
const WORDS = { off: "Sound off", panic: "Sound: panic", all: "Sound: panic, 911" };

// ---- sounds, made here: there is no file ----

class Sound {
  // changed(): whether there is sound may be another matter now.
  constructor(button, changed) {
    this.button = button;
    this.changed = changed;
    this.mode = recall("sound", "off");
    if (!MODES.includes(this.mode)) this.mode = "off";
    button.addEventListener("click", () => this.next());
    // Browsers let a page sound only after somebody did something on it.
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => this.wake(), { passive: true });
    addEventListener("storage", ({ key }) => key === "board.sound" && this.follow(recall("sound", "off")));
    this.wake();
    this.show();
  }

  // Another window of this browser: off is off in all of them; on is what nobody asked of this one.
  follow(mode) {
    if (this.mode === "off" || !MODES.includes(mode)) return;
    this.mode = mode;
    this.show();
  }

  wake() {
    if (this.mode === "off") return;
    this.context ??= new AudioContext();
    this.context.onstatechange = () => this.show();
    if (this.context.state === "suspended") this.context.resume().then(() => this.show(), () => this.show());
  }

  get silent() {
    return this.mode === "off" || this.blocked;
  }

  get blocked() {
    return this.mode !== "off" && this.context?.state !== "running";
  }

  next() {
    if (!(this.blocked && this.context)) this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length];
    keep("sound", this.mode);
    this.wake();
    this.show();
    if (this.mode !== "off") this.play([[660, 0.08]], "sine", 0.1);
  }

  show() {
    const text = this.blocked ? "Sound blocked: click" : WORDS[this.mode];
    if (this.button.textContent !== text) this.button.textContent = text;
    this.button.dataset.mode = this.blocked ? "blocked" : this.mode;
    this.changed();
  }

  // notes: [[hertz, seconds], …], one after the other.
  play(notes, shape, loud) {
    const { context } = this;
    if (!context || context.state !== "running") return;
    const oscillator = context.createOscillator(), gain = context.createGain();
    let at = context.currentTime + 0.02;
    oscillator.type = shape;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(loud, at + 0.01);
    for (const [hertz, seconds] of notes) {
      oscillator.frequency.setValueAtTime(hertz, at);
      at += seconds;
    }
    gain.gain.setValueAtTime(loud, at - 0.02);
    gain.gain.linearRampToValueAtTime(0, at);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start();
    oscillator.stop(at + 0.05);
  }

  panic() {
    if (this.mode !== "off") this.play(Array.from({ length: 10 }, (_, i) => [i % 2 ? 740 : 1175, 0.14]), "square", 0.18);
  }

  call911() {
    if (this.mode === "all") this.play([[784, 0.16], [988, 0.28]], "sine", 0.25);
  }
}

// ---- the banner ----

const panicOf = unit => `${unit.key} ${unit.panic_since ?? ""}`;

export class Alarm {
  constructor() {
    this.place = byId("panics");
    this.units = [];
    this.acknowledged = new Set(recall("acknowledged", []));
    this.community = null;
    this.last = -REPEAT_MS; // when this window sounded
    this.turns = { panic: new Turn("panic", () => this.repeat()), call911: new Turn("911", () => {}) };
    this.sound = new Sound(byId("sound"), () => this.takeTurns());
    this.shown = "";
    this.seen = new Set(); // panics of all communities
    addEventListener("storage", ({ key }) => { // another tab of this browser
      if (key !== "board.acknowledged") return;
      this.acknowledged = new Set(recall("acknowledged", []));
      this.again?.();
    });
    setInterval(() => this.repeat(), 1000);
  }

  get unheard() {
    return this.units.filter(unit => !this.acknowledged.has(panicOf(unit)));
  }

  // Only a window that can sound, and hears the daemon, keeps others quiet.
  takeTurns() {
    const able = this.sound && !this.sound.silent && !this.resting;
    this.turns.panic.want(able ? this.community : null);
    this.turns.call911.want(able && this.sound.mode === "all" ? this.community : null);
  }

  // A window that nobody looks at is told nothing after a while.
  rest(resting) {
    this.resting = resting;
    this.takeTurns();
  }

  // units: those in panic that this board is for. community: that is shown, "" for all.
  update(model, units, community) {
    this.units = units;
    this.community = community;
    this.takeTurns();
    this.again = () => {
      this.draw(model);
      this.ring();
    };
    this.forgetEnded(model);
    this.again();
  }

  ring() {
    const fresh = this.unheard.map(panicOf).filter(panic => !this.rung?.has(panic));
    this.rung = new Set(this.units.map(panicOf));
    if (fresh.length) void this.cry();
  }

  async cry() {
    if (!this.turns.panic.mine) return; // if it becomes so, repeat() sees to it
    this.last = performance.now();
    if (await this.turns.panic.isMine()) this.sound.panic();
  }

  repeat() {
    if (this.unheard.length && performance.now() - this.last >= REPEAT_MS) void this.cry();
  }

  async cry911() {
    if (await this.turns.call911.isMine()) this.sound.call911();
  }

  // calls: all of the community, whatever the filter lets through. settled: one that is new here came just now.
  ring911(calls, community, settled) {
    const known = this.community === community ? this.calls : null;
    if (settled && known && calls.some(call => isWaiting(call) && !known.has(call.key))) void this.cry911();
    this.calls = new Set(calls.map(call => call.key));
    this.community = community;
  }

  // Other tabs write as well, and show other communities, or an older state: each adds what was acknowledged in it, and
  // takes away what it saw itself, and sees no more.
  write(change) {
    const acknowledged = new Set(recall("acknowledged", []));
    change(acknowledged);
    this.acknowledged = acknowledged;
    keep("acknowledged", [...acknowledged].slice(-KEPT_MAX));
  }

  // One that was acknowledged and has ended is no matter any more.
  forgetEnded(model) {
    const present = new Set(model.panics(() => true).map(panicOf));
    const ended = [...this.seen].filter(panic => !present.has(panic) && this.acknowledged.has(panic));
    this.seen = present;
    if (ended.length) this.write(acknowledged => ended.forEach(panic => acknowledged.delete(panic)));
  }

  // Without units: what has a banner, and no more; nobody has seen the others.
  acknowledge(units = this.bannered ?? []) {
    this.write(acknowledged => units.forEach(unit => acknowledged.add(panicOf(unit))));
    this.again?.();
  }

  draw(model) {
    const calls = this.units.map(unit => (unit.calls ?? []).map(id => model.of("call", unit, id)).find(Boolean));
    const shown = JSON.stringify(this.units.map((unit, i) => [unit.key, unit.changed, calls[i]?.changed, this.acknowledged.has(panicOf(unit))]));
    if (shown === this.shown) return;
    this.shown = shown;
    const order = this.units.map((unit, i) => ({ unit, call: calls[i], heard: this.acknowledged.has(panicOf(unit)) }));
    order.sort((a, b) => a.heard - b.heard);
    const shownNow = order.slice(0, BANNERS_MAX), banners = shownNow.map(panic => this.banner(panic));
    this.bannered = shownNow.map(({ unit }) => unit);
    if (order.length > BANNERS_MAX) banners.push(el("p", "panic-more", `and ${order.length - BANNERS_MAX} more in panic`));
    this.place.replaceChildren(...banners);
  }

  banner({ unit, call, heard }) {
    const where = unit.location || call?.address || "";
    const banner = el("div", heard ? "panic heard" : "panic", el("strong", "", "PANIC"),
      foreign("number", unit.number || `unit ${unit.id}`, 40), foreign("name", unit.name, 80), foreign("where", where, 120),
      call ? foreign("to", `› ${call.id} ${callName(call)}`, 80) : null,
      ...(unit.test ? [el("span", "mark", "TEST")] : []));
    const since = age({ since: unit.panic_since ?? null });
    banner.append(since);
    if (heard) {
      banner.append(el("span", "done", "acknowledged"));
    } else {
      const button = el("button", "", "Acknowledge", el("kbd", "", "a"));
      button.type = "button";
      button.addEventListener("click", () => this.acknowledge([unit]));
      banner.append(button);
    }
    return banner;
  }

  tick(time) {
    for (const since of this.place.querySelectorAll(".age")) tick(since, time);
  }
}
