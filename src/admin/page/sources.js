// sources.js - how events come in: what is cut stands below the header, since nothing else here shows that something may
// be missing. The words are the daemon's.

import { byId, el, foreign } from "./dom.js";
import { age, tick } from "./rows.js";

export class Sources {
  constructor() {
    this.place = byId("cuts");
    this.shown = "[]";
  }

  // Of one community; "": of all.
  update(model, community) {
    const cut = model.sources.filter(source => source.cut_since && (community === "" || source.community === community));
    const shown = JSON.stringify(cut);
    if (shown === this.shown) return;
    this.shown = shown;
    this.place.replaceChildren(...cut.map(({ words, cut_since: since }) => el("p", "cut", foreign("words", words), age({ since }))));
  }

  tick(time) {
    for (const since of this.place.querySelectorAll(".age")) tick(since, time);
  }
}
