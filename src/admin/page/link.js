// link.js - the link to the daemon: what is known at the start, then the stream, over cuts and restarts.
//
// One tab of a browser has the stream (a Web Lock says which) and passes on what comes (BroadcastChannel); where the
// browser has no locks, because the page is not from localhost and not by https, or refuses them, each tab has its own. The stream is
// read by fetch: unlike EventSource it shows the comments that say that the link lives, and what a refusal says.

import { now, setServerTime, timeOf } from "./dom.js";

const SILENCE_MS = 40_000; // the daemon says something every 15 s
const HIDDEN_MS = 60_000;
const RETRY_MS = 2000, RETRY_MAX_MS = 30_000;
const EVENTS_AT_START = 100;

export class Refused extends Error {
  constructor(status, sentence, retryAfterMs) {
    super(sentence);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export async function ask(path, parameters = {}, options = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== "")).toString();
  const url = query ? `${path}?${query}` : path;
  const answer = await fetch(url, { cache: "no-store", credentials: "same-origin", ...options });
  if (answer.ok) return answer;
  let sentence = `the daemon answered ${answer.status}`;
  try {
    sentence = (await answer.json()).error ?? sentence;
  } catch {
    // another one than the daemon: a proxy
  }
  throw new Refused(answer.status, sentence, 1000 * Number(answer.headers.get("Retry-After") ?? 0));
}

const askJson = async (...request) => (await ask(...request)).json();

// Frames of an event stream, as they come: { event, data, id }. An empty list: something came, if only a comment.
async function* framesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", frame = { event: "message", data: [], id: null };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n"), frames = [];
    rest = lines.pop();
    for (const line of lines) {
      const [, field, text] = /^([a-z]+): ?(.*?)\r?$/.exec(line) ?? [];
      if (field === "event") frame.event = text;
      else if (field === "data") frame.data.push(text);
      else if (field === "id") frame.id = Number(text);
      else if (line.trim() === "") {
        if (frame.data.length) frames.push({ event: frame.event, id: frame.id, data: JSON.parse(frame.data.join("\n")) });
        frame = { event: "message", data: [], id: null };
      }
    }
    yield frames;
  }
}

