"""The source streams: events of other nodes by a real redis-server, each exactly once, whatever is killed or deleted."""

import json
import random
import re
import threading
import time

import pytest
from ctl_tools import ask_socket, ctl, status_of
from disk import NO_SPACE, STALL, SYNC, WRITE
from harness import Daemon, call911, config, event, wait_for
from redis_server import Node
from store import array_of, change, kill, numbers, read
from streams import Stream
from test_admin import socket_of
from test_metrics import counted

KEY = "cad:events:edge1"
ORIGINS = "SELECT origin_node, origin_id FROM events WHERE origin_node IS NOT NULL ORDER BY id"


@pytest.fixture
def server(redis):
    return redis()


def rows(server, **options):
    return [{"name": "edges", "url": server.url, "keys": ["cad:events:*"], **options}]


def hub_config(server, **options):
    return config(streams=rows(server, **options))


def log_of(daemon):
    return daemon.file.with_name("events.db")


def origins(hub):
    return read(log_of(hub), ORIGINS)


def wait_origins(hub, wanted):
    wait_for(lambda: len(origins(hub)) >= len(wanted), f"{len(wanted)} events of other nodes")
    assert origins(hub) == wanted


def ids(node, first, last):
    return [(node, i) for i in range(first, last + 1)]


def flat(said):
    """Lines that were wrapped are one."""
    return re.sub(r"\n +", " ", said)


def wait_connected(hub, since=0):
    return hub.wait_line("connected to .* reads", since)


def test_an_event_is_what_it_was(start, server):
    edge = start()
    for body in (call911(7, caller="Ann", location="Pier"), event("EVENT_OF_TOMORROW"), event(test=True)):
        edge.post(body)
    Node(edge, server, KEY).publish()
    hub = start(hub_config(server))
    wait_origins(hub, ids("edge1", 1, 3))
    columns = "time, community, listener, peer, type, verdict, level, test, summary, calls911, known, data, extra"
    sql = f"SELECT received_at AS {columns} FROM events ORDER BY id"
    assert read(log_of(hub), sql) == read(log_of(edge), sql)
    life = read(log_of(edge), "SELECT log FROM lives")[0][0]
    assert read(log_of(hub), "SELECT DISTINCT origin_log, source FROM events") == [(life, "streams")]
    record = json.loads(Node(hub, server, "none").records()[1])
    assert record["origin"] == {"log": life, "id": 1, "node": "edge1"}
    assert record["community"] == "default"
    assert [(line["event_id"], line["node"]) for line in hub.events()] == [(1, "edge1"), (2, "edge1"), (3, "edge1")]
    assert hub.events()[0]["message"] == "default@edge1: 911 call 7 at Pier, from Ann"
    assert "node" not in edge.events()[0] and edge.events()[0]["message"] == "911 call 7 at Pier, from Ann"
    assert " 1 default@edge1: 911 call 7 at Pier, from Ann\n" in ctl("-c", hub.file, "events").stdout
    assert record["summary"] == "911 call 7 at Pier, from Ann"


def test_nodes_of_one_name_stay_apart(start, server):
    """Two nodes and the hub itself have a 911 call of the same number."""
    hub = start(hub_config(server))
    for node, caller in (("edge1", "Ann"), ("edge2", "Ben")):
        edge = start()
        edge.post(call911(7, caller=caller, location="Pier"))
        Node(edge, server, f"cad:events:{node}").publish()
    hub.post(call911(7, caller="Cid", location="Pier"))
    hub.reload(hub_config(server, communities=["def*"]))  # looks for keys anew
    wait_for(lambda: len(origins(hub)) == 2, "both")

    def callers(query=""):
        state = ask_socket(socket_of(hub), "GET", f"/api/state{query}")[2]
        return {(c["community"], c["node"]): c["caller"] for one in state["communities"] for c in one["calls911"]}

    all_of_them = {("default", "edge1"): "Ann", ("default", "edge2"): "Ben", ("default", None): "Cid"}
    assert callers() == all_of_them
    told = counted(hub)
    for realm in ("default", "default@edge1", "default@edge2"):
        assert told[f'sonoran_pushd_calls911_waiting{{community="{realm}"}}'] == 1
    assert callers("?community=default%40edge1") == {("default", "edge1"): "Ann"}
    assert callers("?community=default") == {("default", None): "Cid"}
    hub.post(event("EVENT_REMOVE_911", {"callIds": [7]}))
    del all_of_them["default", None]
    assert callers() == all_of_them
    for glob, n in ("*@edge1", 1), ("default@*", 2), ("default@edge2", 1), ("default", 2), ("*@EDGE1", 0):
        listed = ctl("-c", hub.file, "events", "--json", "--community", glob).stdout.splitlines()
        assert len(listed) == n, (glob, listed)
    assert "has to name it" in ctl("-c", hub.file, "events", "--community", "*@edge1", "--call", "911:7").stderr
    story = ask_socket(socket_of(hub), "GET", "/api/story?community=default%40edge1&call911=7")[2]
    assert [entry["type"] for entry in story["entries"]] == ["EVENT_911"]
    found = read(log_of(hub), "SELECT DISTINCT community FROM refs WHERE kind = '911' ORDER BY community")
    assert [row[0] for row in found] == ["default", "default@edge1", "default@edge2"]


