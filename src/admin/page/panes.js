// panes.js - the lists: rows by key that stay where nothing changed, ages that tick, arrows that walk.

import { byId, el, now, setText } from "./dom.js";
import { isWaiting } from "./model.js";
import { call911Row, callNeeds, callRow, chip, eventRow, tick, unitRow } from "./rows.js";

const ROWS_MAX = 300;
const EVENTS_SHOWN = 120;

const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

// One list of items. needs: what else a row shows. counts: whether a row is one of those that wait for somebody; the others
// are dimmed.
class Pane {
  constructor(name, kind, draw, needs = () => [], counts = () => true) {
    this.section = byId(`pane-${name}`);
    this.list = this.section.querySelector(".list");
    this.count = this.section.querySelector(".count");
    this.summary = this.section.querySelector(".summary");
    this.empty = this.section.querySelector(".empty");
    this.more = el("li", "more");
    Object.assign(this, { kind, draw, needs, counts, rows: new Map() });
  }

  update(model, items, settled) {
    const shown = items.slice(0, ROWS_MAX), keys = new Set(shown.map(item => item.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      this.rows.delete(key);
      this.remove(row);
    }
    shown.forEach((item, i) => {
      const row = this.row(model, item, settled);
      if (this.list.children[i] !== row.line) this.list.insertBefore(row.line, this.list.children[i] ?? null);
    });
    setText(this.count, String(items.filter(this.counts).length));
    setText(this.more, items.length > ROWS_MAX ? `${items.length - ROWS_MAX} more; the filter finds them` : "");
    if (this.more.textContent) this.list.append(this.more);
    else this.more.remove();
    this.list.hidden = items.length === 0;
    this.rove();
  }

  // Who had the focus in a row that goes hands it to the one that takes its place.
  remove(row) {
    const next = row.line.nextElementSibling ?? row.line.previousElementSibling;
    const focused = row.line.contains(document.activeElement);
    row.line.remove();
    if (focused) next?.querySelector("button")?.focus();
  }

  row(model, item, settled) {
    const needs = this.needs(model, item);
    let row = this.rows.get(item.key);
    if (!row) {
      const button = el("button", "row");
      button.type = "button";
      button.tabIndex = -1;
      row = { line: el("li", settled ? "fresh" : ""), button };
      row.line.append(button);
      this.rows.set(item.key, row);
    }
    if (row.item !== item || row.communities !== model.communities.length || !same(row.needs, needs)) {
      row.button.replaceChildren(...this.draw(model, item));
      row.button.dataset.label = item.label ?? "";
      row.button.dataset.priority = item.priority ?? "";
      row.button.classList.toggle("done", !this.counts(item));
      Object.assign(row, { item, needs, communities: model.communities.length, age: row.button.querySelector(".age") });
      row.button.item = item;
      row.button.kind = this.kind;
    }
    return row;
  }

  // One row of each list is what Tab stops at.
  rove(button) {
    const buttons = [...this.list.querySelectorAll(".row")];
    const chosen = button ?? buttons.find(b => b === document.activeElement) ?? buttons.find(b => b.tabIndex === 0) ?? buttons[0];
    for (const b of buttons) b.tabIndex = b === chosen ? 0 : -1;
  }

  tick(time) {
    for (const { age } of this.rows.values()) tick(age, time);
  }

  // "3 AVL 1 SCN", in the order of the rows.
  tell(items) {
    const counts = new Map();
    for (const { label } of items) counts.set(label, (counts.get(label) ?? 0) + 1);
    const text = [...counts].join(" ");
    if (this.told === text) return;
    this.told = text;
    this.summary.replaceChildren(...[...counts].map(([label, n]) => chip(label, n)));
  }
}

// The newest events, newest first. Only what is new is drawn, where the filter is the one of before.
class Feed {
  constructor() {
    this.section = byId("pane-feed");
    this.list = this.section.querySelector(".list");
    this.empty = this.section.querySelector(".empty");
    this.summary = this.section.querySelector(".summary");
    this.last = 0;
  }

