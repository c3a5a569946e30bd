"""Nodes whose actions of type redis publish, and a hub that reads: each event once, in each node's order, over kills of all of them."""

import random

import harness
import pytest
from harness import wait_for
from store import end_all, kill, numbers, read, under_load
from test_redis import post

STREAMS = [{"name": "edges", "url": "redis://127.0.0.1", "keys": ["cad:events:*"]}]
ORIGINS = "SELECT origin_node, origin_id, data FROM events WHERE origin_node IS NOT NULL ORDER BY id"


@pytest.fixture(autouse=True)
def has_streams(tmp_path):
    harness.write_private(tmp_path / "check.yaml", harness.config(streams=STREAMS))
    if "streams: unknown option" in harness.run("-c", tmp_path / "check.yaml", "--check").output:
        pytest.skip("this daemon has no source of streams")


def hub_on(start, path, server):
    return start(store={"path": str(path)}, streams=[{**STREAMS[0], "url": server.url}])


def edge_on(start, path, node, server):
    action = {"name": "bus", "type": "redis", "url": server.url}
    return start(store={"path": str(path)}, node=node, actions=[action])


def assert_hub_is_whole(hub_file, files):
    rows = read(hub_file, ORIGINS)
    for node, file in files.items():
        own = read(file, "SELECT id, data FROM events WHERE verdict = 'accepted' ORDER BY id")
        assert [(i, data) for name, i, data in rows if name == node] == own


def test_all_are_killed(start, redis, tmp_path):
    server = redis(appendonly="yes", appendfsync="everysec")
    chance = random.Random(3)
    files = {f"edge{i}": tmp_path / f"edge{i}.db" for i in (1, 2)}
    hub_file = tmp_path / "hub.db"
    for n in range(6):
        edges = [edge_on(start, file, node, server) for node, file in files.items()]
        clients = [under_load(edge, n * 100_000_000 + i * 50_000_000, clients=1) for i, edge in enumerate(edges)]
        wait_for(lambda: all(len(numbers(file)) > (n + 1) * 300 for file in files.values()), "events")
        hub = hub_on(start, hub_file, server)  # a stream that it does not see now it looks for after 30 s
        if n % 3 == 1:
            server.kill()
            wait_for(lambda: all(len(numbers(file)) > (n + 1) * 300 + 200 for file in files.values()), "events")
            server.start()
        elif n % 3 == 2:
            server.client.flushall()
        for daemon in chance.sample([hub, *edges], 3):
            kill(daemon)
        for one in clients:
            end_all(one)
    hub = hub_on(start, hub_file, server)
    for node, file in files.items():
        post(edge_on(start, file, node, server), 1)
    total = sum(len(numbers(file)) for file in files.values())
    wait_for(lambda: len(read(hub_file, ORIGINS)) >= total, "all events at the hub")
    assert_hub_is_whole(hub_file, files)


def test_log_of_an_edge_is_put_back(start, redis, tmp_path):
    """What was lost with it stays at the hub; what came since is new there, whatever number it has."""
    server, file = redis(), tmp_path / "edge1.db"
    first = edge_on(start, file, "edge1", server)
    post(first, 1, 3)
    server.wait_ids([1, 2, 3])
    hub_on(start, tmp_path / "hub.db", server)
    first.stop()
    copy = file.read_bytes()
    second = edge_on(start, file, "edge1", server)
    post(second, 4, 3)
    wait_for(lambda: len(read(tmp_path / "hub.db", ORIGINS)) == 6, "all events at the hub")
    second.stop()
    file.write_bytes(copy)
    third = edge_on(start, file, "edge1", server)
    post(third, 10, 2)
    wait_for(lambda: len(read(tmp_path / "hub.db", ORIGINS)) >= 8, "all events at the hub")
    rows = read(tmp_path / "hub.db", ORIGINS)
    assert [id_ for _, id_, _ in rows] == [1, 2, 3, 4, 5, 6, 4, 5]
    assert '"callId": 10' in rows[6][2] and '"callId": 11' in rows[7][2]