def test_exactly_once_over_kills(start, server, tmp_path):
    edge = start()
    node = Node(edge, server, KEY)
    n_posts, n_each = 30, 40

    def bring():
        for i in range(n_posts):
            assert edge.post(array_of(n_each, i * n_each)).status == 200
            node.publish()

    bringing = threading.Thread(target=bring)
    bringing.start()
    text, count = hub_config(server), 0
    folder = tmp_path / "hub"
    while bringing.is_alive() or count < 5:
        hub = Daemon(folder.with_name(f"hub{count}"), text.replace("events.db", f"{tmp_path}/hub.db")).wait_ready()
        wait_connected(hub)
        seen = read(tmp_path / "hub.db", "SELECT count(*) FROM events")[0][0]
        if seen < n_posts * n_each:
            wait_for(lambda: read(tmp_path / "hub.db", "SELECT count(*) FROM events")[0][0] > seen, "one more")
        time.sleep(random.uniform(0, 0.05))
        kill(hub)
        count += 1
    bringing.join()
    hub = Daemon(folder, text.replace("events.db", f"{tmp_path}/hub.db")).wait_ready()
    n = n_posts * n_each
    wait_for(lambda: read(tmp_path / "hub.db", "SELECT count(*) FROM events")[0][0] >= n, "all of them")
    hub.finish()
    assert read(tmp_path / "hub.db", ORIGINS) == ids("edge1", 1, n)
    assert read(tmp_path / "hub.db", "SELECT data FROM events ORDER BY id") == read(
        log_of(edge), "SELECT data FROM events ORDER BY id"
    )


@pytest.mark.parametrize("command", ["delete", "flushall"])
def test_what_is_deleted_is_published_again(start, server, command):
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    edge.post(array_of(10))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 10))
    server.client.delete(KEY) if command == "delete" else server.client.flushall()
    edge.post(array_of(5))
    node.again()
    node.publish()
    wait_origins(hub, ids("edge1", 1, 15))


def test_the_end_before_what_was_read_is_told(start, server):
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    edge.post(array_of(3))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 3))
    server.client.delete(KEY)
    hub.reload(config(streams=rows(server, keys=[KEY], communities=["*"])))
    hub.wait_line(f"{KEY} ends at 0-0, before what was read .*-3.: waiting for edge1 to publish it again")
    for verb in ("status", "doctor"):
        assert f"{KEY} ends at 0-0, before what was read" in flat(ctl("-c", hub.file, verb).stdout)
    node.again()
    node.publish()
    edge.post(array_of(1))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 4))


def test_lost_entries_are_told_once(start, server):
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    edge.post(array_of(2))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 2))
    edge.post(array_of(6))
    node.publish(leave_out={3, 4, 5})
    wait_origins(hub, ids("edge1", 1, 2) + ids("edge1", 6, 8))
    hub.wait_line(f"{KEY}: entries of node edge1 are lost, behind .*-2 up to .*-5:")
    row = status_of(hub)["streams"][0]
    assert (row["gaps"], row["events"], row["entries"]) == (1, 5, 5)
    assert row["streams"][0]["gaps"] == 1
    assert len([line for line in hub.lines() if "are lost" in line]) == 1
    (shown,) = [one for one in ask_socket(socket_of(hub), "GET", "/api/state")[2]["sources"] if one["source"] == "streams"]
    assert shown["words"] == "streams edges: events of other nodes are lost, 1 time since the start" and shown["cut_since"]
    said = ctl("-c", hub.file, "status").stdout
    assert re.search(r"Streams: +edges at .*redis.sock: open, 1 stream, 5 events, the last \S+ \S+ ago, 1 gap\n", flat(said))
    said = flat(ctl("-c", hub.file, "doctor").stdout)
    assert "streams edges: open, 1 stream, 5 events" in said
    assert "streams edges: entries were lost 1 time since the start" in said


def test_events_of_its_own_are_passed(start, server):
    """And what is passed is not read again after a restart."""
    hub = start(config(streams=rows(server, keys=[KEY])))
    hub.post(array_of(3))
    node = Node(hub, server, KEY)
    node.publish()
    hub.wait_line("events of this very log stand in it")
    wait_for(lambda: status_of(hub)["streams"][0]["ours"] == 3, "all of them passed")
    position = f"{node.epoch_of(3)}-3"
    wait_for(lambda: read(log_of(hub), "SELECT value FROM positions WHERE source = 'streams'") == [(position,)], "kept")
    assert len(read(log_of(hub))) == 3


