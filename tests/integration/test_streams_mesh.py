"""Nodes that publish by their action redis and a hub that reads by streams, while all of them, and Redis, are killed."""

import random

import pytest
from harness import Daemon, config, wait_for
from store import array_of, kill, read

EDGES = ("edge1", "edge2")
ROUNDS, EACH = 60, 20


def text_of(node, server, log, **more):
    action = {"name": "bus", "type": "redis", "url": server.url}
    return config(node=node, actions=[action], store={"path": str(log)}, **more)


@pytest.fixture
def server(redis):
    return redis()


class Nodes:
    """Daemons by name, each of which can be killed and begins again with its log."""

    def __init__(self, folder, texts):
        self.folder, self.texts, self.n, self.alive = folder, texts, 0, {}
        for name in texts:
            self.start(name)

    def start(self, name):
        self.n += 1
        self.alive[name] = Daemon(self.folder / f"{name}-{self.n}", self.texts[name]).wait_ready()

    def kill(self, name):
        kill(self.alive[name])
        self.start(name)

    def finish(self):
        for daemon in self.alive.values():
            daemon.finish()


def test_exactly_once_whatever_is_killed(tmp_path, server):
    """Each event of each edge is in the hub's log once, in its edge's order, byte for byte; the hub publishes its own to
    where it reads, and none comes back."""
    logs = {name: tmp_path / f"{name}.db" for name in (*EDGES, "hub")}
    texts = {name: text_of(name, server, logs[name]) for name in EDGES}
    keys = [f"cad:events:{name}" for name in logs]
    texts["hub"] = text_of("hub", server, logs["hub"], streams=[{"name": "edges", "url": server.url, "keys": keys}])
    nodes = Nodes(tmp_path, texts)
    sent = dict.fromkeys(texts, 0)
    for i in range(ROUNDS):
        name = random.choice(list(texts))
        assert nodes.alive[name].post(array_of(EACH, i * EACH)).status == 200
        sent[name] += EACH
        if i % 4 == 0:
            nodes.kill(random.choice(list(texts)))
        if i == ROUNDS // 2:
            server.client.flushall()
        if i == ROUNDS * 3 // 4:
            server.kill()
            server.start()
    of_edges = "SELECT count(*) FROM events WHERE origin_node IS NOT NULL"
    wanted = sum(sent[name] for name in EDGES)
    wait_for(lambda: read(logs["hub"], of_edges)[0][0] >= wanted, "all events of the edges")
    for name in EDGES:
        mine = read(logs[name], "SELECT id, data FROM events ORDER BY id")
        assert read(logs["hub"], f"SELECT origin_id, data FROM events WHERE origin_node = '{name}' ORDER BY id") == mine
    nodes.finish()
    assert read(logs["hub"], "SELECT count(*) FROM events")[0][0] == sum(sent.values())
