"""The source streams: what was read of a stream is kept by its key, whichever row reads it, whatever the disk does."""

import contextlib
import json
import re
import resource
import sqlite3

import pytest
from ctl_tools import ask_socket, ctl, status_of
from disk import BROKEN, WRITE
from harness import call911, config, run, wait_for, write_private
from redis_server import Node
from store import array_of, read
from test_admin import socket_of
from test_metrics import counted
from test_streams_in import KEY, ORIGINS, flat, ids, log_of, origins, wait_connected, wait_origins


@pytest.fixture
def server(redis):
    return redis()


def row(name, server, **options):
    return {"name": name, "url": server.url, "keys": ["cad:events:*"], **options}


def streams_of(hub):
    return {one["name"]: {stream["key"]: stream for stream in one["streams"]} for one in status_of(hub)["streams"]}


def test_keys_that_no_stream_has(start, server):
    hub = start(config(streams=[row("edges", server, keys=["cad:event:*"])]))
    wait_connected(hub)
    said = flat(ctl("-c", hub.file, "doctor").stdout)
    assert re.search("warn +streams edges: open, 0 streams.* -> the server has no stream that keys name", said, re.DOTALL)


def test_two_rows_that_find_one_key(start, server, redis):
    """One reads it and the other says so; when it ends, the other goes on where it was."""
    with contextlib.closing(redis()) as other:
        edge = start()
        for target in (server, other):
            node = Node(edge, target, KEY)
            edge.post(array_of(5))
            node.publish()
        both = [row("a", server), row("b", other)]
        hub = start(config(streams=both))
        line = hub.wait_line(f"{KEY} is not read here: streams . reads a stream of this key")
        refused = "a" if "streams a: " in line else "b"
        reader = "b" if refused == "a" else "a"
        n = 5 if reader == "a" else 10
        wait_origins(hub, ids("edge1", 1, n))
        told = streams_of(hub)
        assert told[reader][KEY]["read"] and not told[refused][KEY]["read"]
        assert f"streams {reader} reads a stream of this key" in told[refused][KEY]["trouble"]
        for verb in ("status", "doctor"):
            assert f"{KEY} is not read: streams {reader} reads" in flat(ctl("-c", hub.file, verb).stdout)
        since = len(hub.lines())
        rest = [one for one in both if one["name"] == refused]
        hub.reload(config(streams=rest))
        hub.reload(config(streams=[*rest, row("c", server, keys=["none:*"])]))  # it may take until the next look
        wait_for(lambda: any("is read here from now on" in one for one in hub.lines()[since:]), "the other", 60)
        wait_for(lambda: streams_of(hub)[refused][KEY]["read"], "it is read")
        node.publish()
        edge.post(array_of(1))
        target = Node(edge, server if refused == "a" else other, KEY)
        target.published_id = 10
        target.publish()
        wait_for(lambda: ("edge1", 11) in origins(hub), "the newest")
        assert len(set(origins(hub))) == len(origins(hub))


@pytest.mark.parametrize("key, other, mistake", [
    ("cad:events:edge1", True, True),
    ("cad:events:*", False, True),
    ("cad:events:*", True, False),
])
def test_one_key_in_two_rows_is_a_mistake(tmp_path, server, key, other, mistake):
    """A glob may find other keys at another server."""
    second = row("b", server, keys=[key], **({"database": 1} if other else {}))
    file = tmp_path / "hub.yaml"
    write_private(file, config(streams=[row("a", server, keys=[key]), second]))
    done = run("--check", "-c", file)
    assert ("streams a reads this one" in flat(done.stderr)) == mistake, done.stderr


