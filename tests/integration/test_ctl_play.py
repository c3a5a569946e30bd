"""sonoran-pushctl play: a recorded log, or the built-in shift, posted to the real daemon."""

import json
import os
import signal
import subprocess

import pytest
from ctl_tools import CTL, USAGE, config_for, ctl, store_of
from harness import KEY, PATIENCE_S, Output, config, event, free_port, signals_as_on_a_terminal, wait_for
from store import read

CALL = {"call": {"callId": 90417, "location": "118 Lantern St"}}
FAST = ("--speed", 10000)


@pytest.fixture
def file(daemon, tmp_path):
    """A configuration that leads to the daemon."""
    return config_for(daemon, tmp_path)


def play(file, *args, **kwargs):
    return ctl("-c", file, "play", *args, **kwargs)


def stored(daemon, columns):
    return [row if "," in columns else row[0] for row in read(store_of(daemon), f"SELECT {columns} FROM events ORDER BY id")]


def record(daemon, tmp_path):
    """What the daemon has in its log, as "events --json" prints it."""
    path = tmp_path / "recording"
    path.write_text(ctl("events", "--json", "--limit", 1000, "--store", store_of(daemon)).stdout)
    return path


class Playing:
    """One that goes on."""

    def __init__(self, file, *args):
        self.process = subprocess.Popen([CTL, "-c", str(file), "play", *map(str, args)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        preexec_fn=signals_as_on_a_terminal)
        self.output = Output(os.dup(self.process.stdout.fileno()))  # which closes it

    def wait_line(self, words):
        wait_for(lambda: any(words in line for line in self.output.lines()), words)

    def end(self, signal_=signal.SIGINT):
        self.process.send_signal(signal_)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def playing():
    started = []

    def begin(*args):
        started.append(Playing(*args))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        one.output.join()


def test_demo(daemon, file):
    """All of it is accepted, marked as a test, and the lines are those that the daemon tells."""
    result = play(file, "--demo", *FAST)
    assert (result.returncode, result.stderr) == (0, "")
    *lines, last = result.stdout.splitlines()
    assert last == f"{len(lines)} test events posted" and len(lines) > 150
    rows = stored(daemon, "verdict, extra")
    assert rows == [("accepted", '{"test":true}')] * len(lines)
    words = [line[9:] for line in lines]
    for part in ("(unit 7111) on duty", "PANIC: 5-S-7 Dana Whitlock", "panic ended", "Structure Fire closed by D-1 Iris Calloway", "off duty"):
        assert any(part in line for line in words), part
    told = [line.partition("test: ")[2] for line in ctl("events", "--limit", 1000, "--store", store_of(daemon)).stdout.splitlines()]
    assert sum(line in told for line in words) > 0.9 * len(words)  # where no time stands in it, which may differ by a moment


def test_recording(start, tmp_path):
    """Type, data and what stood beside it; what was refused is left out, and nothing is real that was."""
    first = start()
    first.post(event("EVENT_911", CALL))
    first.post(event("EVENT_UNHEARD_OF", {}))
    first.post(event("GET_LOGS", logKey="77"))
    first.post(event("event_unit_panic", {"identIds": [4127], "isPanic": True}, test=False))
    path = record(first, tmp_path)
    assert len(path.read_text().splitlines()) == 4
    path.write_text(path.read_text() + "\n")
    second = start()
    result = play(config_for(second, tmp_path), path, *FAST)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "3 test events posted, 1 left out that was refused when recorded"
    assert stored(second, "type, type_sent, data, extra") == [
        ("EVENT_911", None, stored(first, "data")[0], '{"test":true}'),
        ("GET_LOGS", None, stored(second, "data")[1], '{"test":true,"logKey":"77"}'),
        ("EVENT_UNIT_PANIC", "event_unit_panic", '{"identIds": [4127], "isPanic": true}', '{"test":true}'),
    ]


@pytest.mark.parametrize("more", [
    r'"te\u0073t":false', r'"test":false,"test":false', r'"\u0074est":0,"TEST":false,"t\u0045st":false', '"test":null',
])
def test_a_test_whatever_it_says(start, tmp_path, more):
    """A real event whose body said so in letters of its own, or twice; and a key that stood beside it is not another."""
    first = start()
    first.post(json.dumps({"key": KEY, "type": "GET_LOGS", "logKey": "77"})[:-1] + "," + more + "}")
    path = record(first, tmp_path)
    path.write_text(path.read_text().replace('"logKey"', r'"k\u0065y":"x","logKey"'))
    second = start()
    result = play(config_for(second, tmp_path), path, *FAST)
    assert (result.returncode, result.stderr) == (0, "")
    assert stored(second, "extra") == ['{"test":true,"logKey":"77"}']


def test_communities(start, tmp_path):
    """With the key of the community of the same name, else the first; or the one that is named."""
    communities = [{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY + "B"}]
    first = start(communities=communities)
    first.secrets.add(KEY + "B")
    first.post(event("EVENT_911", CALL, key=KEY + "B"))
    path = record(first, tmp_path)
    path.write_text(path.read_text() + path.read_text().replace('"community":"b"', '"community":"elsewhere"'))
    file = config_for(first, tmp_path, communities=communities)
    assert play(file, path, *FAST).returncode == 0
    assert play(file, path, *FAST, "--community", "b").returncode == 0
    assert stored(first, "community") == ["b", "b", "a", "b", "b"]


def test_no_action_gets_it(start, tmp_path):
    heard = tmp_path / "heard"
    script = tmp_path / "program"
    script.write_text(f'#!/bin/sh\necho "$SONORAN_EVENT" >>{heard}\n')
    script.chmod(0o755)
    daemon = start(actions=[{"name": "bell", "type": "exec", "command": [str(script)]}])
    assert play(config_for(daemon, tmp_path), "--demo", *FAST).returncode == 0
    daemon.post(event("EVENT_REMOVE_911", {"callIds": [1]}))
    wait_for(heard.exists, "the one that is real, behind all the others")
    wait_for(lambda: heard.read_text() == "EVENT_REMOVE_911\n", "it alone")


def test_ctrl_c(daemon, file, playing):
    """Also in the pause behind the first event, which is two seconds long."""
    one = playing(file, "--demo", "--speed", "0.01")
    one.wait_line("on duty")
    assert one.end() == 0
    one.output.join()
    assert one.output.lines()[-1] == "ended: 1 test event posted; they stay in the log"
    assert len(stored(daemon, "id")) == 1


def test_daemon_is_down(start, tmp_path, playing):
    """It is told once, tried again, and not one event is left out."""
    port = free_port()
    listeners = [{"name": "main", "address": f"127.0.0.1:{port}"}]
    file = tmp_path / "early.yaml"
    file.write_text(config(listeners=listeners))
    one = playing(file, "--demo", *FAST)
    one.wait_line("trying again each second")
    daemon = start(listeners=listeners)
    one.wait_line("test events posted")
    assert one.process.wait(PATIENCE_S) == 0
    lines = one.output.lines()
    assert sum("trying again" in line for line in lines) == 1 and sum("it answers again" in line for line in lines) == 1
    assert f"{len(stored(daemon, 'id'))} test events posted" == lines[-1]


def test_ctrl_c_while_it_is_down(tmp_path, playing):
    file = tmp_path / "early.yaml"
    file.write_text(config(listeners=[{"name": "main", "address": f"127.0.0.1:{free_port()}"}]))
    one = playing(file, "--demo")
    one.wait_line("trying again each second")
    assert one.end(signal.SIGTERM) == 0
    one.output.join()
    assert one.output.lines()[-1] == "ended: 0 test events posted"


def test_loop(daemon, file, playing):
    """Each round has calls of its own."""
    one = playing(file, "--demo", "--loop", *FAST)
    opened = "SELECT count(*) FROM events WHERE type = 'EVENT_DISPATCH_NEW'"
    wait_for(lambda: read(store_of(daemon), opened)[0][0] >= 20, "three rounds of eight calls")
    assert one.end() == 0
    ids = [json.loads(data)["dispatch"]["callId"] for type_, data in stored(daemon, "type, data") if type_ == "EVENT_DISPATCH_NEW"]
    assert len(ids) == len(set(ids))


def test_wrong_key(daemon, tmp_path):
    """No event is tried a second time with it."""
    file = config_for(daemon, tmp_path, communities=[{"name": "default", "api_key": "NOT-THE-KEY-9999"}])
    result = play(file, "--demo", *FAST)
    assert result.returncode == 1 and "does not know this key" in result.stderr
    assert result.stdout == "0 test events posted\n"


def test_refused(daemon, tmp_path, file):
    """What this daemon does not take is told, and the others go on."""
    daemon.post(event("EVENT_911", CALL))
    path = record(daemon, tmp_path)
    line = path.read_text()
    path.write_text(line.replace("EVENT_911", "EVENT_UNHEARD_OF") + line)
    result = play(file, path, *FAST)
    assert result.returncode == 1
    assert "         refused: 400 Invalid Type\n" in result.stdout
    assert result.stdout.endswith("\n2 test events posted, 1 refused\n")


def test_hostile_recording(daemon, tmp_path, file):
    """A line is text of strangers too."""
    daemon.post(event("EVENT_911", CALL))
    path = record(daemon, tmp_path)
    line = path.read_text()
    changed = json.loads(line)
    changed["summary"] = "\x1b[31mred\u202e\n" + "x" * 5000
    path.write_text(json.dumps(changed) + "\n")
    result = play(file, path, *FAST)
    assert result.returncode == 0 and "\x1b" not in result.stdout and "\u202e" not in result.stdout
    for broken in ("{}", "no JSON", line.replace('"time"', '"tome"'), '{"id":1,'):
        path.write_text(line + broken)
        result = play(file, path, *FAST)
        assert result.returncode == 1 and "line 2 is no event record" in result.stderr, broken


def test_usage(file, tmp_path):
    for args in ([], ["--demo", tmp_path], ["-", "--loop"], ["--demo", "--speed", "0"], ["--demo", "--speed", "nan"],
                 ["--demo", "--longest", "-1"], ["--demo", "--url", "ftp://x"], ["--demo", "--listener", "nobody"]):
        assert play(file, *args).returncode == USAGE, args
    result = play(file, tmp_path / "nothing")
    assert result.returncode == 1 and f"cannot read {tmp_path}/nothing: No such file" in result.stderr
    result = play(file, tmp_path)
    assert result.returncode == 1 and f"cannot read {tmp_path}: Is a directory" in result.stderr
    assert "no action" in ctl("play", "--help").stdout.replace("\n", " ")


def test_stdin_that_goes_on(daemon, file, playing, tmp_path):
    """As that of "events -f --json": a signal ends the wait for the next line."""
    daemon.post(event("EVENT_911", CALL))
    line = record(daemon, tmp_path).read_text()
    one = playing(file, "-", *FAST)
    one.process.stdin.write(line.encode())
    one.process.stdin.flush()
    one.wait_line("911 call 90417")
    assert one.end() == 0
