"""A Redis far away from its nodes: 200 ms each way, and every twentieth packet is lost. Everything comes, and a partition is told
and heals.

FAR_EVENTS: how many, 300 unless told. FAR_PARTITION_S: how long, 5 unless told.
"""

import contextlib
import os
import time

import pytest
from harness import wait_for
from redis_server import assert_whole
from slow_network import SlowNetwork
from store import array_of, read
from test_edges_and_hub import assert_hub_is_whole, hub_on

KEY = "cad:events:edge1"
EVENTS = int(os.environ.get("FAR_EVENTS", "300"))
PARTITION_S = float(os.environ.get("FAR_PARTITION_S", "5"))
AT_ONCE = 10
HUB_NOTICES_S = 35  # it asks for 10 s, and waits 20 s for an answer
PATIENCE_S = 900
NEWEST = "SELECT max(id) FROM events"


@pytest.fixture
def far():
    with contextlib.closing(SlowNetwork()) as network:
        yield network


def post(edge, first):
    for i in range(first, first + EVENTS, AT_ONCE):
        assert edge.post(array_of(AT_ONCE, i)).status == 200


def calls(server, command):
    return server.client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


def wait_all(server, hub_file, n):
    began, before = time.monotonic(), {command: calls(server, command) for command in ("evalsha", "xread")}
    wait_for(lambda: server.client.xrevrange(KEY, count=1)[0][0].endswith(f"-{n}"), "all of them in the stream", PATIENCE_S)
    published_s = time.monotonic() - began
    wait_for(lambda: read(hub_file, NEWEST) == [(n,)], "all of them at the hub", PATIENCE_S)
    told = {command: calls(server, command) - before[command] for command in before}
    print(f"{EVENTS} events: in the stream after {published_s:.1f} s by {told['evalsha']} batches, at the hub after "
          f"{time.monotonic() - began:.1f} s by {told['xread']} answers")


def test_far_away(start, redis, far, tmp_path):
    server = redis(tcp=True, host=far.there, wrapper=far.wrapper, protected_mode="no")
    file, hub_file = tmp_path / "edge1.db", tmp_path / "hub.db"
    action = server.action(max_len=0, timeout="4s")
    edge = start(store={"path": str(file)}, node="edge1", actions=[action], log={"level": "notice"})
    edge.post(array_of(1))
    server.wait_ids([1])  # so that the hub sees the stream
    hub = hub_on(start, hub_file, server)
    post(edge, 1)
    wait_all(server, hub_file, 1 + EVENTS)

    since = len(edge.lines())
    with far.partition():
        began = time.monotonic()
        post(edge, 1 + EVENTS)
        edge.wait_line("not delivered, next try in .*(does not answer|cannot connect)", since)
        if PARTITION_S > HUB_NOTICES_S:
            hub.wait_line("streams edges: .*(does not answer|cannot connect)")
        while time.monotonic() - began < PARTITION_S:
            time.sleep(0.1)
    wait_all(server, hub_file, 1 + 2 * EVENTS)
    assert_whole(server, file)
    assert_hub_is_whole(hub_file, {"edge1": file})
    assert not hub.find_line("are lost")
    print(f"{far.carried} packets were carried, {far.lost} lost")
