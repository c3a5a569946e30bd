"""The source streams, where somebody who may write to a stream writes nonsense into it."""

import json

import pytest
from ctl_tools import status_of
from harness import call911, config, wait_for
from redis_server import Node
from test_streams_in import KEY, ids, origins, rows, wait_origins

N = 300
TELLS_AT_MOST = 5


@pytest.fixture
def server(redis):
    return redis()


def test_entries_that_each_miss_another_one(start, server):
    """Such a line could be had by the million; the count has them all."""
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    edge.post(call911(7))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 1))
    record, epoch = json.loads(node.records()[1]), node.epoch_of(1)
    with server.client.pipeline(transaction=False) as pipe:
        for i in range(2, N + 2):
            members = {"prev": f"{epoch}-{10**9 + i}", "record": json.dumps({**record, "id": i})}
            pipe.xadd(KEY, members, id=f"{epoch}-{i}")
        pipe.execute()
    wait_for(lambda: len(origins(hub)) == N + 1, "all that came")
    assert status_of(hub)["streams"][0]["gaps"] == N
    hub.wait_line("are lost.*; what more is lost within a minute is only counted")
    assert len([line for line in hub.lines() if "are lost" in line]) == TELLS_AT_MOST


@pytest.mark.parametrize("first", [True, False], ids=["before the start", "later"])
def test_entry_that_is_too_large(start, server, first):
    """Its stream is passed and told with its key; all others are read."""
    edge = start()
    node = Node(edge, server, KEY)
    members = [word for i in range(150_000) for word in (f"a{i}", "b")]
    server.client.xadd("cad:events:evil", {"a": "b"}, id="1-1")
    if first:
        server.client.execute_command("XADD", "cad:events:evil", "1-2", *members)
    hub = start(config(streams=rows(server)))
    edge.post(call911(1))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 1))
    if not first:
        server.client.execute_command("XADD", "cad:events:evil", "1-2", *members)
    hub.wait_line("cad:events:evil is not read: an entry of it, .*, is larger than 64 MB or has more than 100,000 members")
    edge.post(call911(2))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 2))
    status = {one["key"]: one for one in status_of(hub)["streams"][0]["streams"]}
    assert status[KEY]["read"] and not status["cad:events:evil"]["read"]
    assert len([line for line in hub.lines() if "is not read" in line]) == 1
