"""sonoran-pushctl failed: the list of given-up deliveries, read from the log itself."""

import json

import pytest
from ctl_tools import USAGE, ctl, store_of
from harness import call911, config, write_private
from store import change

AT = 1795449600


@pytest.fixture
def store(start):
    """Of a daemon that ended: two events, four failures, one of them of an event that is gone."""
    daemon = start()
    for number in 90417, 90418:
        assert daemon.post(call911(number, caller="Zoë")).status == 200
    daemon.stop()
    rows = [
        ("siren", 2, 3, "exit status 1", AT * 1000000),
        ("siren", 1, 1, "\x1b[31mterrible\nthing", AT * 1000000),
        ("bot", 1, 12, "given up after 12 attempts: HTTP 500", (AT + 61) * 1000000),
        ("bot", 999, 1, "HTTP 410", AT * 1000000),
    ]
    for row in rows:
        change(store_of(daemon), "INSERT INTO failed (action, event_id, attempts, error, at) VALUES (?, ?, ?, ?, ?)", *row)
    return store_of(daemon)


def failed(store, *args, **kwargs):
    result = ctl("failed", "--store", store, *args, **kwargs)
    assert result.returncode == 0 and result.stderr == ""
    return result.stdout.splitlines()


def test_lines(store):
    heading, *lines = failed(store, env={"TZ": "UTC0"})
    assert heading == "TIME (UTC)               ID ACTION, ERROR | EVENT"
    assert [line.split()[2] for line in lines] == ["1", "1", "2", "999"]
    assert lines[0].startswith("2026-11-23 16:01:01       1 bot, given up after 12 attempts: HTTP 500 | EVENT_911: 911 call 90417")
    assert lines[1].startswith("2026-11-23 16:00:00       1 siren, 1 attempt: \\x1b[31mterrible\\nthing | EVENT_911: ")
    assert lines[3] == "2026-11-23 16:00:00     999 bot, 1 attempt: HTTP 410 | no longer in the log"
    assert failed(store, env={"TZ": "XXX-5"})[2].startswith("2026-11-23 21:00:00")


def test_one_action(store):
    assert len(failed(store, "siren")) == len(failed(store, "bot")) == 1 + 2
    assert failed(store, "other") == ["No failed deliveries."]
    assert failed(store, "other", "--json") == []


def test_an_action_that_is_none(store):
    """One that has gone from the configuration may have failures still."""
    actions = [{"name": "siren", "type": "exec", "command": ["/bin/true"]}]
    write_private(store.parent / "c", config(store={"path": str(store)}, actions=actions))
    for name, said in {"sirn": "did you mean siren?", "other-things": "none of that name has given anything up"}.items():
        result = ctl("-c", store.parent / "c", "failed", name)
        assert (result.returncode, result.stdout) == (1, "") and said in result.stderr
    assert ctl("-c", store.parent / "c", "failed", "bot").returncode == 0


def test_json(store):
    rows = [json.loads(line) for line in failed(store, "--json")]
    assert rows[2] == {
        "event_id": 2,
        "action": "siren",
        "attempts": 3,
        "error": "exit status 1",
        "at": "2026-11-23T16:00:00.000000Z",
        "type": "EVENT_911",
        "summary": rows[2]["summary"],
    }
    assert "Zoë" in rows[2]["summary"]
    assert set(rows[3]) == {"event_id", "action", "attempts", "error", "at"}
    assert rows[1]["error"] == "\x1b[31mterrible\nthing"
    assert "\x1b" not in "".join(failed(store, "--json"))


def test_problems(tmp_path, store):
    result = ctl("failed", "--store", tmp_path / "none.db")
    assert result.returncode == 1 and "cannot read" in result.stderr
    assert ctl("failed", "a", "b", "--store", store).returncode == USAGE
