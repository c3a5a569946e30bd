"""A hub that is killed, frozen, cut off, refuses and restarts while it sends 2,000 events a second. Afterwards the log has
every event whose last byte the daemon's system had acknowledged, each once and in order, each gap is named, and each
connection was asked for in its time.

CHAOS_SECONDS: how long, 20 unless told; from 120 on also silences that last until the session gives up. CHAOS_SEED: as in
that run.
"""

import os
import random
import re
import time

import store
from cad import COMMUNITY, fixed_port
from certificates import Authority
from harness import call911, config, wait_for
from test_session_life import seconds_of, template
from wires import Wire

SECONDS = int(os.environ.get("CHAOS_SECONDS", "20"))
PER_SECOND = 2000
WITHIN_S = 1  # of what is named
SLOW_S = 5  # what may be between a byte and who reads it
GENERATION = 100_000_000  # numbers of one life of the hub
NEWEST = "SELECT json_extract(data, '$.call.callId') FROM events ORDER BY id DESC LIMIT 1"
RETRY = {"status": "503 Service Unavailable", "headers": {"Retry-After": "1"}}
STEPS_S = 2, 5, 10, 30, 60  # between connections, behind the first, each by half to one and a half
MINUTE_S = 60


class Chaos:
    def __init__(self, daemon, texts, hub, wire, seed):
        self.daemon, self.texts, self.hub, self.wire, self.random = daemon, texts, hub, wire, random.Random(seed)
        self.generation, self.done, self.reloads = 0, [], []
        self.begin()

    def begin(self):
        """Numbers of a life are above those of the one before."""
        self.hub.burst(community=COMMUNITY, server=1, first=self.generation * GENERATION + 1, perSecond=PER_SECOND, template=template())
        self.generation += 1

    def some(self, most_s):
        time.sleep(self.random.uniform(0.05, most_s))

    def killed(self):
        with self.hub.down():
            self.some(1)
        self.begin()

    def restarted(self):
        """Says that it goes, as for an update."""
        self.hub.close(allowReconnect=True)
        self.killed()

    def frozen(self):
        with self.hub.frozen():
            self.some(3)

    def cut(self):
        self.wire.cut(reset=True)

    def closed(self):
        self.wire.cut(reset=False)

    def silent(self):
        """Half open: nothing comes through, in neither direction, and nobody is told."""
        self.wire.dead = True
        self.some(25 if SECONDS >= 120 else 2)
        self.wire.cut(reset=True)
        self.wire.dead = False

    def busy(self):
        self.hub.set(upgrade=RETRY)
        self.wire.cut(reset=True)
        self.some(2)
        self.hub.set(upgrade=None)

    def reloaded(self):
        """Another connection is wanted, and at once: who had to wait longer and longer begins anew."""
        self.texts.reverse()
        self.reloads.append(time.time())
        self.daemon.reload(self.texts[0])

    def go_on(self):
        """After two losses in a row a reload, so that most of the time is not waited for a connection."""
        losses = [self.killed, self.restarted, self.frozen, self.cut, self.closed, self.silent, self.busy]
        what = self.random.choice(losses) if len(self.done) % 3 != 2 else self.reloaded
        self.done.append(what.__name__)
        what()

    def is_connected(self):
        """By the newest connection, and the hub holds no other for open."""
        counts, newest = self.hub.counts(), self.wire.legs[-1]
        return counts["sessions"] == counts["open"] == 1 and newest.logged_in and not newest.over

    def wait_connected(self):
        wait_for(self.is_connected, f"a session, after {self.done[-3:]}")


def test_chaos(start, tmp_path):
    seed = int(os.environ.get("CHAOS_SEED", time.time()))
    hub = fixed_port(keepAlive=1000)
    wire = Wire(hub.port)
    ca = str(Authority(tmp_path / "tls").ca)  # of no use here: it only makes another session of it
    city = hub.session(url=hub.at("/apiWsHub", port=wire.port))
    texts = [config(sessions=[one], log={"level": "notice"}) for one in (city, {**city, "ca_file": ca})]
    try:
        daemon = start(texts[0])
        chaos = Chaos(daemon, texts, hub, wire, seed)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            chaos.wait_connected()
            chaos.some(2)
            chaos.go_on()
        chaos.wait_connected()
        hub.quiet()
        last = chaos.generation * GENERATION
        assert hub.push(call911(last)) == 1
        file = daemon.file.parent / "events.db"
        wait_for(lambda: store.read(file, NEWEST)[0][0] == last, f"the last, seed {seed}: {chaos.done}")
        wire.cut(reset=False)
        daemon.stop()
    finally:
        wire.close()
        hub.kill()
    what = f"seed {seed}: {chaos.done}"
    assert_all_there(store.call_ids(file), wire, what)
    assert_gaps_named(daemon, wire, what)
    assert_in_their_time(wire.legs, chaos.reloads, what)


def assert_all_there(stored, wire, what):
    acknowledged = wire.acknowledged()
    assert len(acknowledged) > SECONDS * 50, f"the test did nothing: {what}"
    assert stored == sorted(set(stored)), f"twice, or not in order: {what}"
    lost = set(acknowledged) - set(stored)
    assert not lost, f"{len(lost)} of {len(acknowledged)} are lost, as {sorted(lost)[:5]}: {what}"
    print(f"{len(stored)} events, {len(acknowledged)} acknowledged, {len(wire.legs)} connections; {what}")


def assert_gaps_named(daemon, wire, what):
    """Each connection after the first that had a session says how long there was none: from the last byte to the login. A
    machine may be slow now and then, not most of the time."""
    had = [leg for leg in wire.legs if leg.logged_in]
    named = [seconds_of(line) for line in daemon.lines() if re.search("session city: connected .*again", line)]
    assert len(named) == len(had) - 1, f"{len(named)} gaps are named, {len(had)} connections had a session: {what}"
    wrong = sorted(abs(seconds - (after.logged_in - before.last_byte)) for before, after, seconds in zip(had, had[1:], named))
    print(f"{len(named)} gaps of up to {max(named)} s, named within {wrong[-1]:.2f} s, half of them {wrong[len(wrong) // 2]:.2f} s")
    assert wrong[len(wrong) // 2] <= WITHIN_S and wrong[-1] <= SLOW_S, f"{wrong[-5:]} s beside what is named: {what}"


def assert_in_their_time(legs, reloads, what):
    """What the backoff promises, seen from outside: the row of steps begins anew with a session that is lost, but not twice
    in a row where they lived less than a minute; with a 503 it is not before what it asks for; with a reload at once."""
    step, was_short, pauses = 0, False, []
    for before, after in zip(legs, legs[1:]):
        pause = after.began - before.ended
        live_s = before.ended - before.logged_in if before.logged_in else 0
        if live_s and (live_s >= MINUTE_S or not was_short):
            step = 0
        was_short = live_s < MINUTE_S if live_s else was_short
        if any(before.began <= reload <= after.began for reload in reloads):
            step, was_short, least, most = 0, False, 0, 2
        elif b" 503 " in before.answer:
            least, most = 1, 3
        else:
            least, most = (STEPS_S[min(step, 5) - 1] * part for part in (0.5, 1.5)) if step else (0, 2)
            step += 1
        pauses.append(pause)
        assert least - 0.1 <= pause <= most + SLOW_S, f"{pause:.1f} s between two connections, not {least} to {most}: {what}"
    print(f"{len(pauses)} times connected again, after {min(pauses):.2f} to {max(pauses):.1f} s")
