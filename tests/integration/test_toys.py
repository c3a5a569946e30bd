"""What is added is a row in a table and one file: tests/toys has a file for each kind of thing, the daemon here was built
of them, of their tables with a row more, and of everything else as it is."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from ctl_tools import ask_socket, store_of
from harness import BINARY, PATIENCE_S, Daemon, config, event, wait_for, write_private
from store import read

TOYS = Path(os.environ.get("SONORAN_PUSHD_TOYS", Path(BINARY).parent / "tests" / "sonoran-pushd-toys"))


@pytest.fixture
def toys(tmp_path):
    """start(**settings): the daemon with the toys."""
    daemons = []

    def start(**changes):
        daemons.append(Daemon(tmp_path / f"toys{len(daemons)}", config(**changes), binary=TOYS))
        return daemons[-1].wait_ready()

    yield start
    for daemon in daemons:
        daemon.finish()


def ask(daemon, target):
    status, _, answer = ask_socket(f"{store_of(daemon)}.control", "GET", target)
    return status, answer


def test_type(toys):
    """Checked and told; its alias is known."""
    daemon = toys()
    assert daemon.post(event("TOY_BALL", {"colour": "red"})).status == 200
    assert daemon.post(event("TOY_GLOBE", {"colour": "blue"})).status == 200
    refused = daemon.post(event("TOY_BALL", {}))
    assert (refused.status, refused.text) == (400, "Invalid Data: data.colour: missing")
    daemon.wait_line("colour: missing")
    records = daemon.events()
    assert {record["event"] for record in records} == {"TOY_BALL"}
    assert [record["message"] for record in records[:2]] == ["a ball of red", "a ball of blue"]


def test_type_is_unknown_without_its_row(start):
    daemon = start()
    assert daemon.post(event("TOY_BALL", {"colour": "red"})).status == 400
    assert "a ball of" not in daemon.wait_line("TOY_BALL")


def test_fact(toys, tmp_path):
    """Conditions and programs know it."""
    out = tmp_path / "out"
    program = tmp_path / "say"
    program.write_text(f"#!/bin/sh\nprintf '%s' \"$SONORAN_BALL_COLOUR\" >{out}.new && mv {out}.new {out}\n")
    program.chmod(0o755)
    action = {"name": "say", "type": "exec", "command": [str(program)], "when": ["ball.colour = red"]}
    daemon = toys(actions=[action])
    for colour in ("blue", "red"):
        daemon.post(event("TOY_BALL", {"colour": colour}))
    wait_for(out.exists, "the program")
    assert out.read_text() == "red"


def toy_action(file, **more):
    return {"name": "lines", "type": "toy", "file": str(file), **more}


def check(tmp_path, *options, binary=TOYS, **changes):
    """What the program with the toys says of a configuration, and its exit status."""
    file = tmp_path / "toys.yaml"
    write_private(file, config(**changes))
    run = subprocess.run([binary, "-c", file, *options], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return run.returncode, run.stdout, run.stderr


def test_action(toys, tmp_path):
    """Delivered to, with what its options say, and seen."""
    out = tmp_path / "out"
    daemon = toys(actions=[toy_action(out, mood="loud", events=["TOY_*"])])
    for colour in ("blue", "red"):
        assert daemon.post(event("TOY_BALL", {"colour": colour})).status == 200
    wait_for(lambda: out.exists() and out.read_text() == "a ball of blue!\na ball of red!\n", "both lines")
    (action,) = ask(daemon, "/api/actions")[1]["actions"]
    assert (action["name"], action["type"]) == ("lines", "toy")


def test_action_that_fails(toys, tmp_path):
    """Its own sentence stands in the line, and it tries again."""
    out = tmp_path / "later" / "out"
    daemon = toys(actions=[toy_action(out, events=["TOY_*"])])
    assert daemon.post(event("TOY_BALL", {"colour": "red"})).status == 200
    daemon.wait_line("action lines: event 1 not delivered, next try in .* cannot write: No such file or directory")
    out.parent.mkdir()
    wait_for(lambda: out.exists() and out.read_text() == "a ball of red\n", "the line")


def test_action_is_printed(tmp_path):
    status, printed, _ = check(tmp_path, "--print-config", actions=[toy_action("/tmp/out")])
    assert status == 0
    assert '    type: toy\n' in printed and '    file: "/tmp/out"\n    mood: calm\n' in printed


@pytest.mark.parametrize(
    "action, sentence",
    [
        ({"file": "out"}, 'actions[0].file = out: expected an absolute path'),
        ({"mood": "odd"}, "actions[0].mood = odd: expected one of calm loud"),
        ({"command": ["/bin/true"]}, "actions[0].command = [ … ]: only for type: exec"),
        ({"url": "http://h/"}, "actions[0].url: only for type: forward or discord"),
        ({"moood": "calm"}, "actions[0].moood: unknown option, did you mean mood?"),
        ({"type": "toi"}, "actions[0].type = toi: expected one of "),
        ({"type": "exec", "command": ["/bin/true"]}, "actions[0].file = \"/out\": only for type: toy"),
    ],
)
def test_action_with_mistakes(tmp_path, action, sentence):
    status, _, said = check(tmp_path, "--check", actions=[toy_action("/out") | action])
    assert status == 78 and sentence.replace('"', "") in said.replace('"', "")


def test_action_is_nothing_without_its_row(tmp_path):
    status, _, said = check(tmp_path, "--check", binary=BINARY, actions=[toy_action("/out")])
    assert status == 78 and 'actions[0].type = "toy": expected one of exec forward discord' in said


def test_route(toys):
    daemon = toys()
    assert ask(daemon, "/api/toy?name=ball") == (200, {"toy": "ball"})


def test_route_is_nothing_without_its_row(start):
    assert ask(start(), "/api/toy")[0] == 404


def send_beside(daemon, *messages):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE_S)
        for message in messages:
            sender.sendto(message.encode(), f"{store_of(daemon)}.toy")


def wait_stored(daemon, n):
    query = "SELECT source, listener, peer, type, verdict FROM events ORDER BY id"
    return wait_for(lambda: rows if len(rows := read(store_of(daemon), query)) >= n else None, f"{n} events")


def test_source(toys):
    """A type and its data, and a whole body, beside what is posted: all in one log, and told alike."""
    daemon = toys(toy={})
    assert daemon.post(event("TOY_BALL", {"colour": "red"})).status == 200
    send_beside(daemon, 'TOY_BALL {"colour":"blue"}', json.dumps(event("TOY_GLOBE", {"colour": "green"})), "TOY_BALL {}",
                '{"type":"TOY_BALL","key":"nobody\'s"}', "TOY_BALL {")
    daemon.wait_line("the toy refused a message: wrong key")
    daemon.wait_line("the toy refused a message: unfinished text")
    of_toy = ("toy", "socket", "a test", "TOY_BALL")
    rows = wait_stored(daemon, 4)
    assert rows[0][0] == "push"
    assert rows[1:] == [(*of_toy, "accepted"), (*of_toy, "accepted"), (*of_toy, "invalid")]
    daemon.wait_line("a ball of green")
    assert {"source": "toy", "name": "socket"} in ask(daemon, "/health")[1]["sources"]


def test_source_waits_for_room(toys):
    """More than may wait in memory: none of it is lost, and it stays in order."""
    daemon = toys(toy={}, limits={"body": "4K", "in_flight": "16K"})
    send_beside(daemon, *(f'TOY_BALL {{"colour":"{i}","x":"{"x" * 2000}"}}' for i in range(300)))
    wait_stored(daemon, 300)
    data = [row[0] for row in read(store_of(daemon), "SELECT data FROM events ORDER BY id")]
    assert [json.loads(each)["colour"] for each in data] == [str(i) for i in range(300)]


def sources_of(daemon):
    return {source["source"] for source in ask(daemon, "/health")[1]["sources"]}


def test_source_comes_and_goes(toys):
    """It is there where the configuration has its section: switched on, changed and off while the daemon runs."""
    daemon = toys()
    path = Path(f"{store_of(daemon)}.toy")
    assert sources_of(daemon) == {"push"} and not path.exists()
    for colour in ("red", "blue"):
        assert "source toy is open" in "".join(daemon.reload(config(toy={})))
        assert sources_of(daemon) == {"push", "toy"}
        send_beside(daemon, f'TOY_BALL {{"colour":"{colour}"}}')
        daemon.wait_line(f"a ball of {colour}")
        since = len(daemon.lines())
        assert "source toy" not in "".join(daemon.reload(config(toy={"max_size": 24})))
        send_beside(daemon, 'TOY_BALL {"colour":"purple"}', "TOY_BALL {}")
        daemon.wait_line("the toy refused a message: longer than max_size", since)
        daemon.wait_line("colour: missing", since)
        assert "source toy is closed" in "".join(daemon.reload(config()))
        assert sources_of(daemon) == {"push"} and not path.exists()
    assert [row[-1] for row in wait_stored(daemon, 4)] == ["accepted", "invalid"] * 2


def test_source_that_cannot_be_opened(toys):
    """Then the old configuration stays in force as a whole."""
    daemon = toys()
    path = Path(f"{store_of(daemon)}.toy")
    path.write_text("")
    said = "".join(daemon.reload(config(toy={}, log={"level": "debug"})))
    assert f"the old configuration stays in force: the toy cannot listen on {path}" in said
    assert sources_of(daemon) == {"push"}
    path.unlink()
    assert "source toy is open" in "".join(daemon.reload(config(toy={})))


def test_source_is_printed(tmp_path):
    status, printed, _ = check(tmp_path, "--print-config", toy={"max_size": "1K"})
    assert status == 0 and "\ntoy:\n  max_size: 1K\n" in printed
    assert "toy" not in check(tmp_path, "--print-config")[1]


def test_options_are_in_the_schema():
    """Those of the action, and of the source."""
    run = subprocess.run([TOYS.with_name("schema-toys")], capture_output=True, timeout=PATIENCE_S, check=True)
    properties = json.loads(run.stdout)["properties"]
    assert properties["actions"]["items"]["properties"]["mood"]["enum"] == ["calm", "loud"]
    assert properties["toy"]["additionalProperties"] is False
    size = properties["toy"]["properties"]["max_size"]
    assert (size["default"], size["description"]) == ("64K", "The largest message; others are refused.")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("toy: { max_size: 15 }\n", ":6:18: toy.max_size = 15: expected a size such as 64K or 1M, from 16 to 64K"),
        ("toy: { max_siz: 1K }\n", ":6:8: toy.max_siz: unknown option, did you mean max_size?"),
        ("toi: { }\n", ":6:1: toi: unknown option, did you mean toy?"),
        ("toy:\n  max_size 1K\n  max_size: 2K\n", ":7:3: a colon is missing here: expected max_size: 1K"),
    ],
)
def test_source_with_mistakes(tmp_path, text, sentence):
    file = tmp_path / "toys.yaml"
    write_private(file, config() + text)
    run = subprocess.run([TOYS, "-c", file, "--check"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert run.returncode == 78 and sentence in run.stderr


def test_source_is_nothing_without_its_row(start, tmp_path):
    daemon = start()
    assert not Path(f"{store_of(daemon)}.toy").exists()
    assert sources_of(daemon) == {"push"}
    status, _, said = check(tmp_path, "--check", binary=BINARY, toy={})
    assert status == 78 and "toy: unknown option" in said


def test_one_file_each():
    """A toy is one file, and each file has a row."""
    folder = Path(__file__).resolve().parents[1] / "toys"
    rows = (folder / "add_rows").read_text()
    files = sorted(file.stem for file in folder.glob("*.c"))
    assert len(files) == len(re.findall(r'^    \("(?:src|include)/', rows, re.M)), files
