// board.js - puts it together: the header, what the address says, preferences, keys, and when to draw.
//
// The address: ?kiosk (nothing to click, the screen stays on), ?community=NAME, ?panes=911,calls,units,feed,
// ?filter=WORDS, #token=TOKEN.

import { Alarm } from "./alarm.js";
import { byId, clockText, el, keep, now, recall, setText } from "./dom.js";
import { Dialogs } from "./dialogs.js";
import { Link } from "./link.js";
import { filter, isWaiting, Model } from "./model.js";
import { Panes } from "./panes.js";
import { Sources } from "./sources.js";

const DRAW_MS = 100; // at most ten times a second
const PHONE = matchMedia("(max-width: 760px)");
const LIGHT = matchMedia("(prefers-color-scheme: light)");

const address = new URLSearchParams(location.search);
const kiosk = address.has("kiosk");
const root = document.documentElement;

const model = new Model();
const dialogs = new Dialogs();
const panes = new Panes((kind, item) => void dialogs.show(kind, item));
const alarm = new Alarm();
const sources = new Sources();

// ---- drawing ----

let timer = null, drawnAt = -DRAW_MS, settled = false;

function drawSoon() {
  timer ??= setTimeout(draw, Math.max(0, drawnAt + DRAW_MS - performance.now()));
}

// The name of the community that is shown; "": all of them.
const chosen = () => address.get("community") ?? byId("community").value;

function draw() {
  timer = null;
  drawnAt = performance.now();
  const text = byId("filter").value, community = chosen();
  const wanted = filter(model, text, community);
  const items = panes.update(model, wanted, `${text} ${community}`.trim() === "" ? " " : `${text} ${community}`, settled);
  const ofCommunity = filter(model, "", community); // whatever is filtered, nobody overlooks a panic or a 911 call
  const panics = model.panics(ofCommunity);
  alarm.update(model, panics, community);
  alarm.ring911(model.sorted("call911", ofCommunity), community, settled);
  sources.update(model, community);
  settled ||= model.log !== null;
  drawHeader(items, panics, community);
  drawSpark();
}

function drawHeader(items, panics, community) {
  const names = [...new Set(model.communities.map(({ name }) => name))];
  const name = community || (names.length === 1 ? names[0] : names.length ? "All communities" : "Board");
  setText(byId("name").firstElementChild, name);
  drawCommunities(names);
  const waiting = items[911].filter(isWaiting);
  const counts = [["911", "911", waiting], ["calls", "Calls", items.calls], ["units", "Units", items.units]];
  const text = counts.map(([, , list]) => list.length).join(" ");
  if (byId("counts").dataset.text !== text) {
    byId("counts").dataset.text = text;
    byId("counts").replaceChildren(...counts.map(([pane, word, list]) => {
      const link = el("a", "", word, el("b", "", String(list.length)));
      link.href = `#pane-${pane}`;
      return link;
    }));
  }
  setText(document.querySelector("title"), panics.length ? `(${panics.length} PANIC) ${name}` : waiting.length ? `(${waiting.length}) ${name}` : name);
  drawIcon(panics.length > 0);
}

function drawCommunities(names) {
  const select = byId("community");
  select.hidden = names.length < 2 || address.has("community");
  const text = names.join("\n");
  if (select.dataset.text === text) return;
  select.dataset.text = text;
  const chosen = select.value;
  select.replaceChildren(...["", ...names].map(name => new Option(name || "All communities", name)));
  select.value = names.includes(chosen) ? chosen : "";
}

function drawIcon(panic) {
  const icon = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${panic ? "#da1a05" : "#16324f"}"/>${
    panic ? '<path d="M16 5v14M16 23v4" stroke="#fff" stroke-width="5"/>' : '<path d="M7 10h18M7 16h18M7 22h11" stroke="#8cc7ff" stroke-width="3"/>'}</svg>`)}`;
  if (byId("icon").href !== icon) byId("icon").href = icon;
}

function drawSpark() {
  const minutes = model.minutesOf(address.has("community") ? "" : chosen(), now()), top = Math.max(4, ...minutes), step = 120 / (minutes.length - 1);
  const points = minutes.map((n, i) => `${(i * step).toFixed(1)} ${(22.5 - 20 * n / top).toFixed(1)}`).join("L");
  const [area, line] = byId("spark").children;
  line.setAttribute("d", `M${points}`);
  area.setAttribute("d", `M0 24L${points}L120 24Z`);
  const last = minutes.at(-2) ?? 0;
  setText(byId("per-minute"), String(Math.max(last, minutes.at(-1))));
  byId("rate").title = `Events of the last hour: ${minutes.reduce((a, b) => a + b, 0)}, at most ${Math.max(...minutes)} in a minute`;
}

// ---- each second ----

function tick() {
  const time = now();
  panes.tick();
  alarm.tick(time);
  sources.tick(time);
  const clock = clockText(time);
  setText(byId("clock"), clock);
  if (clock.endsWith("00")) drawSpark();
  showLink();
}

const VEILED = { stale: "stale", paused: "paused" };