const pause = (ms, signal) => new Promise(resolve => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

// told: { changed(fresh), state(), signIn() }, each called when there is something to do.
export class Link {
  constructor(model, community, told) {
    this.model = model;
    this.community = community;
    this.chosen = ""; // one of several that are told here
    this.told = told;
    this.heard = performance.now(); // when something came last; not by the server's clock, which may be set
    this.up = false;
    this.why = ""; // it is not up
    this.asleep = false;
    this.version = null;
    this.life = null; // an AbortController: ends everything of the present attempt
    document.addEventListener("visibilitychange", () => this.lookAway());
    setInterval(() => this.watch(), 1000);
  }

  // "connecting", "live", "no link", "stale", "paused"
  get state() {
    if (this.asleep) return "paused";
    if (this.silentMs >= SILENCE_MS) return "stale";
    if (this.up) return "live";
    return this.model.log === null && !this.why ? "connecting" : "no link";
  }

  get silentMs() {
    return performance.now() - this.heard;
  }

  start() {
    this.life?.abort();
    this.life = new AbortController();
    this.asleep = false;
    this.heard = performance.now();
    this.lookAway(); // it may never have been looked at
    void this.run(this.life.signal);
  }

  // A hidden tab leaves the daemon alone after a while, and catches up when it is looked at.
  lookAway() {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => { this.asleep = true; this.up = false; this.life?.abort(); this.told.state(); }, HIDDEN_MS);
    } else if (this.asleep) {
      this.start();
    }
  }

  watch() {
    if (this.up && this.silentMs >= SILENCE_MS) this.stream?.abort(); // half open: try another one
  }

  async run(life) {
    for (let wait = RETRY_MS; !life.aborted; wait = Math.min(2 * wait, RETRY_MAX_MS)) {
      try {
        await this.follow(life, () => { wait = RETRY_MS; });
      } catch (problem) {
        if (life.aborted) return;
        this.down(problem);
        if (problem.status === 401) {
          this.told.signIn();
          return; // until somebody has signed in: start()
        }
        wait = Math.max(wait, problem.retryAfterMs ?? 0);
      }
      await pause(wait * (0.75 + Math.random() / 2), life);
    }
  }

  down(problem) {
    this.up = false;
    this.why = problem instanceof Refused ? problem.message : "the daemon cannot be reached";
    this.told.state();
  }

  // From nothing: what other tabs are told is kept while the state is loaded, then taken on top of it.
  async follow(life, succeeded) {
    const again = new AbortController();
    life.addEventListener("abort", () => again.abort(), { once: true });
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(this.name) : null;
    const waiting = [];
    let loaded = false;
    try {
      if (channel) channel.onmessage = ({ data }) => (loaded ? this.hear(data, again) : waiting.push(data));
      await this.load(again.signal);
      loaded = true;
      succeeded();
      for (const message of waiting) this.hear(message, again);
      await this.lead(again, channel, succeeded);
    } finally {
      again.abort();
      channel?.close();
    }
  }

  get name() {
    return `board ${location.pathname} ${this.community}`;
  }

  async load(signal) {
    const { community } = this, options = { signal };
    const [state, series] = await Promise.all([
      askJson("api/state", { community }, options),
      askJson("api/series", { community }, options).catch(() => ({})),
    ]);
    // After the state: what is stored between the two answers is in this one, and comes by the stream as well.
    const events = await askJson("api/events", { community, limit: EVENTS_AT_START }, options);
    this.model.forget();
    this.model.takeState(state);
    this.model.takeEvents(events.events.filter(record => record.id <= state.as_of));
    setServerTime(state.time);
    this.model.takeSeries(series, now());
    void this.wantSeries(this.chosen);
    this.came();
    this.told.changed(false);
  }

  // Of one community, when somebody looks at it alone.
  async wantSeries(community) {
    this.chosen = community;
    if (community === "" || community === this.community || this.model.rates.has(community)) return;
    try {
      const { signal } = this.life, series = await askJson("api/series", { community }, { signal });
      this.model.takeSeries(series, now(), community);
      this.told.changed(false);
    } catch {
      // the next load asks again
    }
  }

  came() {
    this.heard = performance.now();
    if (!this.up) {
      this.up = true;
      this.why = "";
      this.told.state();
    }
  }

  // ---- with the stream, or waiting for it ----

  async lead(again, channel, succeeded) {
    if (!navigator.locks || !channel) return this.readOn(again, null, succeeded);
    let leads = false;
    try {
      return await navigator.locks.request(this.name, { signal: again.signal }, () => {
        leads = true;
        return this.readOn(again, channel, succeeded);
      });
    } catch (problem) {
      if (again.signal.aborted) return undefined; // told to begin anew, or to end
      if (!leads) return this.readOn(again, null, succeeded); // refused, as to a page that may store nothing
      throw problem;
    }
  }

  // Reads one stream after the other, until something has to be loaded anew.
  async readOn(again, channel, succeeded) {
    for (let wait = RETRY_MS; !again.signal.aborted; wait = Math.min(2 * wait, RETRY_MAX_MS)) {
      try {
        await this.readStream(again, channel, () => { wait = RETRY_MS; succeeded(); });
        this.down(new Error("ended"));
      } catch (problem) {
        if (again.signal.aborted) return;
        if (problem.status === 401) throw problem;
        this.down(problem);
        wait = Math.max(wait, problem.retryAfterMs ?? 0);
      }
      channel?.postMessage({ down: this.why });
      await pause(wait * (0.75 + Math.random() / 2), again.signal);
    }
  }

  async readStream(again, channel, succeeded) {
    this.stream = new AbortController();
    const end = () => this.stream.abort();
    again.signal.addEventListener("abort", end, { once: true });
    try {
      const { community, model } = this;
      const answer = await ask("api/stream", { from: model.newest, log: model.log, community },
        { signal: this.stream.signal, headers: { Accept: "text/event-stream" } });
      for await (const frames of framesOf(answer.body)) {
        succeeded();
        const message = { behind: model.newest, frames };
        channel?.postMessage(message);
        this.take(message, again);
        if (again.signal.aborted) return;
      }
    } finally {
      again.signal.removeEventListener("abort", end);
      end();
    }
  }

  // What the tab with the stream says.
  hear(message, again) {
    if (message.down !== undefined) {
      this.up = false;
      this.why = message.down;
      this.told.state();
    } else if (message.behind > this.model.newest) {
      again.abort(); // something was missed
    } else {
      this.take(message, again);
    }
  }

  take({ frames }, again) {
    this.came();
    let changed = false, fresh = 0;
    for (const { event, id, data } of frames) {
      if (event === "reset") {
        again.abort();
        return;
      }
      if (event === "hello") this.hello(data, again);
      else if (event === "sources") this.model.sources = data.sources;
      else if (event === "tick") setServerTime(data.time);
      else if (event === "log") fresh += this.takeRecord(data);
      else if (event === "unit" || event === "call" || event === "call911") this.model.takeItem(event, data);
      if (id !== null && id > this.model.newest) this.model.newest = id;
      changed = true;
    }
    if (changed) this.told.changed(fresh > 0);
  }

  takeRecord(record) {
    if (record.id <= this.model.newest || !this.model.takeEvent(record)) return 0;
    this.model.countEvent(record, timeOf(record.time), now());
    return 1;
  }

  hello(hello, again) {
    setServerTime(hello.time);
    this.model.sources = []; // where there are some, they are told next
    if (this.model.log !== null && hello.log !== this.model.log) again.abort();
    if (this.version !== null && hello.version !== this.version) this.told.upgraded();
    this.version = hello.version;
  }
}
