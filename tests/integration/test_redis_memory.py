"""A server with little memory, by each policy of what it does about that: what it refuses or takes away comes when there is
room, to the stream and to who reads it."""

import pytest
from harness import wait_for
from redis_server import assert_whole
from store import array_of, read
from test_edges_and_hub import assert_hub_is_whole, hub_on

KEY = "cad:events:edge1"
REQUESTS, EVENTS, BYTES = 50, 25, 20_000  # 25 MB
POLICIES = ["noeviction", *(f"{keys}-{which}" for keys in ("allkeys", "volatile") for which in ("lru", "lfu", "random")),
            "volatile-ttl"]
NEWEST = "SELECT max(id) FROM events"


@pytest.mark.parametrize("policy", POLICIES)
def test_little_memory(start, redis, tmp_path, policy):
    server = redis(maxmemory="16mb", maxmemory_policy=policy)
    file, hub_file = tmp_path / "edge1.db", tmp_path / "hub.db"
    edge = start(store={"path": str(file)}, node="edge1", actions=[server.action(max_len=0)])
    edge.post(array_of(1))
    server.wait_ids([1])
    hub_on(start, hub_file, server)
    for i in range(REQUESTS):
        assert edge.post(array_of(EVENTS, 1000 * (i + 1), description="x" * BYTES)).status == 200
    if policy.startswith("allkeys"):
        edge.wait_line(f"the stream {KEY} is gone, which ended with .*: it is published again from the log")
        edge.wait_line(f"not delivered, next try in .*the stream {KEY} has lost its entries again: its server has too little memory")
    else:
        edge.wait_line("not delivered, next try in .*its memory is full: it needs a higher maxmemory")
    if policy == "noeviction":
        assert not edge.find_line("maxmemory-policy")
    else:
        edge.wait_line(f"the server's maxmemory-policy is {policy}: ")
    server.client.config_set("maxmemory", "0")
    newest = 1 + REQUESTS * EVENTS
    wait_for(lambda: read(hub_file, NEWEST) == [(newest,)], "all events at the hub")
    wait_for(lambda: server.ids()[-1:] == [newest], "all events in the stream")
    assert_whole(server, file)
    assert_hub_is_whole(hub_file, {"edge1": file})
