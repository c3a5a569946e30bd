"""Three nodes under load, a hub and a redis-server that saves every second: each of them is killed, frozen and cut off at
random, streams are deleted and what the server saved loses its end. Afterwards the hub has each event of each node once,
byte for byte and in its node's order, each stream is its node's log, and nothing was told as lost.

CHAOS_SECONDS: how long, 20 unless told; from 120 on also partitions of a minute. CHAOS_SEED: as in that run.
"""

import collections
import contextlib
import os
import random
import signal
import threading
import time

import pytest
import store
from harness import wait_for
from redis_server import assert_whole
from relay import Relay
from store import kill, read
from test_edges_and_hub import ORIGINS, STREAMS, assert_hub_is_whole, edge_on

SECONDS = int(os.environ.get("CHAOS_SECONDS", "20"))
PER_SECOND = 100  # of each node
ARRAY = 5
NEWEST = "SELECT coalesce(max(id), 0) FROM events"
MINUTE_S = 60
CUT_MAX_BYTES = 3 * PER_SECOND * 700  # what a second adds to what the server saves


class Load(store.Sent, threading.Thread):
    """Posts arrays to a node, so many events a second, over all its lives."""

    def __init__(self, node):
        store.Sent.__init__(self, size=ARRAY)
        threading.Thread.__init__(self, daemon=True)
        self.node, self.enough = node, threading.Event()
        self.start()

    def run(self):
        while not self.enough.wait(ARRAY / PER_SECOND):
            self.post(self.node.daemon)


class Node:
    """A daemon with a log, and its own way to the server. begin(node) gives a daemon of it."""

    def __init__(self, begin, file, port):
        self.begin, self.file, self.relay = begin, file, Relay(port)
        self.daemon = begin(self)
        self.daemons = [self.daemon]

    def again(self):
        self.daemon = self.begin(self)
        self.daemons.append(self.daemon)

    def newest(self):
        return read(self.file, NEWEST)[0][0]

    def lines(self):
        return [line for daemon in self.daemons for line in daemon.lines()]


class Chaos:
    def __init__(self, edges, hub, server, seed):
        self.edges, self.hub, self.server, self.random = edges, hub, server, random.Random(seed)
        self.done = []
        print(f"seed {seed}")

    def some(self, most_s):
        time.sleep(self.random.uniform(0.05, most_s))

    def edge(self):
        return self.random.choice(list(self.edges.values()))

    def any(self):
        return self.random.choice([self.hub, *self.edges.values()])

    def kill(self, node):
        kill(node.daemon)
        self.some(1)
        node.again()

    def edge_killed(self):
        self.kill(self.edge())

    def hub_killed(self):
        self.kill(self.hub)

    def server_killed(self):
        self.server.kill()
        self.some(3)
        self.server.start()

    def tail_cut(self):
        """As after a power cut: what the server had said was saved, within a second, is not."""
        self.server.kill()
        newest = max((self.server.folder / "appendonlydir").glob("*.incr.aof"), key=os.path.getmtime)
        with open(newest, "r+b") as aof:
            aof.truncate(max(0, newest.stat().st_size - self.random.randrange(CUT_MAX_BYTES)))
        self.some(2)
        self.server.start()

    def server_frozen(self):
        with self.server.frozen():
            self.some(6)

    def hub_frozen(self):
        with self.hub.daemon.stopped():
            self.some(4)

    def edge_frozen(self):
        with self.edge().daemon.stopped():
            self.some(2)

    def flushed(self):
        self.server.client.flushall()

    def deleted(self):
        self.server.client.delete(f"cad:events:{self.random.choice(list(self.edges))}")

    def clients_killed(self):
        self.server.client.client_kill_filter(_type="normal", skipme=True)

    def partition(self):
        with self.any().relay.closed():
            self.some(5)

    def partition_of_a_minute(self):
        with self.any().relay.closed():
            time.sleep(MINUTE_S)

    def go_on(self):
        several = [self.edge_killed, self.hub_killed, self.server_killed, self.tail_cut, self.server_frozen, self.hub_frozen,
                   self.edge_frozen, self.flushed, self.deleted, self.clients_killed, self.partition] * 3
        what = self.random.choice(several + [self.partition_of_a_minute] * (SECONDS >= 120))
        self.done.append(what.__name__)
        what()


def hub_begins(start):
    def begin(node):
        return start(store={"path": str(node.file)}, streams=[{**STREAMS[0], "url": node.relay.url}], log={"level": "notice"})

    return begin


def edge_begins(start, name):
    def begin(node):
        action = {"name": "bus", "type": "redis", "url": node.relay.url, "max_len": 0}
        return start(store={"path": str(node.file)}, node=name, actions=[action], log={"level": "notice"})

    return begin


@pytest.fixture
def chaos(start, redis, tmp_path):
    """Once each stream has been seen by the hub, since what it does not see now it looks for after 30 s."""
    server = redis(tcp=True, appendonly="yes", appendfsync="everysec")
    with contextlib.ExitStack() as stack:
        edges = {}
        for name in ("edge1", "edge2", "edge3"):
            edges[name] = Node(edge_begins(start, name), tmp_path / f"{name}.db", server.port)
            stack.callback(edges[name].relay.close)
        loads = {name: Load(edge) for name, edge in edges.items()}
        stack.callback(lambda: [load.enough.set() for load in loads.values()])
        wait_for(lambda: server.client.exists(*(f"cad:events:{name}" for name in edges)) == len(edges), "the streams")
        hub = Node(hub_begins(start), tmp_path / "hub.db", server.port)
        stack.callback(hub.relay.close)
        yield Chaos(edges, hub, server, int(os.environ.get("CHAOS_SEED", time.time()))), loads


def test_chaos(chaos):
    chaos, loads = chaos
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        chaos.some(2)
        chaos.go_on()
    for load in loads.values():
        load.enough.set()
        load.join()
    for name, load in loads.items():
        assert load.post(chaos.edges[name].daemon) == 200
    newest = {name: edge.newest() for name, edge in chaos.edges.items()}
    wait_for(lambda: chaos.hub.newest() >= sum(newest.values()), f"all events at the hub, after {chaos.done[-5:]}")
    for name, edge in chaos.edges.items():
        store.assert_all_there(edge.file, [loads[name]])
        key = f"cad:events:{name}"
        wait_for(lambda: chaos.server.client.xrevrange(key, count=1)[0][0].endswith(f"-{newest[name]}"), f"the end of {key}")
        assert_whole(chaos.server, edge.file, key)
    assert_hub_is_whole(chaos.hub.file, {name: edge.file for name, edge in chaos.edges.items()})
    assert len(read(chaos.hub.file, ORIGINS)) == sum(newest.values())
    gaps = [line for line in chaos.hub.lines() if "are lost" in line]
    print(f"{sum(newest.values())} events; {dict(collections.Counter(chaos.done))}; {len(gaps)} gaps told")
    assert not gaps, gaps[:3]
