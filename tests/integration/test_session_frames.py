"""What the hub's messages may look like on the wire, and what a session does with those that are wrong."""

import json

import pytest
import store
from cad import COMMUNITY
from disk import STALL
from harness import KEY, call911, config, event, wait_for

MANY_BYTES = "x" * 200_000


def pushed(*ids):
    """Records with an event each, as one text."""
    bodies = [json.dumps(call911(id_)) for id_ in ids]
    return "".join(json.dumps({"type": 1, "target": "pushEvent", "arguments": [body]}) + "\x1e" for body in bodies)


@pytest.fixture
def pair(start, cad):
    """pair(daemon's settings…): a hub and a daemon with a session to it."""

    def pair(hub_options=(), **changes):
        hub = cad(**dict(hub_options))
        daemon = start(sessions=[hub.session()], **changes)
        hub.wait_sessions(1)
        return hub, daemon

    return pair


def wait_calls(daemon, *ids):
    """Exactly these, in this order."""
    file = daemon.file.parent / "events.db"
    wait_for(lambda: len(store.call_ids(file)) >= len(ids), f"{ids}, not {store.call_ids(file)}")
    assert store.call_ids(file) == list(ids)


# Good ones


@pytest.mark.parametrize("segment", [1, 7, 4096])
def test_in_pieces(pair, segment):
    """As ASP.NET sends what is longer than a segment of its pipe, here with pings between."""
    size = 10 if segment < 10 else 50_000
    hub, daemon = pair()
    hub.set(segment=segment, pingBetween=True)
    for id_ in 1, 2:
        hub.push(call911(id_, description="é" * size))
    wait_calls(daemon, 1, 2)
    [connection] = hub.connections()
    wait_for(lambda: hub.connections()[0]["pongs"] > 0, "an answer to those pings")
    assert connection["closed"] is None


def frames(*parts, **more):
    return {"frames": [part if isinstance(part, dict) else {"text": part} for part in parts], **more}


def cut_in(text, *places):
    """A message in frames."""
    parts = [text[a:b] for a, b in zip((0, *places), (*places, len(text)))]
    return [{"op": 0 if i else 1, "fin": i == len(parts) - 1, "text": part} for i, part in enumerate(parts)]