def test_a_source_that_is_closed_over_a_locked_log(start, server):
    """What is under way of the one that was closed is waited for by the one that is opened."""
    edge = start()
    hub = start(config(streams=[row("a", server, keys=[KEY])]))
    node = Node(edge, server, KEY)
    wait_connected(hub)
    edge.post(array_of(50))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 50))
    edge.post(array_of(50))
    with contextlib.closing(sqlite3.connect(log_of(hub), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        node.publish()
        wait_for(lambda: status_of(hub)["streams"][0]["events"] == 100, "they are handed in")
        hub.reload(config())
        hub.reload(config(streams=[row("b", server)]))
        wait_for(lambda: any(one["cmd"] in ("scan", "xread") for one in server.client.client_list()), "it has looked")
        other.execute("ROLLBACK")
    edge.post(array_of(10))
    node.publish()
    wait_for(lambda: ("edge1", 110) in origins(hub), "the newest")
    assert origins(hub) == ids("edge1", 1, 110)


def test_a_log_that_cannot_be_read_when_what_failed_comes_back(start, server, disk):
    """What was handed in and not stored is read again, also where the log does not say at once how far it was read."""
    edge = start()
    hub = start(config(streams=[row("a", server, keys=[KEY])]), env=disk.env)
    node = Node(edge, server, KEY)
    wait_connected(hub)
    files = resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE)
    for i in range(2):
        since = len(hub.lines())
        with disk.failing(BROKEN, calls=1 << WRITE):
            edge.post(array_of(100, 100 * i))
            node.publish()
            hub.wait_line("events cannot be stored", since)
            resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, (3, files[1]))  # nothing more can be opened
        hub.wait_line("streams a: ", since)
        resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, files)
        wait_origins(hub, ids("edge1", 1, 100 * i + 100))


