"""What stands between a session and its first event: the answer to the upgrade, the login; and what is told about each."""

import re

from cad import COMMUNITY
from harness import KEY, WRONG_KEY, call911, config

HTML = "<html><h1>Attention Required! | Cloudflare</h1></html>\x1b[2J"
NO_WEBSOCKET = "does not speak websocket"
REFUSES = "refuses the connection: "

UPGRADES = {
    "404": ({"upgrade": {"status": "404 Not Found"}}, "no websocket hub at .*is the url right"),
    "400": ({"upgrade": {"status": "400 Bad Request", "body": HTML}}, "no websocket hub at"),
    "401": ({"upgrade": {"status": "401 Unauthorized"}}, REFUSES + "401 Unauthorized"),
    "403": ({"upgrade": {"status": "403 Forbidden", "body": HTML}}, REFUSES + "403 Forbidden"),
    "429": ({"upgrade": {"status": "429 Too Many Requests", "headers": {"Retry-After": "7"}}}, REFUSES + "429 Too Many Requests, next try in [789]s"),
    "500": ({"upgrade": {"status": "500 Internal Server Error"}}, REFUSES + "500 Internal Server Error"),
    "for a terminal": ({"upgrade": {"status": "500 \x1b[2JOops"}}, REFUSES + "500|" + NO_WEBSOCKET),
    "503": ({"upgrade": {"status": "503 Service Unavailable"}}, REFUSES + "503 Service Unavailable, next try in (1min|6[0-2]s)"),
    "521": ({"upgrade": {"status": "521 Web Server Is Down", "body": HTML * 1000}}, REFUSES + "521"),
    "200": ({"upgrade": {"status": "200 OK", "body": HTML}}, NO_WEBSOCKET),
    "301": ({"upgrade": {"status": "301 Moved", "headers": {"Location": "http://127.0.0.1:1/"}}}, NO_WEBSOCKET),
    "wrong accept": ({"headers": {"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}, NO_WEBSOCKET),
    "no accept": ({"headers": {"Sec-WebSocket-Accept": None}}, NO_WEBSOCKET),
    "no upgrade": ({"headers": {"Upgrade": None}}, NO_WEBSOCKET),
    "no connection": ({"headers": {"Connection": "close"}}, NO_WEBSOCKET),
    "extension": ({"headers": {"Sec-WebSocket-Extensions": "permessage-deflate"}}, NO_WEBSOCKET),
    "subprotocol": ({"headers": {"Sec-WebSocket-Protocol": "json"}}, NO_WEBSOCKET),
    "no HTTP": ({"upgrade": {"raw": "SSH-2.0-OpenSSH_9.2\r\n\r\n"}}, ""),
    "nothing": ({"upgrade": {"raw": ""}}, ""),
    "reset": ({"upgrade": {"reset": True}}, ""),
    "no answer": ({"upgrade": {"hang": True}}, ""),
    "large head": ({"upgrade": {"raw": "HTTP/1.1 101 Switching\r\nX: " + "x" * 100_000 + "\r\n\r\n"}}, NO_WEBSOCKET),
}


def test_upgrades(many):
    """None of them opens a session, each is told, and in all of them the next try comes."""
    hub, daemon = many(len(UPGRADES), [options for options, _ in UPGRADES.values()])
    for i, (name, (_, line)) in enumerate(UPGRADES.items(), 1):
        told = daemon.wait_line(f"session s{i}: ")
        assert re.search(line, told), name
    assert hub.counts()["sessions"] == 0
    assert not any("\x1b" in line for line in daemon.lines())


def test_all_right_afterwards(start, cad):
    """A refusal is for its time: Retry-After, here in both forms of it, and its body is not read on."""
    hub = cad(upgrade=[{"status": "503 Busy", "headers": {"Retry-After": "1"}, "body": HTML}, None])
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    first, second = hub.wait_upgrades(2)
    assert second["at"] - first["at"] >= 1000
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")


LOGINS = {
    "wrong key": ({"result": {"success": False, "error": "INVALID API KEY", "count": 0}}, "the CAD refuses community \\W*mycad.*INVALID API KEY"),
    "no text": ({"result": {"success": False, "error": None, "count": 0}}, "the CAD refuses community"),
    "terminal": ({"result": {"success": False, "error": "\x1b[2J\n", "count": 0}}, "the CAD refuses community"),
    "an old form": ({"error": "Failed to invoke 'authenticatev2' due to an error on the server."}, "does not know this form of authenticatev2"),
    "unknown": ({"error": "Unknown hub method 'authenticatev2'"}, "authenticatev2"),
    "exception": ({"error": "An unexpected error occurred invoking 'authenticatev2' on the server."}, "An unexpected error occurred"),
    "a word": ({"result": "yes"}, "the CAD refuses community|answer"),
    "true alone": ({"result": True}, "the CAD refuses community|answer"),
    "text true": ({"result": {"success": "true"}}, "the CAD refuses community|answer"),
    "null": ({"result": None}, "the CAD refuses community|answer"),
    "list": ({"result": []}, "the CAD refuses community|answer"),
    "void": ({"text": '{"type":3,"invocationId":"$ID"}\x1e'}, "the CAD refuses community|answer"),
    "closed": ({"end": {"error": "Out"}}, "the CAD closed the session: Out"),
    "kicked": ({"end": {}}, "the CAD closed the session|closed by the CAD"),
    "frame alone": ({"end": {"record": False}}, ""),
}


def test_logins(many):
    hub, daemon = many(len(LOGINS), [{"login": login} for login, _ in LOGINS.values()])
    for i, (_, line) in enumerate(LOGINS.values(), 1):
        daemon.wait_line(f"session s{i}: .*({line})")
    assert hub.counts()["sessions"] == 0
    assert not any("\\u001b" in line or "\x1b" in line for line in daemon.lines())


GOOD_LOGINS = [
    {"result": {"success": True}},
    {"result": {"success": True, "error": "", "count": 17, "more": {"success": False}}},
    {"text": '{"result":{"count":0,"error":null,"success":true},"x":[],"headers":{"a":"b"},"invocationId":"$ID","type":3}\x1e'},
    {"text": '{"type":6}\x1e{"type":3,"invocationId":"other","error":"x"}\x1e{"type":3,"invocationId":"$ID","result":{"success":true}}\x1e{"type":6}\x1e'},
]


def test_good_logins(many):
    _, daemon = many(len(GOOD_LOGINS), [{"login": login} for login in GOOD_LOGINS])
    for i, _ in enumerate(GOOD_LOGINS, 1):
        daemon.wait_line(f"session s{i}: connected to 127.0.0.1, events of server {i} come here")


def test_no_answer(many):
    """To the handshake, to the login: not for ever."""
    _, daemon = many(2, [{"handshake": {"hang": True}}, {"login": {"hang": True}}])
    daemon.wait_line("session s1: .*15s")
    daemon.wait_line("session s2: no answer to the login within 15s")


def test_wrong_key_is_told_once_and_slower(start, cad):
    """30 s and more, and at once after a reload that changes it. Meanwhile nothing of the session's is repeated."""
    hub = cad(accounts={COMMUNITY: {"key": "ANOTHER-KEY", "servers": [1]}})
    daemon = start(sessions=[hub.session()])
    daemon.wait_line("the CAD refuses community .*INVALID API KEY; check community_id, key and server id")
    hub.set(accounts={COMMUNITY: {"key": KEY, "servers": [1]}})
    hub.wait_upgrades(2)
    first, second = hub.seen()["upgrades"][:2]
    assert second["at"] - first["at"] >= 15_000  # 30 s, half of it by chance
    daemon.wait_line("session city: connected")
    assert len([line for line in daemon.lines() if "the CAD refuses community" in line]) == 1


def test_reload_logs_in_at_once(start, cad):
    hub = cad()
    wrong = [{"name": "default", "api_key": WRONG_KEY}]
    daemon = start(sessions=[hub.session()], communities=wrong)
    daemon.wait_line("the CAD refuses community")
    before = hub.counts()["connections"]
    daemon.reload(config(sessions=[hub.session()]))
    hub.wait_sessions(1)
    assert hub.counts()["connections"] == before + 1


def test_a_reload_keeps_to_retry_after(start, cad):
    """What the CAD asked for holds, also for another setting that it does not see; not for another place. A session that
    is new with a reload has connected behind the others of the list: one that were tried at once would have been."""
    busy = {"status": "503 Busy", "headers": {"Retry-After": "3600"}}
    hub, other = cad(upgrade=[{"status": "403 Forbidden"}, busy]), cad(accounts={COMMUNITY: {"key": KEY, "servers": [1, 2]}})
    city, first, second = hub.session(), other.session(name="first"), other.session(name="second", server=2)
    daemon = start(sessions=[city])
    daemon.wait_line("session city: .*403 Forbidden")
    daemon.reload()
    daemon.wait_line("session city: .*503 Busy")
    daemon.reload(config(sessions=[city, first]))
    other.wait_sessions(1)
    daemon.reload(config(sessions=[{**city, "prime": True}, first, second]))
    other.wait_sessions(2)
    assert len(hub.seen()["upgrades"]) == 2
    daemon.reload(config(sessions=[{**city, "server": 2}]))
    hub.wait_upgrades(3)


def test_one_connection_for_each(many):
    """However many: none is opened twice, and no more than five in a second."""
    hub, _ = many(30)
    hub.wait_sessions(30)
    counts = hub.counts()
    assert (counts["connections"], counts["doubles"]) == (30, 0)
    times = sorted(connection["opened"] for connection in hub.connections())
    assert times[-1] - times[0] >= 29 * 200 - 3000  # the hub may see them late
