"""sonoran-pushctl test: one sample to one action of the real daemon, and to nobody else."""

import json
import subprocess
from contextlib import closing

import pytest
from ctl_tools import BAD_CONFIG, CTL, USAGE, ask_socket, config_for, ctl, store_of
from harness import PATIENCE_S, call911, wait_for, write_private
from store import read
from targets import Target


@pytest.fixture
def heard(tmp_path):
    """What the programs of exec actions got: their name, then what they know of the event."""
    return tmp_path / "heard"


@pytest.fixture
def program(tmp_path, heard):
    script = tmp_path / "program"
    script.write_text(f'#!/bin/sh\necho "$SONORAN_ACTION $SONORAN_EVENT $SONORAN_EVENT_ID $SONORAN_TEST $SONORAN_SUMMARY" >>{heard}\n'
                      f'cat >{tmp_path}/stdin\necho ringing\nexit $1\n')
    script.chmod(0o755)
    return lambda name, status=0, **more: {"name": name, "type": "exec", "command": [str(script), str(status)], **more}


@pytest.fixture
def run(start, tmp_path):
    """test(actions, *words): the daemon with them, asked once."""

    def of(actions, *words, **more):
        daemon = start(actions=actions, **more)
        return daemon, ctl("-c", config_for(daemon, tmp_path, store={"path": str(store_of(daemon))}, actions=actions, **more), "test", *words)

    return of


def test_delivered(run, program, heard, tmp_path):
    daemon, result = run([program("siren"), program("other")], "siren", "event_911")
    assert (result.returncode, result.stderr) == (0, "")
    first, passes, ended = result.stdout.splitlines()
    assert first.startswith("Action siren gets a sample of EVENT_911, marked as a test; no other action gets it")
    assert passes == "Its filter would let a real one through."
    assert ended.startswith("It was delivered (") and ended.endswith(" ms).")
    [line] = heard.read_text().splitlines()
    assert line.startswith("siren EVENT_911 0 1 test: 911 call 990201")
    record = json.loads((tmp_path / "stdin").read_text())
    assert record["test"] is True and record["id"] == 0 and record["data"]["call"]["callId"] == 990201
    daemon.wait_line('"action siren: tried with a test EVENT_911: delivered"')
    daemon.wait_line("ringing")
    daemon.stop()
    assert read(store_of(daemon), "SELECT * FROM events") == []
    assert len(heard.read_text().splitlines()) == 1


def test_what_the_filter_says(run, program, heard):
    """It is tried all the same: whoever asks for it wants to know whether the target works."""
    siren = program("siren", events=["EVENT_911", "EVENT_UNIT_*"], when=["/call/callId exists", "emergency = false"])
    daemon, result = run([siren], "siren", "EVENT_911")
    assert result.returncode == 0
    assert 'Its filter would leave a real one out: when "emergency = false" does not hold.\n' in result.stdout
    result = ctl("-c", daemon.file, "test", "siren", "EVENT_TONE", "--json")
    told = json.loads(result.stdout)
    assert (told["left_out"], told["result"], told["type"]) == ("events", "delivered", "EVENT_TONE")
    assert len(heard.read_text().splitlines()) == 2


def test_a_type_that_fits(run, program, heard):
    """Without one, a sample that the filter lets through."""
    _, result = run([program("panic", when=["panic = true"])], "panic")
    assert result.returncode == 0 and "a sample of EVENT_UNIT_PANIC" in result.stdout
    assert "TEST PANIC" in heard.read_text()


def test_not_delivered(run, program):
    daemon, result = run([program("bad", 3), program("later", 75)], "bad")
    assert result.returncode == 1
    assert "would go to the list of failed ones" in result.stdout and "status 3" in result.stdout
    result = ctl("-c", daemon.file, "test", "later")
    assert result.returncode == 1 and "would be tried again" in result.stdout
    actions = json.loads(ctl("actions", "--json", "--store", store_of(daemon)).stdout)["actions"]
    assert all(action["attempts"] == action["failed"] == 0 for action in actions)


def test_of_an_action_that_waits(start, program, tmp_path, heard):
    """Its worker may be at something, or between two tries; and its place in the log stays."""
    actions = [program("later", 75)]
    daemon = start(actions=actions)
    assert daemon.post(call911(1)).status == 200
    wait_for(heard.exists, "the first try")
    file = config_for(daemon, tmp_path, store={"path": str(store_of(daemon))}, actions=actions)
    result = ctl("-c", file, "test", "later")
    assert result.returncode == 1 and "would be tried again" in result.stdout
    wait_for(lambda: action_of(daemon)["state"] == "failing", "a wait for the next try")
    assert action_of(daemon)["cursor"] == 0


def action_of(daemon):
    """The only one."""
    [action] = json.loads(ctl("actions", "--json", "-c", daemon.file).stdout)["actions"]
    return action


