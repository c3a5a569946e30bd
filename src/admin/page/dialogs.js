// dialogs.js - what opens over the board: a call's story, what is known of a unit, the keys, the sign-in.

import { ageText, byId, clockText, cut, el, foreign, setText, timeOf } from "./dom.js";
import { ask } from "./link.js";
import { callName, chip } from "./rows.js";

const LONGEST = 12_000;

// ---- parts ----

function facts(pairs) {
  const list = el("dl", "facts");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(el("dt", "", name), el("dd", "", foreign("", value, LONGEST)));
  }
  return list;
}

const time = text => (timeOf(text) === null ? "" : clockText(timeOf(text)));
const seconds = s => (s === null || s === undefined ? "–" : ageText(1000 * s));

function figures(story) {
  const rows = [["answered after", "answered_after"], ["first unit after", "first_unit_after"],
    ["first on scene after", "first_on_scene_after"], ["closed after", "closed_after"]];
  const list = el("dl", "figures");
  for (const [name, member] of rows) list.append(el("div", "", el("dt", "", name), el("dd", "", seconds(story.figures?.[member]))));
  return list;
}

function timeline(story) {
  const list = el("ol", "timeline");
  for (const entry of story.entries ?? []) {
    list.append(el("li", "", el("time", "", time(entry.time)),
      el("span", "after", entry.after === null || entry.after === undefined ? "" : `+${ageText(1000 * entry.after)}`),
      foreign("said", entry.summary || entry.type, LONGEST)));
  }
  return list;
}

function crew(story) {
  if (!story.units?.length) return null;
  const head = el("tr", "", ...["Unit", "attached", "en route", "on scene", "left"].map(word => el("th", "", word)));
  const table = el("table", "times", el("thead", "", head));
  const body = el("tbody");
  for (const unit of story.units) {
    const name = el("th", "", foreign("", [unit.number || `unit ${unit.id}`, unit.name].filter(Boolean).join(" "), 80));
    name.scope = "row";
    body.append(el("tr", "", name, ...["attached", "en_route", "on_scene", "left"].map(member => el("td", "", time(unit[member]) || "–"))));
  }
  for (const cell of head.children) cell.scope = "col";
  table.append(body);
  return table;
}

function callFacts(call) {
  return facts([["Address", call.address], ["Postal", call.postal], ["Block", call.block], ["Code", call.code],
    ["Description", call.description], ["Last note", call.last_note], ["Opened", time(call.opened)]]);
}

function call911Facts(call) {
  return facts([["Caller", call.caller], ["Phone", call.phone], ["Location", call.location], ["Postal", call.postal],
    ["Plate", call.plate], ["Position", call.position && typeof call.position === "object" ? JSON.stringify(call.position) : call.position],
    ["Description", call.description], ["Opened", time(call.opened)]]);
}

function unitFacts(unit) {
  return facts([["Name", unit.name], ["Number", unit.number], ["Department", unit.department], ["Group", unit.group],
    ["Location", unit.location], ["In this status since", time(unit.status_since)], ["On duty since", time(unit.duty_since)],
    ["Panic since", time(unit.panic_since)], ["Calls", (unit.calls ?? []).join(", ")], ["Id", unit.id]]);
}

// ---- the dialogs ----

const FORMS = {
  call: { title: callName, facts: callFacts, story: call => ({ call: call.id }) },
  call911: { title: call => call.description || `911 call ${call.id}`, facts: call911Facts, story: call => ({ call911: call.id }) },
  unit: { title: unit => [unit.number, unit.name].filter(Boolean).join(" ") || `unit ${unit.id}`, facts: unitFacts },
};

export class Dialogs {
  constructor() {
    this.story = byId("story");
    this.keys = byId("keys");
    this.signIn = byId("sign-in");
    for (const dialog of [this.story, this.keys]) {
      dialog.querySelector(".close").addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    }
    this.signIn.addEventListener("cancel", event => event.preventDefault());
  }

  get open() {
    return Boolean(document.querySelector("dialog[open]"));
  }

  showKeys() {
    this.keys.showModal();
  }

  // First what is known here, then the story, where the daemon has one.
  async show(kind, item) {
    const form = FORMS[kind], inside = byId("story-inside");
    this.item = item;
    byId("story-title").replaceChildren(chip(item.label), foreign("", form.title(item), 200), foreign("id", `#${item.id}`));
    inside.replaceChildren(form.facts(item));
    if (!this.story.open) this.story.showModal();
    inside.scrollTop = 0;
    if (!form.story) return;
    const waiting = el("p", "note", "Looking for its story …");
    inside.append(waiting);
    try {
      const answer = await ask("api/story", { community: item.node ? `${item.community}@${item.node}` : item.community, ...form.story(item) });
      const story = await answer.json();
      if (this.item !== item) return;
      waiting.replaceWith(...[figures(story), crew(story), timeline(story),
        story.complete === false && story.missing ? el("p", "note", foreign("", story.missing)) : null].filter(Boolean));
    } catch (problem) {
      waiting.textContent = problem.status === 404 ? "Its story is not in the log." : `Its story cannot be shown: ${cut(problem.message)}`;
    }
  }

  // done: when the daemon has taken a token.
  askToken(done) {
    const field = byId("token");
    byId("sign-in-form").onsubmit = event => {
      event.preventDefault();
      this.offer(field.value.trim()).then(taken => (taken ? done() : field.select()));
    };
    if (!this.signIn.open) this.signIn.showModal();
    field.focus();
  }

  // False: it was not taken; the form, if it is open, says why.
  async offer(token) {
    setText(byId("sign-in-problem"), "");
    try {
      await signIn(token);
    } catch ({ status, message }) {
      setText(byId("sign-in-problem"), status === 401 ? "That is not the token." : cut(message));
      return false;
    }
    byId("token").value = "";
    this.signIn.close();
    return true;
  }
}

// Gives the token for a cookie.
const signIn = token => ask("api/session", {}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ token }),
});