def test_how_far_it_has_come(start, server):
    """In the status, in words, and in the metrics of each stream, while the log takes no more and after."""
    edge = start()
    edge.post(array_of(500, description="x" * 1000))
    for i, record in Node(edge, server, KEY).records().items():
        old = re.sub('"time":"[^"]*"', '"time":"2026-01-01T00:00:00.000000Z"', record)
        server.client.xadd(KEY, {"record": old}, id=f"5-{i}")
    limits = {"body": "64K", "in_flight": "128K"}
    hub = start(config(limits=limits))
    labels = f'{{streams="a",stream="{KEY}"}}'
    with contextlib.closing(sqlite3.connect(log_of(hub), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hub.reload(config(limits=limits, streams=[row("a", server)]))
        told = wait_for(lambda: (one := status_of(hub)["streams"][0])["lag_s"] and one, "it waits")
        (stream,) = told["streams"]
        assert stream["end_id"] == "5-500" and 0 < stream["lag"] == told["lag"] < 500
        assert stream["lag_s"] > 300 * 86400 and told["lag_s"] > 300 * 86400
        assert stream["last_event"] == "2026-01-01T00:00:00.000000Z"
        for verb in ("status", "doctor"):
            assert re.search(r"up to \d+ to read behind what came \d+ d ago", flat(ctl("-c", hub.file, verb).stdout))
        (shown,) = [one for one in ask_socket(socket_of(hub), "GET", "/api/state")[2]["sources"] if one["source"] == "streams"]
        assert shown["words"] == "streams a: events of other nodes come late, there are more than were read yet"
        assert shown["cut_since"].startswith("2026-01-01T00:00:0")
        metrics = counted(hub)
        assert metrics[f"sonoran_pushd_stream_lag_entries{labels}"] > 0
        assert metrics[f"sonoran_pushd_stream_lag_seconds{labels}"] > 300 * 86400
        assert metrics['sonoran_pushd_streams_lag_seconds{streams="a"}'] > 300 * 86400
        other.execute("ROLLBACK")
    wait_origins(hub, ids("edge1", 1, 500))
    metrics = counted(hub)
    for name, n in ("read_event_id", 500), ("end_event_id", 500), ("lag_entries", 0), ("lag_seconds", 0), ("gaps_total", 0):
        assert metrics[f"sonoran_pushd_stream_{name}{labels}"] == n
    assert "behind" not in flat(ctl("-c", hub.file, "status").stdout)


def test_the_last_trouble_is_remembered(start, server):
    hub = start(config(streams=[row("a", server, keys=[KEY])]))
    wait_connected(hub)
    assert "last_trouble" not in status_of(hub)["streams"][0]
    since = len(hub.lines())
    server.kill()
    hub.wait_line("redis.sock", since)
    server.start()
    wait_connected(hub, since)
    told = wait_for(lambda: (one := status_of(hub)["streams"][0])["state"] == "open" and one, "it is open")
    assert told["last_trouble"] and told["trouble"]
    assert re.search(r"0 gaps, the last trouble \S+ \S+ ago: ", flat(ctl("-c", hub.file, "status").stdout))
    assert counted(hub)['sonoran_pushd_streams_last_trouble_timestamp_seconds{streams="a"}'] > 0


def test_clocks_of_nodes_that_are_wrong(start, server, tmp_path):
    """They age nothing that is of others, a restart knows the same, and what is asked for by time is found by theirs."""
    edge = start()
    for i in range(1, 5):
        edge.post(call911(i, caller="Ann", location="Pier"))
    log = tmp_path / "hub.db"
    text = config(streams=[row("a", server, keys=["cad:events:*"])]).replace("events.db", str(log))
    hub = start(text)
    hub.post(call911(8, caller="Ben", location="Quay"))
    times = {1: "2026-01-03", 2: "2099-01-01", 3: "2026-01-02", 4: "2098-01-01"}
    for i, record in Node(edge, server, KEY).records().items():
        record = re.sub('"time":"[^"]*"', f'"time":"{times[i]}T00:00:00.000000Z"', record)
        server.client.xadd(KEY, {"record": record}, id=f"5-{i}")
    hub.reload(text.replace("cad:events:*", "cad:events:edge*"))
    wait_for(lambda: read(log, ORIGINS) == ids("edge1", 1, 4), "all of them")

    def known():
        state = ask_socket(socket_of(hub), "GET", "/api/state")[2]
        return {(one["node"], call["id"]) for one in state["communities"] for call in one["calls911"]}

    def listed(*bounds):
        output = ctl("-c", hub.file, "events", "--json", *bounds).stdout
        return [json.loads(line).get("origin", {}).get("id") for line in output.splitlines()]

    before = known()
    assert (None, 8) in before and ("edge1", 4) in before
    for _ in range(2):
        assert listed("--since", "2026-01-03") == [None, 1, 2, 4]
        assert listed("--since", "2090-01-01") == [2, 4]
        assert listed("--since", "2026-01-01", "--until", "2026-01-05") == [1, 3]
        hub.stop()
        hub = start(text)
        wait_connected(hub)
        assert known() == before


def test_entries_that_were_lost_and_none_behind_them(start, server):
    """Told when the end is asked for, and not once more by the next event."""
    edge = start()
    only = [row("a", server, keys=[KEY])]
    hub = start(config(streams=only))
    node = Node(edge, server, KEY)
    edge.post(array_of(3))
    node.publish()
    wait_origins(hub, ids("edge1", 1, 3))
    epoch = node.epoch_of(1)
    with server.client.pipeline(transaction=True) as pipe:
        pipe.xadd(KEY, {"record": "{}"}, id=f"{epoch}-5")
        pipe.xtrim(KEY, maxlen=0, approximate=False)
        pipe.execute()
    hub.reload(config(streams=[{**only[0], "communities": ["*"]}]))
    hub.wait_line(f"{KEY}: entries of node edge1 are lost, behind {epoch}-3 up to {epoch}-5:")
    told = status_of(hub)["streams"][0]
    assert (told["gaps"], told["lag"], told["streams"][0]["gaps"]) == (1, 0, 1)
    edge.post(array_of(4))
    node.published_id, node.last = 5, f"{epoch}-5"
    node.publish()
    wait_origins(hub, [*ids("edge1", 1, 3), *ids("edge1", 6, 7)])
    assert status_of(hub)["streams"][0]["gaps"] == 1
    assert len([line for line in hub.lines() if "are lost" in line]) == 1


def test_actions_of_one_node(start, server, tmp_path):
    """All have a community of one name."""
    edges = {name: start() for name in ("edge1", "edge2")}
    script = 'echo "$0 $SONORAN_COMMUNITY $SONORAN_NODE" >>' + str(tmp_path / "told")
    wanted = {"one": {"communities": ["*@edge1"]}, "two": {"listeners": ["main@*2"]}, "both": {"communities": ["def*@*"]},
              "all": {"communities": ["default"]}}
    actions = [{"name": name, "type": "exec", "command": ["/bin/sh", "-c", script, name], **only}
               for name, only in wanted.items()]
    hub = start(config(streams=[row("a", server)], actions=actions))
    hub.post(call911(1))
    for name, edge in edges.items():
        edge.post(call911(1))
        Node(edge, server, f"cad:events:{name}").publish()
    hub.reload(config(streams=[row("a", server, communities=["*"])], actions=actions))
    wait_for(lambda: len(origins(hub)) == 2, "both")

    def settled():
        told = status_of(hub)["actions"]
        return all(action["lag"] == 0 for action in told) and told

    told = {action["name"]: action for action in wait_for(settled, "all actions at the end")}
    assert {name: told[name]["delivered"] for name in wanted} == {"one": 1, "two": 1, "both": 2, "all": 3}
    lines = (tmp_path / "told").read_text().splitlines()
    assert sorted(lines) == ["all default ", "all default edge1", "all default edge2", "both default edge1",
                             "both default edge2", "one default edge1", "two default edge2"]
