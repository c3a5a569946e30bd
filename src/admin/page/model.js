// model.js - what is known: the items as the daemon tells them, the newest events, events per minute. Draws nothing.

const EVENTS_KEPT = 300;
const MINUTES = 60;

export const KINDS = ["unit", "call", "call911"];

export const keyOf = (kind, item) => `${kind}/${item.node ?? ""}/${item.community}/${item.id}`;

// Events per minute of the last hour, the one under way last.
class Rate {
  constructor(time) {
    this.minutes = new Array(MINUTES).fill(0);
    this.minute = Math.floor(time / 60000);
  }

  // In the minute in which it came to the daemon, which after a cut is not the present one.
  count(cameAt, time) {
    this.turn(time);
    const ago = Math.max(0, this.minute - Math.floor((cameAt ?? time) / 60000));
    if (ago < this.minutes.length) this.minutes[this.minutes.length - 1 - ago]++;
  }

  turn(time) {
    const minute = Math.floor(time / 60000);
    for (let n = Math.min(minute - this.minute, MINUTES); n > 0; n--) {
      this.minutes.push(0);
      this.minutes.shift();
    }
    this.minute = Math.max(this.minute, minute);
    return this.minutes;
  }
}

export class Model {
  constructor() {
    this.forget();
  }

  forget() {
    this.items = { unit: new Map(), call: new Map(), call911: new Map() };
    this.communities = [];
    this.sources = []; // how events come in
    this.log = null; // which log the ids are of
    this.newest = 0; // the id that everything here is as of
    this.events = []; // oldest first
    this.rates = new Map([["", new Rate(Date.now())]]); // by community
    this.version = 0; // grows with each change of events
  }

  // The answer of /api/state takes the place of all items.
  takeState(state) {
    this.log = state.log ?? null;
    this.newest = state.as_of;
    this.sources = state.sources ?? [];
    this.communities = state.communities.map(({ name, node }) => ({ name, node: node ?? null }));
    for (const kind of KINDS) this.items[kind].clear();
    for (const community of state.communities) {
      for (const kind of KINDS) {
        for (const item of community[`${kind === "call911" ? "calls911" : `${kind}s`}`] ?? []) {
          this.takeItem(kind, { community: community.name, node: community.node ?? null, ...item });
        }
      }
    }
  }

  // An item that came late does not undo a newer one.
  takeItem(kind, item) {
    const items = this.items[kind], key = keyOf(kind, item), old = items.get(key);
    if (old && old.changed > item.changed) return;
    if (item.gone) {
      items.delete(key);
      return;
    }
    item.key = key;
    items.set(key, item);
    if (!this.communities.some(c => c.name === item.community && c.node === (item.node ?? null))) {
      this.communities.push({ name: item.community, node: item.node ?? null });
    }
  }

  takeEvents(records) {
    for (const record of records) this.takeEvent(record);
  }

  // False: it was there already.
  takeEvent(record) {
    const last = this.events.at(-1);
    if (last && record.id <= last.id) return false;
    this.events.push(record);
    if (this.events.length > 2 * EVENTS_KEPT) this.events.splice(0, this.events.length - EVENTS_KEPT);
    this.version++;
    return true;
  }

  // community "": of all that this board is for.
  takeSeries(series, time, community = "") {
    const rate = new Rate(time);
    if (Array.isArray(series.minutes)) rate.minutes = series.minutes.slice(-MINUTES);
    this.rates.set(community, rate);
  }

  countEvent({ community }, cameAt, time) {
    this.rates.get("").count(cameAt, time);
    this.rates.get(community)?.count(cameAt, time);
  }

  // While those of a community are asked for, there are none.
  minutesOf(community, time) {
    return (this.rates.get(community) ?? new Rate(time)).turn(time);
  }

  // ---- looking at it ----

  of(kind, item, id) {
    return id === null || id === undefined ? undefined : this.items[kind].get(keyOf(kind, { ...item, id }));
  }

  // In the daemon's order: plain comparison of rank.
  sorted(kind, wanted) {
    const list = [];
    for (const item of this.items[kind].values()) if (shown(kind, item) && wanted(kind, item)) list.push(item);
    return list.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.id - b.id));
  }

  panics(wanted) {
    return this.sorted("unit", wanted).filter(unit => unit.panic);
  }
}

// Does anybody still have to answer this 911 call? Not where a dispatch call was made from it.
export const isWaiting = call911 => call911.label !== "DISPATCHED" && (call911.call ?? null) === null;

function shown(kind, item) {
  if (kind === "unit") return item.panic || (item.online !== false && item.label !== "OFF");
  return kind === "call911" || (item.label !== "CLOSED" && !item.closed);
}

// ---- the filter: words that all have to be in an item, and a community ----

const words = (...texts) => texts.filter(text => text !== null && text !== undefined).join(" ").toLowerCase();

function haystack(model, kind, item) {
  if (kind === "event") return words(item.summary, item.type, item.source, item.id);
  if (kind === "unit") return words(item.number, item.name, item.department, item.group, item.location, item.label, ...(item.calls ?? []));
  if (kind === "call911") return words("911", item.id, item.caller, item.location, item.description, item.postal, item.plate, item.label);
  const units = (item.units ?? []).map(({ id }) => model.of("unit", item, id)).filter(Boolean);
  return words(item.id, item.title, item.code, item.address, item.postal, item.block, item.description, item.label,
    item.priority === null ? null : `p${item.priority}`, ...units.flatMap(unit => [unit.number, unit.name, unit.department]));
}

// filter(model, "lspd 3-l", "default"): a function (kind, item) that says whether it is wanted.
export function filter(model, text, community) {
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (kind, item) => {
    if (community && item.community !== community) return false;
    if (!terms.length) return true;
    const hay = haystack(model, kind, item);
    return terms.every(term => hay.includes(term));
  };
}
