"""An action of type redis whose streams are several, one for each community: the trouble of one is none of the others."""

import json

import pytest
from ctl_tools import ctl
from harness import call911, wait_for
from test_redis_trouble import off

KEYS = {name: f"KEY-{name}-000000" for name in "ab"}


def post_to(daemon, names, first):
    """An event for each community that is named, with numbers from first on."""
    for call, name in enumerate(names, first):
        assert daemon.post({**call911(call), "key": KEYS[name]}).status == 200


def failed(daemon):
    """The events on the list of failed ones."""
    rows = ctl("-c", daemon.file, "failed", "--json").stdout.splitlines()
    return [json.loads(row)["event_id"] for row in rows]


@pytest.fixture
def publisher(on):
    """publisher(server, username="e"): a daemon of two communities that publishes to their streams there."""

    def start(server, **action):
        communities = [{"name": name, "api_key": key} for name, key in KEYS.items()]
        daemon = on(communities=communities, actions=[server.action(stream="cad:{community}", **action)])
        daemon.secrets.update([*KEYS.values(), "sesame"])
        return daemon

    return start


def test_no_stream(publisher, redis):
    """What it did not take comes again once it takes something, in its order."""
    server = redis()
    daemon = publisher(server)
    server.client.set("cad:b", "a text")
    with server.frozen():  # so that all but the first are of one batch
        post_to(daemon, "aababa", 1)
    server.wait_ids([1, 2, 4, 6], "cad:a")
    daemon.wait_line("event 3 is not delivered and stays on the list of failed ones: the stream cad:b: .*is no stream: delete it")
    wait_for(lambda: failed(daemon) == [3, 5], "the list of failed ones")
    post_to(daemon, "ab", 7)
    server.wait_ids([1, 2, 4, 6, 7], "cad:a")
    assert ctl("-c", daemon.file, "retry", "bus", "3").returncode == 0
    daemon.wait_line("event 3 is not delivered .* comes again by itself, with its next event")
    server.client.delete("cad:b")
    post_to(daemon, "ab", 9)
    server.wait_ids([3, 5, 8, 10], "cad:b")
    server.wait_ids([1, 2, 4, 6, 7, 9], "cad:a")
    entries = server.entries("cad:b")
    assert [members["prev"] for _, members in entries] == ["0-0", *(place for place, _ in entries[:-1])]
    wait_for(lambda: failed(daemon) == [], "nothing on the list of failed ones")
    assert not daemon.find_line("switched off")


def test_no_right_to_one(publisher, redis):
    """There was one, and is again after a restart."""
    server = redis()
    rights = ["on", ">sesame", "+@all", "~cad:*"]
    account = {"username": "e", "password": "sesame"}
    server.client.execute_command("ACL", "SETUSER", "e", *rights)
    daemon = publisher(server, **account)
    post_to(daemon, "ab", 1)
    server.wait_ids([2], "cad:b")
    server.client.execute_command("ACL", "SETUSER", "e", "resetkeys", "~cad:a")
    post_to(daemon, "aba", 3)
    server.wait_ids([1, 3, 5], "cad:a")
    daemon.wait_line("event 4 is not delivered and stays on the list of failed ones: the stream cad:b: .*NOPERM")
    wait_for(lambda: failed(daemon) == [4], "the list of failed ones")
    daemon.stop()
    server.client.execute_command("ACL", "SETUSER", "e", *rights)
    daemon = publisher(server, **account)
    post_to(daemon, "b", 6)
    server.wait_ids([2, 4, 6], "cad:b")
    server.wait_ids([1, 3, 5], "cad:a")
    wait_for(lambda: failed(daemon) == [], "nothing on the list of failed ones")


def test_no_right_to_any(publisher, redis):
    """What is true of all streams is no trouble of one."""
    server = redis()
    server.client.execute_command("ACL", "SETUSER", "e", "on", ">sesame", "~*", "+@all", "-xinfo")
    daemon = publisher(server, username="e", password="sesame")
    post_to(daemon, "a", 1)
    off(daemon, "its account may not do all that a script of ours does")
    assert failed(daemon) == []


def test_another_log(publisher, redis):
    server = redis()
    daemon = publisher(server)
    server.client.xadd("cad:b", {"type": "X"}, id="99999999999999-7")
    post_to(daemon, "bab", 1)
    server.wait_ids([2], "cad:a")
    daemon.wait_line("event 1 is not delivered and stays on the list .*ends with 99999999999999-7, which another log has written")
    server.client.delete("cad:b")
    post_to(daemon, "b", 4)
    server.wait_ids([1, 3, 4], "cad:b")
    server.wait_ids([2], "cad:a")


def test_lost(publisher, redis):
    """It is found behind an event of another stream that is to be added in the same batch."""
    server = redis()
    daemon = publisher(server)
    post_to(daemon, "ba", 1)
    server.wait_ids([2], "cad:a")
    daemon.stop()
    server.client.delete("cad:b")
    daemon = publisher(server)
    with server.frozen():  # so that all but the first are of one batch
        post_to(daemon, "aab", 3)
    server.wait_ids([1, 5], "cad:b")
    server.wait_ids([2, 3, 4], "cad:a")


def test_lost_ends_of_two(publisher, redis):
    """Both are found in one batch; the second of them has lost more, and the older event is gone back to."""
    server = redis()
    daemon = publisher(server)
    post_to(daemon, "ba", 1)
    server.wait_ids([2], "cad:a")
    kept = {"cad:b": server.client.dump("cad:b")}
    post_to(daemon, "ba", 3)
    server.wait_ids([2, 4], "cad:a")
    kept["cad:a"] = server.client.dump("cad:a")
    post_to(daemon, "a", 5)
    server.wait_ids([2, 4, 5], "cad:a")
    server.kill()
    post_to(daemon, "ab", 6)
    daemon.stop()
    server.start()
    for key, entries in kept.items():
        server.client.restore(key, 0, entries)
    publisher(server)
    server.wait_ids([2, 4, 5, 6], "cad:a")
    server.wait_ids([1, 3, 7], "cad:b")


def test_replay(publisher, redis):
    """What a stream did not take need not wait for its next event."""
    server = redis()
    daemon = publisher(server)
    server.client.set("cad:b", "a text")
    post_to(daemon, "abab", 1)
    wait_for(lambda: failed(daemon) == [2, 4], "the list of failed ones")
    assert "of type redis, sonoran-pushctl replay" in " ".join(ctl("-c", daemon.file, "doctor").stdout.split())
    server.client.delete("cad:b")
    assert ctl("-c", daemon.file, "retry", "bus", "2").returncode == 0
    daemon.wait_line("event 2 is not delivered .* with its next event, or at once by sonoran-pushctl replay")
    assert ctl("-c", daemon.file, "replay", "bus", "--from", "2").returncode == 0
    server.wait_ids([2, 4], "cad:b")
    server.wait_ids([1, 3], "cad:a")
    wait_for(lambda: failed(daemon) == [], "nothing on the list of failed ones")