def test_missing(run, tmp_path):
    gone = {"name": "gone", "type": "exec", "command": ["/nonexistent/siren"]}
    _, result = run([gone], "gone")
    assert result.returncode == 1 and "It could not be tried" in result.stdout and "/nonexistent/siren" in result.stdout


def test_answer_of_a_target(run):
    with closing(Target()) as target:
        bot = {"name": "bot", "type": "forward", "url": target.url, "body": "record"}
        _, result = run([bot], "bot", "EVENT_UNIT_PANIC")
        assert result.returncode == 0 and "The target answered: 200" in result.stdout
        [request] = target.got
        record = request.json
        assert record["test"] is True and record["summary"].startswith("TEST PANIC")


def test_refusals(run, program, tmp_path):
    daemon, result = run([program("siren")], "sirn")
    assert result.returncode == 1 and "did you mean siren?" in result.stderr
    for words, said in {("siren", "EVNT_911"): "did you mean EVENT_911?", ("siren", "EVENT_911", "x"): "",
                        ("siren", "--community", "none"): "no community", ("siren", "--listener", "none"): "no listener",
                        (): ""}.items():
        result = ctl("-c", daemon.file, "test", *words)
        assert result.returncode == USAGE and result.stdout == "" and said in result.stderr
    file = config_for(daemon, tmp_path, store={"path": str(store_of(daemon))}, actions=[program("siren"), program("new")])
    result = ctl("-c", file, "test", "new")
    assert result.returncode == 1 and "no action is called that" in result.stderr
    daemon.stop()
    result = ctl("-c", daemon.file, "test", "siren")
    assert result.returncode == 1 and "no daemon is running" in result.stderr
    write_private(tmp_path / "none", "")
    assert ctl("-c", tmp_path / "none", "test", "siren").returncode in (1, BAD_CONFIG)


def said_of_it(store):
    return ask_socket(f"{store}.control", "GET", "/api/test")[2]


def test_ends_with_the_daemon(start, program, tmp_path):
    """One that takes its time does not hold up the end."""
    slow = {"name": "slow", "type": "exec", "command": ["/bin/sleep", "600"], "timeout": "10min"}
    daemon = start(actions=[slow])
    file = config_for(daemon, tmp_path, store={"path": str(store_of(daemon))}, actions=[slow])
    asked = subprocess.Popen([CTL, "-c", str(file), "test", "slow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: "under_way" in said_of_it(store_of(daemon)), "its beginning")
    result = ctl("-c", file, "test", "slow")
    assert result.returncode == 1 and "action slow is being tried" in result.stderr
    daemon.stop()
    assert asked.wait(PATIENCE_S) == 1


def test_nothing_is_lost_when_it_ends_with_the_daemon(on, tmp_path, path):
    """Events come while it is tried, and after a restart the action goes on at its place."""
    heard, program = tmp_path / "heard", tmp_path / "siren"
    program.write_text(f'#!/bin/sh\n[ -z "$SONORAN_TEST" ] || exec sleep 600\necho "$SONORAN_EVENT_ID" >>{heard}\n')
    program.chmod(0o755)
    actions = [{"name": "siren", "type": "exec", "command": [str(program)], "timeout": "10min"}]

    def ids():
        return heard.read_text().split() if heard.exists() else []

    for first in 1, 4:
        daemon = on(actions=actions)
        asked = subprocess.Popen([CTL, "-c", str(daemon.file), "test", "siren", "EVENT_911"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: "under_way" in said_of_it(path), "its beginning")
        for call_id in range(first, first + 3):
            assert daemon.post(call911(call_id)).status == 200
        wait_for(lambda: action_of(daemon)["cursor"] == first + 2, "the others")
        daemon.stop()
        assert asked.wait(PATIENCE_S) == 1
        assert read(path, "SELECT event_id FROM cursors WHERE action = 'siren'") == [(first + 2,)]
    assert ids() == [str(i) for i in range(1, 7)]


def test_an_action_that_is_off_tries_itself_while_the_daemon_stops(on, path):
    """At a reload; its first event is at the webhook when the daemon is told to stop, and is not lost."""
    with closing(Target(lambda request: (401, {}, json.dumps({"code": 50027, "message": "No"}).encode()))) as channel:
        actions = [{"name": "channel", "type": "discord", "url": channel.url, "timeout": "10min"}]
        daemon = on(actions=actions)
        for call_id in (1, 2):
            assert daemon.post(call911(call_id)).status == 200
        daemon.wait_line("switched off")
        channel.answer = lambda request: Target.HANG
        daemon.reload()
        channel.wait_tried(2)
        daemon.stop()
        assert read(path, "SELECT event_id FROM cursors WHERE action = 'channel'") == [(0,)]
        channel.answer = lambda request: 204
        on(actions=actions)
        titles = [request.json["embeds"][0]["title"] for request in channel.wait_got(2)]
        assert titles == ["911 call 1", "911 call 2"]
