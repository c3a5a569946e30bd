"""The same event by two kinds of source, as where a game server forwards what a session of ours hears too: told once,
counted, and nothing is dropped. The other source is the toy's (tests/toys)."""

import socket

import pytest
from ctl_tools import ask_socket, store_of
from harness import Daemon, config, event, wait_for
from store import read
from test_toys import TOYS

CALL = {"call": {"callId": 90417, "caller": "Zoë Okonkwo", "location": "118 Lantern St", "isEmergency": True, "metaData": {"x": 1.5}}}
# As another program writes it: other order, escapes and numbers, an empty member that it left out or put in.
COPY = ('{"call":{"isEmergency":true,"metaData":{"x":1.50e0},"location":"118 Lantern St",'
        '"caller":"Zo\\u00eb Okonkwo","callId":90417.0,"gone":null}}')


@pytest.fixture
def daemon(tmp_path):
    running = Daemon(tmp_path / "toys", config(toy={}), binary=TOYS)
    yield running.wait_ready()
    running.finish()


def by_toy(daemon, *messages):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message.encode(), f"{store_of(daemon)}.toy")


def stored(daemon):
    return len(read(store_of(daemon), "SELECT id FROM events"))


def status(daemon):
    return ask_socket(f"{store_of(daemon)}.control", "GET", "/api/status")[2]


def told(daemon):
    return [line for line in daemon.lines() if "come twice" in line]


def test_told_once_with_who_forwards(daemon):
    by_toy(daemon, 'TOY_BALL {"colour":"red"}')
    wait_for(lambda: stored(daemon) == 1, "it is stored")
    assert daemon.post(event("TOY_BALL", {"colour": "blue"})).status == 200  # from here on both are heard
    for n in range(1, 4):
        by_toy(daemon, f"EVENT_911 {COPY}")
        wait_for(lambda n=n: stored(daemon) == 2 * n + 1, "it is stored")
        assert daemon.post(event("EVENT_911", CALL)).status == 200
    line = daemon.wait_line("come twice")
    assert "twice: event 4, EVENT_911, by push main from 127.0.0.1 within 10 s of the same by toy socket from a test. " in line
    assert stored(daemon) == 8
    wait_for(lambda: status(daemon)["copies"] == 3, "three copies")
    assert status(daemon)["last_copies"]["from"] == "127.0.0.1"
    assert len(told(daemon)) == 1


def test_who_forwards_is_who_posts(daemon):
    by_toy(daemon, 'TOY_BALL {"colour":"red"}')
    wait_for(lambda: stored(daemon) == 1, "it is stored")
    assert daemon.post(event("EVENT_911", CALL)).status == 200
    by_toy(daemon, f"EVENT_911 {COPY}")
    line = daemon.wait_line("come twice")
    assert "event 3, EVENT_911, by toy socket from a test within 10 s of the same by push main from 127.0.0.1. " in line
    assert status(daemon)["last_copies"]["from"] == "127.0.0.1"


def test_by_one_way_it_is_none(daemon):
    by_toy(daemon, 'TOY_BALL {"colour":"red"}')
    wait_for(lambda: stored(daemon) == 1, "it is stored")
    for _ in range(3):
        assert daemon.post(event("EVENT_911", CALL)).status == 200
    assert daemon.post(event("EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})).status == 200
    by_toy(daemon, 'EVENT_UNIT_STATUS {"identIds":[1],"status":3}')
    wait_for(lambda: stored(daemon) == 6, "all are stored")
    assert "copies" not in status(daemon) or status(daemon)["copies"] == 0
    assert told(daemon) == []
