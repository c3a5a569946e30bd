"""Records as Microsoft's tests of its protocol have them (tests/fixtures/session/records.json): does a session take what
Microsoft's parser takes, and refuse what that refuses? Each record goes to a session of its own, and after it an event."""

import json

from cad import COMMUNITY
from harness import REPOSITORY, call911, wait_for

RECORDS = json.loads((REPOSITORY / "tests" / "fixtures" / "session" / "records.json").read_text())
FOREIGN = "speaks another SignalR protocol"

# Where a session does otherwise, and why.
STREAM, SEQUENCE = "no stream is ever asked for: not looked into", "nor a session that goes on: not looked into"
TAKEN_HERE = {
    '{"type":2}': STREAM,
    '{"type":2,"invocationId":42}': STREAM,
    '{"type":2,"invocationId":1}': STREAM,
    '{"type":2,"invocationId":"42"}': STREAM,
    '{"type":8}': SEQUENCE,
}
DOTNET = "Microsoft's parser for .NET refuses it, too: arguments have to be a list"
REFUSED_HERE = {
    '{"type":1,"invocationId":"42","target":"foo"}': DOTNET,
    '{"type":1,"invocationId":"42","target":"foo","arguments":{}}': DOTNET,
    '{"type":1,"target":"Target","arguments":null}': DOTNET,
}


def is_close(record):
    try:
        return json.loads(record).get("type") == 7
    except (ValueError, AttributeError):
        return False


def test_records(many):
    hub, daemon = many(len(RECORDS))
    hub.wait_sessions(len(RECORDS))
    theirs = [hub.judge(text=record + "\x1e") is None for record in RECORDS]
    for i, record in enumerate(RECORDS, 1):
        hub.text(community=COMMUNITY, server=i, text=record + "\x1e")
        hub.push(call911(i), server=i)

    def outcome(i):
        """True: taken, False: refused, None: not known yet."""
        if taken := [r for r in daemon.events() if r.get("911") == [i]]:
            return bool(taken)
        lines = [line for line in daemon.lines() if f"session s{i}:" in line]
        if any(FOREIGN in line for line in lines):
            return False
        return True if any("closed the session" in line or "closed by the CAD" in line for line in lines) else None

    def outcomes():
        return [outcome(i) for i in range(1, len(RECORDS) + 1)]

    ours = wait_for(lambda: None not in (found := outcomes()) and found, "all of them")
    differ = {record: ours for record, ours, theirs in zip(RECORDS, ours, theirs) if ours != theirs}
    expected = {**dict.fromkeys(TAKEN_HERE, True), **dict.fromkeys(REFUSED_HERE, False)}
    assert differ == expected, json.dumps(differ, indent=1)


# Answers to the handshake: what Microsoft's tests have, and more. None: taken; else a part of the line about it.
HANDSHAKES = {
    "{}\x1e": None,
    '{"unknown":null}\x1e': None,
    '{"minorVersion":34}\x1e': None,
    '{"error":"dummy"}\x1e': FOREIGN + ": .*dummy",
    '{"error":""}\x1e': FOREIGN,
    '{"error":"The protocol \'json\' is not supported."}\x1e': FOREIGN + ": .*is not supported",
    '{"error":null}\x1e': None,  # as JavaScript has it; .NET insists on a text
    "42\x1e": FOREIGN,
    '"42"\x1e': FOREIGN,
    "null\x1e": FOREIGN,
    "[]\x1e": FOREIGN,
    "\x1e": FOREIGN,
    "{\x1e": FOREIGN,
    '{"type":6}\x1e': FOREIGN,
}


def test_handshakes(many):
    hub, daemon = many(len(HANDSHAKES), [{"handshake": {"text": text}} for text in HANDSHAKES])
    for i, (text, line) in enumerate(HANDSHAKES.items(), 1):
        if line is None:
            daemon.wait_line(f"session s{i}: connected to")
        else:
            daemon.wait_line(f"session s{i}: .*{line}")
    assert hub.counts()["sessions"] == list(HANDSHAKES.values()).count(None)
