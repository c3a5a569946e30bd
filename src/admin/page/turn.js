// turn.js - of several windows of one browser one sounds: the one whose turn it is. By Web Locks: when a window is closed,
// however that happens, it is the next one's. Where there are none (not from localhost and not by https, or refused) each sounds.

export class Turn {
  // what: that it sounds for. taken(): from now on it is the turn of this window.
  constructor(what, taken) {
    Object.assign(this, { what, taken, community: null, mine: false });
  }

  name(community) {
    return `board sound ${location.pathname} ${this.what} ${community}`;
  }

  // community: the one that is shown, "" for all of them; null: this window cannot sound. Windows that show others do not
  // wait for each other.
  want(community) {
    if (community === this.community) return;
    this.community = community;
    this.mine = false;
    this.asked?.abort();
    if (community === null) return;
    const { signal } = this.asked = new AbortController();
    if (!navigator.locks) this.take();
    else navigator.locks.request(this.name(community), { signal }, () => this.hold(signal)).catch(() => this.doWithout(signal));
  }

  hold(signal) {
    if (signal.aborted) return undefined;
    this.take();
    return new Promise(resolve => signal.addEventListener("abort", resolve, { once: true }));
  }

  // Aborted; or refused, as to a page that may store nothing.
  doWithout(signal) {
    if (!signal.aborted && !this.mine) this.take();
  }

  take() {
    this.mine = true;
    this.taken();
  }

  // It is, and no window that shows all communities sounds for this one.
  async isMine() {
    if (!this.mine || this.community === "" || !navigator.locks) return this.mine;
    const { held } = await navigator.locks.query().catch(() => ({ held: [] }));
    return this.mine && !held.some(({ name }) => name === this.name(""));
  }
}
