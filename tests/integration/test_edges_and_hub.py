"""Nodes whose actions of type redis publish, and a hub that reads. test_streams_chaos.py kills all of them."""

from harness import wait_for
from store import read
from test_redis import post

STREAMS = [{"name": "edges", "url": "redis://127.0.0.1", "keys": ["cad:events:*"]}]
ORIGINS = "SELECT origin_node, origin_id, data FROM events WHERE origin_node IS NOT NULL ORDER BY id"


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