PING, EMPTY_END = {"op": 9, "text": "hello"}, {"op": 0, "text": ""}
GOOD = {
    "several in a message": frames(pushed(1, 2) + '{"type":6}\x1e' + pushed(3)),
    "several frames in a write": frames(pushed(1), pushed(2), pushed(3), glue=True),
    "ping in a message": frames(*cut_in(pushed(1, 2, 3), 5)[:1], PING, *cut_in(pushed(1, 2, 3), 5)[1:]),
    "a record over two messages": frames(pushed(1, 2)[:-30], pushed(1, 2)[-30:] + pushed(3)),
    "an empty last frame": frames(*[{**part, "fin": False} for part in cut_in(pushed(1, 2, 3), 9)], EMPTY_END),
    "an empty message": frames("", pushed(1, 2, 3)),
    "binary": frames({"op": 2, "text": pushed(1, 2, 3)}),
    "a pong that nobody asked for": frames({"op": 10, "text": ""}, pushed(1, 2, 3)),
    "a target in capitals": frames(pushed(1, 2, 3).replace("pushEvent", "PUSHEVENT")),
    "members in another order": frames(
        "".join(
            json.dumps({"arguments": [json.dumps(call911(id_))], "x": {"type": 7}, "headers": {"a": "b"}, "target": "pushEvent", "type": 1}) + "\x1e"
            for id_ in (1, 2, 3)
        )
    ),
    "escapes": frames(pushed(1, 2, 3).replace("pushEvent", "push\\u0045vent").replace("EVENT_911", "\\u0045VENT_911")),
    "unknown records": frames('{"type":99,"x":1}\x1e' + pushed(1) + '{"type":2,"invocationId":"9","item":1}\x1e' + pushed(2, 3)),
    "answers to nothing": frames('{"type":3,"invocationId":"77","result":{"success":false}}\x1e', pushed(1, 2, 3)),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(pair, name):
    hub, daemon = pair()
    hub.frames(**GOOD[name])
    wait_calls(daemon, 1, 2, 3)
    assert hub.counts()["connections"] == 1


@pytest.mark.parametrize("data", ['"a\\u0000b"', "[" * 80 + "]" * 80], ids=["NUL", "deep"])
def test_json_that_is_not_taken(pair, data):
    """Whoever can write into a field of the CAD loses no event of others, and cuts no session."""
    hub, daemon = pair()
    odd = '{"type":1,"target":"pushEvent","arguments":[{"type":"EVENT_911","data":%s}]}\x1e' % data
    hub.frames(**frames(pushed(1, 2) + odd + pushed(3)))
    wait_calls(daemon, 1, 2, 3)
    daemon.wait_line("refused .*body is not sound JSON")
    assert hub.counts()["connections"] == 1


def test_glued_to_the_answer(start, cad):
    """The first frames come in one read with the 101; so events come before the login was answered, and are taken."""
    hub = cad(glued=[{"text": "{}\x1e" + pushed(1)}, {"text": pushed(2, 3)}], handshake={"hang": True})
    daemon = start(sessions=[hub.session()])
    wait_calls(daemon, 1, 2, 3)
    assert hub.counts()["connections"] == 1


def test_large(pair):
    """As large as a body may be, escaped to more."""
    hub, daemon = pair(limits={"body": "1M"})
    text = json.dumps(call911(1, description='"\\' * 100_000 + MANY_BYTES))
    assert len(text) < 1 << 20
    hub.push(text)
    hub.set(segment=4096)
    hub.push(text)
    wait_calls(daemon, 1, 1)
    data = store.read(daemon.file.parent / "events.db", "SELECT data FROM events")
    assert {row[0] for row in data} == {json.dumps(json.loads(text)["data"])}


def test_large_since_a_reload(pair):
    """A session that is open gets the new limit, too."""
    hub, daemon = pair(limits={"body": "4K"})
    daemon.reload(config(sessions=[hub.session()], limits={"body": "1M"}))
    hub.push(call911(1, description=MANY_BYTES))
    wait_calls(daemon, 1)
    assert hub.counts()["connections"] == 1


# Invocations with an id


def answers(hub, id_):
    return [record for record in hub.connections()[0]["records"] if record.get("invocationId") == id_]


def test_answered(pair):
    """Who waits for a result gets one: for an event once it is stored."""
    hub, daemon = pair()
    hub.push(call911(1), invocationId="q1")
    hub.push(call911(1), invocationId='"\u00e9\n', target="somethingElse")
    for id_ in "q1", '"\u00e9\n':
        [answer] = wait_for(lambda: answers(hub, id_), "an answer")
        assert answer["type"] == 3
    assert answers(hub, '"\u00e9\n')[0].get("error")
    wait_calls(daemon, 1)


def test_answered_after_the_commit(start, cad, disk):
    """While the disk does not answer, neither does the session."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env)
    hub.wait_sessions(1)
    hub.push(call911(1), invocationId="q1")
    wait_for(lambda: answers(hub, "q1"), "an answer")
    with disk.failing(STALL):
        hub.push(call911(2), invocationId="q2")
        hub.push(call911(3), invocationId="q3", target="other")
        wait_for(lambda: answers(hub, "q3"), "an answer to another")
        assert not answers(hub, "q2")
    wait_for(lambda: answers(hub, "q2"), "an answer")
    wait_calls(daemon, 1, 2)


def test_other_targets(pair):
    """Counted, told once."""
    hub, daemon = pair()
    for _ in range(3):
        hub.push(call911(1), target="somethingElse")
    hub.push(call911(2))
    wait_calls(daemon, 2)
    assert len([line for line in daemon.lines() if "somethingElse" in line]) == 1


# Events that are none


@pytest.mark.parametrize(
    "body",
    [event(key="NOT-THE-KEY-9999"), event("EVENT_NOBODY_KNOWS"), "[]", "null", '"text"', "{", "", '{"key":"' + KEY + '"}'],
    ids=str,
)
def test_bad_events(pair, body):
    """Refused and told as by HTTP; the session goes on."""
    hub, daemon = pair()
    text = body if isinstance(body, str) else json.dumps(body)
    since = len(daemon.lines())
    hub.push(text)
    hub.push(call911(5))
    daemon.wait_line("911 call 5 ")
    assert len(daemon.lines()[since:]) >= 2, "told"
    assert hub.counts()["connections"] == 1


@pytest.mark.parametrize("arguments", ["", "1", "null", "true", "[]", '"{}","{}"', '{"a":1},{"b":2}'])
def test_bad_arguments(pair, arguments):
    hub, daemon = pair()
    hub.text(text='{"type":1,"target":"pushEvent","arguments":[' + arguments + "]}\x1e")
    hub.push(call911(5))
    daemon.wait_line("911 call 5 ")
    assert hub.counts()["connections"] == 1


# Frames that are wrong: the connection ends with the code that the standard has for it, and the next one is as good as new

BAD = {
    "bad UTF-8": (frames({"hex": "7bff7d1e"}), 1007),
    "a reserved bit": (frames({"rsv": 4, "text": '{"type":6}\x1e'}), 1002),
    "masked": (frames({"masked": True, "text": '{"type":6}\x1e'}), 1002),
    "an unknown opcode": (frames({"op": 5, "text": "x"}), 1002),
    "a continuation of nothing": (frames({"op": 0, "text": "x"}), 1002),
    "a long ping": (frames({"op": 9, "fill": ["x", 126]}), 1002),
    "a ping in frames": (frames({"op": 9, "fin": False, "text": "x"}), 1002),
    "a message in a message": (frames({"fin": False, "text": "x"}, {"text": "y"}), 1002),
    "too large": (frames({"fill": ["x", 5 << 20]}), 1009),
    "a length without end": (frames({"text": "x", "length": 1 << 40}), 1009),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_frames(pair, name):
    told, code = BAD[name]
    hub, daemon = pair(limits={"body": "1M"})
    hub.text(text=pushed(1))
    hub.frames(**told)
    wait_for(lambda: hub.connections()[0]["closed"], "an end")
    assert hub.connections()[0]["code"] in (code, 1006)  # where the close frame did not come through all that was sent
    hub.wait_connections(2)
    hub.wait_sessions(1)
    hub.text(text=pushed(2))
    wait_calls(daemon, 1, 2)


def test_endless_message(pair):
    """In frames that are each small."""
    hub, daemon = pair(limits={"body": "1M"})
    hub.frames(frames=[{"op": 0 if i else 1, "fin": False, "fill": ["x", 100_000]} for i in range(40)])
    hub.wait_connections(2)
    hub.wait_sessions(1)
    hub.push(call911(1))
    wait_calls(daemon, 1)


@pytest.mark.parametrize("close", [{"op": 8, "hex": "03e9627965"}, {"op": 8}], ids=["1001", "no code"])
def test_close_frames(pair, close):
    """Answered, and come again."""
    hub, daemon = pair()
    hub.frames(frames=[close])
    hub.wait_connections(2)
    hub.wait_sessions(1)
    hub.push(call911(1))
    wait_calls(daemon, 1)


def test_end_in_a_message(pair):
    """What was whole before it counts."""
    hub, daemon = pair()
    hub.frames(frames=[{"text": pushed(1)}, {"fin": False, "text": pushed(2)[:20]}])
    hub.cut(how="end")
    hub.wait_connections(2)
    hub.wait_sessions(1)
    hub.push(call911(3))
    wait_calls(daemon, 1, 3)


def test_texts_of_the_hub_are_not_believed(pair):
    """Nothing of what it says reaches a terminal or a log as it is."""
    hub, daemon = pair()
    evil = "\x1b]0;x\x07\u202e\n2026 forged"
    hub.push(call911(1), target=evil)
    hub.close(error=evil)
    hub.wait_connections(2)
    daemon.stop()
    assert all("\x1b" not in record["message"] and "\u202e" not in record["message"] and "\n" not in record["message"] for record in daemon.records())


def test_key_is_nowhere(pair):
    """Also not in what is told about a hub that sends it back. daemon.finish() looks for it."""
    hub, daemon = pair(log={"level": "debug"})
    hub.close(error=f"bad key {KEY}")
    hub.wait_connections(2)
    hub.wait_sessions(1)
    hub.set(login={"result": {"success": False, "error": f"not {KEY}"}})
    hub.cut(how="reset")
    daemon.wait_line(f'the CAD refuses community "{COMMUNITY}"|the CAD refuses community')
