"""A hub that is killed, frozen, cut off, refuses and restarts while it sends 2,000 events a second. Afterwards the log has
every event whose last byte the daemon's system had acknowledged, each once and in order, and each gap is named.

CHAOS_SECONDS: how long, 20 unless told; from 120 on also silences that last until the session gives up.
"""

import os
import random
import re
import time

import store
from cad import COMMUNITY, fixed_port
from harness import call911, wait_for
from test_session_life import seconds_of, template
from wires import Wire

SECONDS = int(os.environ.get("CHAOS_SECONDS", "20"))
PER_SECOND = 2000
SLOW_S = 5  # what may be between a byte and who reads it
GENERATION = 100_000_000  # numbers of one life of the hub
NEWEST = "SELECT json_extract(data, '$.call.callId') FROM events ORDER BY id DESC LIMIT 1"
RETRY = {"status": "503 Service Unavailable", "headers": {"Retry-After": "1"}}


class Chaos:
    def __init__(self, hub, wire, seed):
        self.hub, self.wire, self.random = hub, wire, random.Random(seed)
        self.generation, self.done = 0, []
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
        """Nothing comes through, in neither direction, and nobody is told."""
        self.wire.dead = True
        self.some(25 if SECONDS >= 120 else 2)
        self.wire.cut(reset=True)
        self.wire.dead = False

    def busy(self):
        self.hub.set(upgrade=RETRY)
        self.wire.cut(reset=True)
        self.some(2)
        self.hub.set(upgrade=None)

    def go_on(self):
        what = self.random.choice([self.killed, self.restarted, self.frozen, self.cut, self.closed, self.silent, self.busy])
        self.done.append(what.__name__)
        what()


def connected(hub, wire):
    """The newest connection of the newest life is logged in."""
    return hub.counts()["sessions"] == 1 and not wire.legs[-1].over


def test_chaos(start):
    seed = int(os.environ.get("CHAOS_SEED", time.time()))
    hub = fixed_port(keepAlive=1000)
    wire = Wire(hub.port)
    try:
        daemon = start(sessions=[hub.session(url=hub.at("/apiWsHub", port=wire.port))], log={"level": "notice"})
        hub.wait_sessions(1)
        chaos = Chaos(hub, wire, seed)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            wait_for(lambda: connected(hub, wire), f"a session, after {chaos.done[-3:]}")
            chaos.some(2)
            chaos.go_on()
        wait_for(lambda: connected(hub, wire), "a session at last")
        hub.quiet()
        hub.push(call911(chaos.generation * GENERATION))
        file = daemon.file.parent / "events.db"
        wait_for(lambda: store.read(file, NEWEST)[0][0] == chaos.generation * GENERATION, "the last")
        wire.cut(reset=False)
        daemon.stop()
    finally:
        wire.close()
        hub.kill()
    assert_all_there(store.call_ids(file), wire, f"seed {seed}: {chaos.done}")
    assert_gaps_named(daemon, wire, f"seed {seed}: {chaos.done}")


def assert_all_there(stored, wire, what):
    acknowledged = wire.acknowledged()
    assert len(acknowledged) > SECONDS * 50, f"the test did nothing: {what}"
    assert stored == sorted(set(stored)), f"twice, or not in order: {what}"
    lost = set(acknowledged) - set(stored)
    assert not lost, f"{len(lost)} of {len(acknowledged)} are lost, as {sorted(lost)[:5]}: {what}"
    print(f"{len(stored)} events, {len(acknowledged)} acknowledged, {len(wire.legs)} connections; {what}")


def assert_gaps_named(daemon, wire, what):
    """Each connection after the first that had a session says how long there was none."""
    had = [leg for leg in wire.legs if leg.logged_in]
    named = [seconds_of(line) for line in daemon.lines() if re.search("session city: connected .*again", line)]
    assert len(named) == len(had) - 1, f"{len(named)} gaps are named, {len(had)} connections had a session: {what}"
    for before, after, seconds in zip(had, had[1:], named):
        assert abs(seconds - (after.logged_in - before.last_byte)) <= SLOW_S, f"{seconds} s are named: {what}"
