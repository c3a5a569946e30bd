"""Every sample of the catalog by a session, as text and as object: the same events as by HTTP, byte for byte."""

import json
import re

import store
from cad import COMMUNITY
from harness import call911, wait_for
from test_samples import NAMES, sample

DEBUG = {"level": "debug"}  # some samples change nothing, and are told only there
LAST = 999_999_999
ROWS = "SELECT community, type, verdict, data, extra, summary FROM events WHERE type <> 'STATE_PRIMED' ORDER BY id"
REFS = "SELECT community, kind, ref, event_id FROM refs ORDER BY event_id, kind, ref"
BY_HTTP_REFUSED = {"ENVELOPE.missing-key", "EVENT_COMMUNITY_LINK_VERIFIED.ws-no-key"}  # a session needs no key in it
LASTED = re.compile(r" after \d+ (s|min)\b")  # of what was opened before: not the same in two runs
ELSEWHERE = ("time", "listener", "from", "source", "session", "message_id")  # of a line: where it came from, and when


def told(daemon):
    records = [{name: value for name, value in record.items() if name not in ELSEWHERE} for record in daemon.events()]
    return [{**record, "message": LASTED.sub("", record["message"])} for record in records]


def rows(daemon):
    return [(*row[:-1], LASTED.sub("", row[-1] or "")) for row in store.read(daemon.file.parent / "events.db", ROWS)]


def by_session(start, hub, payload, names):
    daemon = start(sessions=[hub.session()], log=DEBUG)
    hub.wait_sessions(1)
    for name in names:
        assert hub.push(sample(name).decode(), payload=payload) == 1
    hub.push(json.dumps(call911(LAST)))
    daemon.wait_line(f"911 call {LAST}")
    return daemon


def test_samples(start, cad):
    names = [name for name in NAMES if name not in BY_HTTP_REFUSED]
    http = start(log=DEBUG)
    for name in names:
        http.post(sample(name))
    http.post(call911(LAST))
    for payload in "text", "object":
        hub = cad()
        daemon = by_session(start, hub, payload, names)
        daemon.stop()
        assert hub.counts()["connections"] == 1, "one of them ended the session"
        assert told(daemon) == told(http.stop())
        assert rows(daemon) == rows(http)
        ours, theirs = daemon.file.parent / "events.db", http.file.parent / "events.db"
        assert store.read(ours, REFS) == store.read(theirs, REFS)


def test_origin(start, cad):
    """Whose it is, and where from."""
    hub = cad()
    daemon = start(sessions=[hub.session(name="town")])
    hub.wait_sessions(1)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    daemon.stop()
    row = store.read(daemon.file.parent / "events.db", "SELECT source, community, listener, peer FROM events")
    assert row == [("session", "default", "town", "127.0.0.1")]


def test_without_a_key(start, cad):
    """The session is authenticated, so an event in it needs none."""
    hub = cad()
    daemon = start(sessions=[hub.session()], log=DEBUG)
    hub.wait_sessions(1)
    for name in sorted(BY_HTTP_REFUSED):
        hub.push(sample(name).decode())
    wait_for(lambda: len(daemon.events()) == 2, "both")
    assert all("verdict" not in record for record in daemon.events())


def test_login_and_handshake(start, cad):
    """Byte for byte what a hub of ASP.NET expects, and nothing else before."""
    hub = cad()
    start(sessions=[hub.session()])
    hub.wait_sessions(1)
    [connection] = hub.connections()
    assert connection["records"][0] == {"protocol": "json", "version": 1}
    [login] = [record for record in connection["records"] if record.get("type") == 1]
    assert login["target"] == "authenticatev2" and login["arguments"] == [COMMUNITY, "TEST-API-KEY-0000", 1]
    [upgrade] = hub.seen()["upgrades"]
    assert upgrade["url"] == "/apiWsHub"
    headers = upgrade["headers"]
    assert headers["sec-websocket-version"] == "13" and headers["user-agent"].startswith("sonoran-pushd/")
    assert not {"sec-websocket-extensions", "sec-websocket-protocol", "origin", "authorization"} & headers.keys()
    assert hub.requests() == [], "no negotiation, and no priming that nobody asked for"
