// rows.js - one row of each list: what stands in it. Each gives the parts of a row, and an age that ticks.

import { ageText, clockText, el, foreign, now, timeOf } from "./dom.js";

const KNOWN_LABELS = new Set(["PANIC", "UNV", "BSY", "AVL", "ENR", "SCN", "OFF", "NO UNIT", "PENDING", "ACTIVE", "CLOSED",
  "EMERGENCY", "SILENT", "911", "DISPATCHED"]);

// A word in the colour of what it says, and how many there are of it.
export function chip(label, n) {
  const element = foreign("chip", n ? `${n} ${label}` : label || "?", 16);
  element.dataset.label = KNOWN_LABELS.has(label) ? label : "other";
  return element;
}

const join = (...texts) => texts.filter(Boolean).join(" · ");
const number = unit => unit.number || unit.name || `unit ${unit.id}`;

function marks(model, item) {
  const list = [];
  if (item.test) list.push(el("span", "mark", "TEST"));
  if (item.missed) list.push(el("span", "mark", "MISSED"));
  if (model.communities.length > 1) list.push(foreign("mark", item.node ? `${item.community}@${item.node}` : item.community, 24));
  return list;
}

// ---- ages: a span that knows its times ----

export function age(item) {
  const element = el("span", "age");
  element.since = timeOf(item.since);
  element.warnAt = timeOf(item.warn_at);
  element.lateAt = timeOf(item.late_at);
  tick(element, now());
  return element;
}

export function tick(element, time) {
  const { since, warnAt, lateAt } = element;
  const text = since === null ? "–" : ageText(time - since);
  if (element.textContent !== text) element.textContent = text;
  const level = lateAt !== null && time >= lateAt ? "late" : warnAt !== null && time >= warnAt ? "warn" : "";
  if ((element.dataset.level ?? "") === level) return;
  element.dataset.level = level;
  element.title = level === "late" ? "too long" : level === "warn" ? "getting long" : "";
}

// ---- the rows ----

function unitOfCall(model, call, attached) {
  const unit = model.of("unit", call, attached.id);
  const element = el("span", "crew");
  if (attached.id === call.primary) element.append(el("span", "primary", "★"));
  element.append(foreign("number", unit ? number(unit) : `unit ${attached.id}`, 24));
  if (unit) element.append(chip(unit.label));
  if (attached.id === call.primary) element.title = "primary unit";
  return element;
}

export function callName(call) {
  return join(call.title || call.description || `Call ${call.id}`, call.code && call.code !== call.title ? call.code : "");
}

export function callRow(model, call) {
  const crew = (call.units ?? []).map(attached => unitOfCall(model, call, attached));
  const where = foreign("where", join(call.address, call.postal) || "no address");
  if (!call.address) where.classList.add("missing");
  return [
    el("span", "top",
      call.priority !== null && call.priority !== undefined ? el("span", "priority", `P${call.priority}`) : null,
      foreign("title", callName(call)), foreign("id", `#${call.id}`), ...marks(model, call), age(call)),
    el("span", "under", where, el("span", "crews", ...(crew.length ? crew : [chip(call.label || "NO UNIT")]))),
  ];
}

// What a row of a call shows besides the call.
export function callNeeds(model, call) {
  return (call.units ?? []).map(({ id }) => model.of("unit", call, id));
}

export function call911Row(model, call) {
  return [
    el("span", "top", call.label && call.label !== "911" ? chip(call.label) : null,
      foreign("title", call.description || `911 call ${call.id}`), ...marks(model, call), age(call)),
    el("span", "under", foreign("where", join(call.location, call.postal) || "no location"),
      foreign("from", join(call.caller, call.phone)),
      call.call ? foreign("to", `› ${call.call}`) : null, foreign("id", `#${call.id}`)),
  ];
}

export function unitRow(model, unit) {
  const calls = unit.calls ?? [];
  return [el("span", "top", chip(unit.label), foreign("number", number(unit), 40),
    foreign("title", unit.number ? unit.name : ""), foreign("group", unit.department),
    ...marks(model, unit),
    calls.length ? foreign("to", `› ${calls.slice(0, 2).join(" ")}${calls.length > 2 ? ` +${calls.length - 2}` : ""}`) : null,
    age(unit))];
}

const LEVELS = ["alert", "alert", "alert", "error", "warning", "notice", "info", "debug"];

export function eventRow(model, record) {
  const line = el("li", "event");
  line.dataset.id = record.id;
  line.dataset.level = LEVELS[record.level] ?? "info";
  const refused = record.verdict && !["accepted", "internal"].includes(record.verdict);
  if (refused) line.dataset.refused = "";
  line.append(el("time", "", clockText(timeOf(record.time) ?? now())), el("span", "said",
    ...(record.test ? [el("span", "mark", "TEST")] : []),
    ...(refused ? [el("span", "mark", "REFUSED")] : []),
    ...(record.origin?.node ? [foreign("mark", `${record.community}@${record.origin.node}`, 24)] : []),
    foreign("", (record.test ? record.summary?.replace(/^test: /u, "") : record.summary) || record.type)));
  return line;
}