def test_a_life_of_its_own_that_began_meanwhile(start, server):
    hub = start(config(streams=rows(server, keys=[KEY])))
    node = Node(hub, server, KEY)
    for n in (1, 2):
        hub.post(array_of(1))
        node.publish()
        wait_for(lambda: status_of(hub)["streams"][0]["ours"] == n, "passed")
        change(log_of(hub), "INSERT INTO lives VALUES (2, ?, ?)", "ab" * 16, node.epoch_of(1) + 1) if n == 1 else None
    assert len(read(log_of(hub))) == 2


def test_what_is_no_record_is_passed(start, server):
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    server.client.xadd(KEY, {"hello": "world"}, id="5-1")
    edge.post(array_of(2))
    Node(edge, server, KEY).publish()
    wait_origins(hub, ids("edge1", 1, 2))
    hub.wait_line("entry 5-1 is no event and is passed, like all such: it has no record")


def test_a_key_of_another_type(start, server):
    server.client.set("cad:events:a", "x")
    edge = start()
    edge.post(array_of(2))
    Node(edge, server, KEY).publish()
    hub = start(hub_config(server))
    wait_origins(hub, ids("edge1", 1, 2))
    hub.wait_line("cad:events:a is not read: .*WRONGTYPE")
    server.client.delete(KEY)  # under a read that waits for 10 s
    server.client.set(KEY, "x")
    hub.wait_line(f"{KEY} is not read: .*WRONGTYPE")


def test_the_server_goes_and_comes(start, redis):
    server = redis(appendonly="yes", appendfsync="always")
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    wait_connected(hub)
    edge.post(array_of(2))
    node.publish()
    server.kill()
    since = len(hub.lines())
    hub.wait_line("redis.sock", since)
    assert status_of(hub)["streams"][0]["state"] == "waiting"
    for verb in ("status", "doctor"):
        assert "no connection since" in flat(ctl("-c", hub.file, verb).stdout)
    server.start()
    wait_connected(hub, since)
    edge.post(array_of(2))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 4))
    assert status_of(hub)["streams"][0]["state"] == "open"


def test_communities_are_narrowed(start, server):
    edge = start(communities=[{"name": "east", "api_key": "EAST-KEY"}, {"name": "west", "api_key": "WEST-KEY"}])
    for i in range(4):
        edge.post(event("EVENT_911", {"call": {"callId": i}}, key="EAST-KEY" if i % 2 else "WEST-KEY"))
    Node(edge, server, KEY).publish()
    hub = start(hub_config(server, communities=["e*"]))
    wait_origins(hub, [("edge1", 2), ("edge1", 4)])
    row = status_of(hub)["streams"][0]
    assert (row["unwanted"], row["events"]) == (2, 2)


def test_start_now(start, server):
    edge = start()
    node = Node(edge, server, KEY)
    edge.post(array_of(3))
    node.publish()
    hub = start(hub_config(server, start="now"))
    wait_connected(hub)
    edge.post(array_of(2))
    node.publish()
    wait_origins(hub, ids("edge1", 4, 5))


def test_a_disk_that_fails(start, server, disk):
    """What could not be stored is read again, in its order."""
    edge = start()
    hub = start(config(streams=rows(server, keys=[KEY])), env=disk.env)
    node = Node(edge, server, KEY)
    for i in range(3):
        since = len(hub.lines())
        with disk.failing(NO_SPACE, calls=1 << WRITE):
            edge.post(array_of(300, 1000 * i))
            node.publish()
            hub.wait_line("events cannot be stored", since)
        hub.wait_line("events are stored again", since)
    wait_origins(hub, ids("edge1", 1, 900))


def test_more_than_may_wait(start, server):
    """The pipeline has room for little: reading waits for it."""
    edge = start()
    hub = start(config(streams=rows(server, keys=[KEY]), limits={"body": "64K", "in_flight": "256K"}))
    for i in range(20):
        edge.post(array_of(100, 100 * i, description="x" * 200))
    Node(edge, server, KEY).publish()
    wait_origins(hub, ids("edge1", 1, 2000))


def test_a_row_is_replaced_while_it_reads(start, server):
    """Each reload ends one row and begins another with the same stream."""
    edge = start()
    hub = start(config(streams=rows(server, keys=[KEY])))
    node = Node(edge, server, KEY)
    for i in range(10):
        edge.post(array_of(100, 100 * i))
        node.publish()
        hub.reload(config(streams=rows(server, keys=[KEY], communities=["*"] * (i + 1))))
    wait_origins(hub, ids("edge1", 1, 1000))
    hub.reload(config())
    assert "streams" not in status_of(hub)
    edge.post(array_of(2))
    node.publish()
    hub.reload(config(streams=rows(server, keys=[KEY])))
    wait_origins(hub, ids("edge1", 1, 1002))