  update(model, wanted, what) {
    if (what !== this.what || model.events.length === 0 || model.events.at(-1).id < this.last) {
      this.list.replaceChildren();
      this.last = 0;
      this.what = what;
    }
    const fresh = [];
    for (let i = model.events.length - 1; i >= 0 && model.events[i].id > this.last && fresh.length < EVENTS_SHOWN; i--) {
      if (wanted("event", model.events[i])) fresh.push(eventRow(model, model.events[i]));
    }
    this.last = model.events.at(-1)?.id ?? 0;
    this.list.prepend(...fresh);
    while (this.list.children.length > EVENTS_SHOWN) this.list.lastElementChild.remove();
    this.list.hidden = this.list.children.length === 0;
  }
}

const EMPTY = {
  911: "No 911 call is waiting.",
  calls: "No call is open.",
  units: "Nobody is on duty.",
  feed: "Nothing yet.",
};

export class Panes {
  constructor(open) {
    this.panes = {
      911: new Pane("911", "call911", call911Row, undefined, isWaiting),
      calls: new Pane("calls", "call", callRow, callNeeds),
      units: new Pane("units", "unit", unitRow),
    };
    this.feed = new Feed();
    this.main = byId("main");
    this.main.addEventListener("click", ({ target }) => {
      const row = target.closest(".row");
      if (row) open(row.kind, row.item);
    });
    this.main.addEventListener("focusin", ({ target }) => {
      const row = target.closest(".row");
      if (row) this.panes[row.closest(".pane").dataset.pane].rove(row);
    });
  }

  update(model, wanted, what, settled) {
    const { panes } = this, filtered = what !== " ";
    const items = { 911: model.sorted("call911", wanted), calls: model.sorted("call", wanted), units: model.sorted("unit", wanted) };
    for (const name of Object.keys(panes)) panes[name].update(model, items[name], settled);
    panes.units.tell(items.units);
    panes.calls.tell(items.calls.filter(call => call.label === "NO UNIT"));
    panes[911].tell(items[911].filter(call => isWaiting(call) && call.label !== "911"));
    this.main.dataset.crowd = items.units.length > 26 ? "units" : "";
    this.feed.update(model, wanted, what);
    this.tellEmpty(filtered, model.newest === 0 && model.log !== null);
    return items;
  }

  tellEmpty(filtered, nothingEver) {
    for (const pane of [...Object.values(this.panes), this.feed]) {
      const name = pane.section.dataset.pane;
      pane.empty.hidden = !pane.list.hidden;
      const text = filtered ? "Nothing that the filter lets through." : EMPTY[name];
      const say = name === "feed" && nothingEver ? "first" : text;
      if (pane.said === say) continue;
      pane.said = say;
      pane.empty.replaceChildren(...(say === "first" ? firstWords() : [text]));
    }
  }

  tick() {
    const time = now();
    for (const pane of Object.values(this.panes)) pane.tick(time);
  }

  // ---- keys ----

  // Rows of the list that has the focus, of that of the first list that has any.
  walk(key) {
    const lists = Object.values(this.panes).map(pane => pane.list).filter(list => list.offsetParent && list.querySelector(".row"));
    const here = document.activeElement?.closest?.(".list");
    const at = lists.indexOf(here);
    if (at < 0) return this.enter(lists[0]);
    const rows = [...here.querySelectorAll(".row")], i = rows.indexOf(document.activeElement);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -rows.length, End: rows.length };
    if (key in steps) return this.focus(rows[Math.min(rows.length - 1, Math.max(0, i + steps[key]))]);
    return this.enter(lists[at + (key === "ArrowRight" ? 1 : -1)]);
  }

  enter(list) {
    return this.focus(list?.querySelector('.row[tabindex="0"]') ?? list?.querySelector(".row"));
  }

  focus(row) {
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
    return Boolean(row);
  }
}

function firstWords() {
  return [
    el("strong", "", "Nothing yet."),
    el("span", "", "See a shift of ten minutes:"),
    el("code", "", "sonoran-pushctl play --demo"),
    el("span", "", "Is the CAD connected?"),
    el("code", "", "sonoran-pushctl doctor"),
  ];
}