function showLink() {
  const { state } = link;
  alarm.rest(state === "paused");
  if (byId("link").dataset.state !== state) {
    byId("link").dataset.state = state;
    root.dataset.link = state;
    setText(byId("link-word"), state);
  }
  byId("link").title = state === "live" ? `as of event ${model.newest}` : link.why;
  byId("veil").hidden = !(state in VEILED) || dialogs.signIn.open;
  if (byId("veil").hidden) return;
  const seconds = Math.floor(link.silentMs / 1000);
  const since = seconds < 120 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} minutes`;
  setText(byId("veil-text"), state === "paused" ? "Paused while nobody was looking." : "No link: what you see is old. Trying again …");
  setText(byId("veil-why"), state === "paused" ? "" : `${link.why || "nothing comes any more"}, for ${since}`); // not read out
}

// ---- the link ----

let link = null;

const told = {
  changed: fresh => { void fresh; drawSoon(); },
  state: () => showLink(),
  signIn: () => dialogs.askToken(() => link.start()),
  upgraded: () => { if (kiosk) location.reload(); },
};

async function begin() {
  link = new Link(model, address.get("community") ?? "", told);
  await takeToken(); // if that is not taken, the first question says so again
  addEventListener("hashchange", () => void takeToken().then(taken => taken && link.start()));
  link.start();
  tick();
  setInterval(tick, 1000);
}

// Of the link that `open` prints, whether the page was opened by it or it was pasted into an open one.
async function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  return dialogs.offer(token);
}

// ---- preferences ----

const THEMES = { system: "System", dark: "Dark", light: "Light" };

function showTheme() {
  const chosen = recall("theme", "system");
  root.dataset.theme = chosen === "system" ? (LIGHT.matches ? "light" : "dark") : chosen;
  setText(byId("theme"), THEMES[chosen] ?? THEMES.system);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  keep("theme", names[(names.indexOf(recall("theme", "system")) + 1) % names.length]);
  showTheme();
}

// On a phone lists fold.
function prepareFolds() {
  const folded = new Set(recall("folded", []));
  for (const button of document.querySelectorAll(".fold")) {
    const pane = button.closest(".pane");
    const show = () => {
      const closed = PHONE.matches && folded.has(pane.dataset.pane);
      button.disabled = !PHONE.matches;
      button.setAttribute("aria-expanded", String(!closed));
      pane.classList.toggle("folded", closed);
    };
    button.addEventListener("click", () => {
      const name = pane.dataset.pane;
      if (!folded.delete(name)) folded.add(name);
      keep("folded", [...folded]);
      show();
    });
    PHONE.addEventListener("change", show);
    show();
  }
}

function preparePanes() {
  const chosen = address.get("panes")?.split(",").map(name => name.trim()).filter(Boolean);
  for (const pane of document.querySelectorAll(".pane")) pane.hidden = Boolean(chosen?.length) && !chosen.includes(pane.dataset.pane);
  byId("main").dataset.panes = [...document.querySelectorAll(".pane:not([hidden])")].map(pane => pane.dataset.pane).join(" ");
}

async function keepAwake() {
  if (document.hidden || !navigator.wakeLock) return;
  try {
    await navigator.wakeLock.request("screen");
  } catch {
    // refused: low battery
  }
}

function prepareKiosk() {
  root.classList.toggle("kiosk", kiosk);
  if (!kiosk) return;
  document.addEventListener("visibilitychange", () => void keepAwake());
  void keepAwake();
}

// ---- keys ----

const WALKING = new Set(["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "PageDown", "PageUp", "Home", "End"]);

const KEYS = {
  "/": () => byId("filter").focus(),
  "?": () => dialogs.showKeys(),
  a: () => alarm.acknowledge(),
  m: () => alarm.sound.next(),
  t: nextTheme,
};

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || dialogs.open) return;
  const field = byId("filter");
  if (event.target === field) {
    if (event.key === "Escape") {
      field.value = "";
      field.blur();
      drawSoon();
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      if (panes.walk("ArrowDown")) event.preventDefault();
    }
    return;
  }
  if (event.target.closest?.("select")) return;
  if (WALKING.has(event.key) && event.target.closest?.("#pane-feed .list")) return; // they scroll it
  if (KEYS[event.key]) {
    event.preventDefault();
    if (!event.repeat) KEYS[event.key]();
  } else if (WALKING.has(event.key) && panes.walk(event.key)) {
    event.preventDefault();
  }
}

byId("filter").value = address.get("filter") ?? "";
byId("filter").addEventListener("input", drawSoon);
byId("community").addEventListener("change", () => {
  void link?.wantSeries(chosen());
  drawSoon();
});
byId("theme").addEventListener("click", nextTheme);
byId("help").addEventListener("click", () => dialogs.showKeys());
LIGHT.addEventListener("change", showTheme);
document.addEventListener("keydown", onKey);
addEventListener("storage", showTheme);

showTheme();
preparePanes();
prepareFolds();
prepareKiosk();
drawIcon(false);
void begin();