def test_who_watches_sees_other_nodes(start, server):
    edge, hub = start(), start(config(streams=rows(server, keys=[KEY])))
    wait_connected(hub)
    with Stream(hub) as all_, Stream(hub, community="default") as ours:
        edge.post(call911(7, caller="Ann", location="Pier"))
        Node(edge, server, KEY).publish()
        *sent_before, line = all_.until(lambda sent: sent.kind == "log")
        items = [sent.data for sent in sent_before if sent.kind == "call911"]
        assert [(item["community"], item["node"], item["caller"]) for item in items] == [("default", "edge1", "Ann")]
        assert line.data["origin"]["node"] == "edge1"
        hub.post(call911(8, caller="Ben", location="Pier"))  # who looks at a community of ours alone sees ours alone
        assert ours.until(lambda sent: sent.kind == "log")[-1].id == 2


def test_a_hub_alone(start, server):
    """Neither a listener nor a community is its own; a reload may bring both, and take them away."""
    edge = start()
    edge.post(array_of(3))
    node = Node(edge, server, KEY)
    node.publish()
    alone = {"listeners": [], "communities": None, "streams": rows(server, keys=[KEY])}
    hub = start(config(**alone), listeners_ready=0)
    wait_connected(hub)
    wait_origins(hub, ids("edge1", 1, 3))
    hub.reload(config(streams=rows(server, keys=[KEY])))
    assert hub.wait_ready().post(event()).status == 200
    hub.reload(config(**alone))
    edge.post(array_of(2))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 5))
    assert ctl("-c", hub.file, "status").returncode == 0
    assert "no community" in ctl("-c", hub.file, "send", "EVENT_911").stderr


def test_what_is_of_long_ago_rings_no_siren(start, server):
    """But for who asks for it."""
    edge = start()
    for i in range(3):
        edge.post(call911(i, caller="Ann", location="Pier"))
    records = Node(edge, server, KEY).records()
    for i, record in records.items():
        old = re.sub('"time":"[^"]*"', '"time":"2026-01-01T00:00:00.000000Z"', record) if i == 2 else record
        server.client.xadd(KEY, {"record": old}, id=f"5-{i}")
    actions = [{"name": name, "type": "exec", "command": ["/bin/true"], **more}
               for name, more in (("siren", {}), ("archive", {"late": True}))]
    hub = start(config(streams=rows(server, keys=[KEY]), actions=actions))
    wait_origins(hub, ids("edge1", 1, 3))

    def done():
        told = {action["name"]: action for action in status_of(hub)["actions"]}
        return all(one["lag"] == 0 for one in told.values()) and told

    told = wait_for(done, "both actions at the end")
    assert (told["siren"]["delivered"], told["siren"]["left_out"]["late"]) == (2, 1)
    assert (told["archive"]["delivered"], told["archive"]["left_out"]["late"]) == (3, 0)
    assert status_of(hub)["streams"][0]["late"] == 1
    assert json.loads(Node(hub, server, "none").records()[2])["known"]["late_s"] > 600


def test_what_is_large_comes_too(start, server):
    """An answer with all of it would be larger than one may be."""
    edge = start()
    edge.post(call911(1))
    record = json.loads(Node(edge, server, KEY).records()[1])
    for i in range(1, 101):
        record.update(id=i, data={"call": {"callId": i}, "x": "y" * (1 << 20)})
        server.client.xadd(KEY, {"record": json.dumps(record)}, id=f"5-{i}")
    server.client.xadd(b"cad:events:\xff\x1b", {"record": "{}"})
    hub = start(hub_config(server))
    wait_for(lambda: len(origins(hub)) == 100, "all of them")
    assert origins(hub) == ids("edge1", 1, 100)
    hub.wait_line("a key is not read, like all such")
    assert status_of(hub)["streams"][0]["connects"] > 1


def test_looks_again_soon_while_something_is_on_its_way(on, path, server, start, disk):
    """What the disk then refuses has to be read once more: it does not wait until the server has nothing to say."""
    edge = start()
    node = Node(edge, server, KEY)
    hub = on(env=disk.env, streams=rows(server, keys=[KEY]))
    wait_connected(hub)
    edge.post(call911(1))
    with server.client.monitor() as asked, disk.failing(STALL, calls=1 << SYNC):
        node.publish()
        wait_for(lambda: disk.get("n_hits"), "a sync")
        questions = (one["command"].split() for one in asked.listen())
        first = next(words for words in questions if words[0] == "XREAD" and words[-1] != "0-0")
    assert int(first[first.index("BLOCK") + 1]) <= 1000
    wait_for(lambda: len(numbers(path)) == 1, "the event")
