"""sonoran-pushctl status: of a daemon that tells everything, little, or is not there."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from ctl_tools import BAD_CONFIG, NOT_RUNNING, USAGE, control, ctl, short_folder
from harness import call911, config, event
from store import change
from test_ctl_actions import ACTIONS

HOUR_US = 3600 * 1000000


def ago(**kwargs):
    return (datetime.now(timezone.utc) - timedelta(**kwargs)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def told(**changes):
    return {
        **ACTIONS,
        "version": "0.1.0",
        "pid": 123,
        "started": ago(hours=5),
        "listeners": [{"name": "main", "address": "[::]:30120"}, {"name": "two", "address": "10.0.0.1:30130"}],
        "storing": True,
        "newest": 3,
        "requests": {"accepted": 11, "unknown": 2, "invalid": 3, "wrong_key": 4, "malformed": 5, "busy": 6},
        "last_wrong_key": {"at": ago(minutes=7, seconds=10), "from": "203.0.113.7"},
        **changes,
    }


@pytest.fixture
def store(start):
    """Three events: one of three hours ago, two of this hour."""
    with short_folder() as folder:
        daemon = start(store={"path": str(folder / "e")})
        for number in range(2):
            assert daemon.post(call911(number)).status == 200
        assert daemon.post(event()).status == 200
        daemon.stop()
        change(folder / "e", "UPDATE events SET received_at = received_at - ? WHERE id = 1", 3 * HOUR_US)
        yield folder / "e"


def test_everything(store):
    with control(store, {"status": told()}) as server:
        result = ctl("status", "--store", store)
    assert result.returncode == 0 and result.stderr == "" and server.asked == ["status"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith("sonoran-pushd 0.1.0 runs since ") and lines[0].endswith(" (5 h ago), process 123")
    assert lines[1:3] == ["Listener:   main on [::]:30120", "Listener:   two on 10.0.0.1:30130"]
    assert lines[3] == (
        "Requests:   11 accepted, 2 of an unknown type, 3 with invalid data, 4 with a wrong key, 5 malformed,"
        " 6 turned away busy (since the start)"
    )
    assert lines[4] == "Wrong key:  last 7 min ago, from 203.0.113.7"
    assert lines[5] == "Storing:    works"
    assert lines[6].startswith("Newest:     event 3, ") and lines[6].endswith(" ago: EVENT_REMOVE_911")
    assert lines[7] == "Last hour:  2 events"
    assert lines[8].startswith("Event log:  ") and lines[8].endswith(f"iB in {store}")
    assert "held by" not in result.stdout
    assert lines[9] == "" and lines[10].startswith("NAME") and lines[13].startswith("siren")


def test_what_is_wrong_outside(store):
    """Only what came is counted; the last of each kind, and why a reload was refused."""
    last = {"at": ago(minutes=7, seconds=10), "from": "203.0.113.7"}
    status = told(
        requests={"accepted": 1, "not_found": 1, "too_large": 2, "connections": 3, "not_http": 4},
        last_not_found={**last, "what": "/foo"},
        last_not_http={**last, "what": "a TLS connection"},
        reload_refused={"at": ago(minutes=2, seconds=5), "problem": "x.yaml:3: limits.body: too large"},
    )
    status.pop("last_wrong_key")
    with control(store, {"status": status}):
        lines = ctl("status", "--store", store).stdout.splitlines()
    assert lines[3:7] == [
        "Requests:   1 accepted, 1 to a wrong path, 2 too large, 3 that had to give way, 4 that were not HTTP"
        " (since the start)",
        "Wrong path: last 7 min ago, from 203.0.113.7: /foo",
        "No HTTP:    last 7 min ago, from 203.0.113.7: a TLS connection",
        "Reload:     refused 2 min ago, the configuration from before is in force: x.yaml:3: limits.body: too large",
    ]


def test_json(store):
    """What the daemon says of its log stands beside what we see of it."""
    status = told(store={"wal_bytes": 4096})
    with control(store, {"status": status}):
        result = ctl("status", "--store", store, "--json")
    assert result.returncode == 0 and result.stdout.count("\n") == 1
    answer = json.loads(result.stdout)
    log = answer.pop("store")
    assert status.pop("store").items() <= log.items()
    assert answer == {**status, "running": True}
    assert (log["path"], log["newest"], log["last_hour"]) == (str(store), 3, 2)
    assert log["newest_type"] == "EVENT_REMOVE_911" and log["size"] > 4096
    assert abs(datetime.fromisoformat(log["newest_at"].replace("Z", "+00:00")).timestamp() - time.time()) < 300


@pytest.mark.parametrize("answer", [b"{}\n", b"{ }\n", b'{"requests":{},"listeners":[{}],"actions":[]}\n'])
def test_members_may_be_absent(store, answer):
    with control(store, {"status": answer}):
        result = ctl("status", "--store", store)
        assert json.loads(ctl("status", "--store", store, "--json").stdout)["running"] is True
    assert result.returncode == 0 and result.stdout.startswith("sonoran-pushd runs\n")
    assert "Newest:     event 3" in result.stdout


def test_a_reader_that_holds_the_log(store):
    with control(store, {"status": told(store={"held_by": "sqlite3 (process 77)"})}):
        assert f"in {store}, held by sqlite3 (process 77)\n" in ctl("status", "--store", store).stdout


def test_storing_fails(store):
    with control(store, {"status": told(storing=False)}):
        result = ctl("status", "--store", store)
    assert "Storing:    FAILS" in result.stdout and result.returncode == 1


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet(store, option):
    """The exit status is that of status, for a health check."""

    def quiet(answer):
        with control(store, {"status": answer}):
            result = ctl("status", option, "--store", store)
        assert result.stdout == result.stderr == ""
        return result.returncode

    assert quiet(told()) == 0 and quiet(told(storing=False)) == 1 and quiet(b"nonsense\n") == 1
    assert ctl("status", option, "--store", store).returncode == NOT_RUNNING


def test_safe_for_terminals(store):
    status = told(version="\x1b[2J", listeners=[{"name": "\x1b", "address": "\x07"}])
    with control(store, {"status": status}):
        assert not set(ctl("status", "--store", store).stdout) & {"\x1b", "\x07"}


def test_not_running(store):
    """What the log tells is told all the same."""
    result = ctl("status", "--store", store)
    assert result.returncode == NOT_RUNNING
    assert result.stdout.startswith("no daemon is running with this event log") and "Newest:     event 3" in result.stdout
    result = ctl("status", "--store", store, "--json")
    answer = json.loads(result.stdout)
    assert result.returncode == NOT_RUNNING and answer["running"] is False and answer["store"]["newest"] == 3
    assert "no daemon" in answer["reason"]


def test_no_log(tmp_path):
    result = ctl("status", "--store", tmp_path / "none")
    assert result.returncode == NOT_RUNNING and "Event log:  cannot read" in result.stdout
    assert "error" in json.loads(ctl("status", "--store", tmp_path / "none", "--json").stdout)["store"]


def test_it_cannot_be_told(store):
    with control(store, {"status": b"nonsense\n"}):
        assert ctl("status", "--store", store).returncode == 1
        assert json.loads(ctl("status", "--store", store, "--json").stdout)["running"] is None


def test_empty_log(start):
    with short_folder() as folder:
        start(store={"path": str(folder / "e")}).stop()
        assert "Newest:     no event yet" in ctl("status", "--store", folder / "e").stdout


def test_usage(tmp_path):
    assert ctl("status", "extra").returncode == USAGE
    assert ctl("-c", tmp_path / "none", "status").returncode == BAD_CONFIG
    (tmp_path / "c").write_text(config() + "nonsense")
    assert ctl("-c", tmp_path / "c", "status").returncode == BAD_CONFIG
    (tmp_path / "c").write_text(config(nonsense=1))
    assert ctl("-c", tmp_path / "c", "status").returncode == NOT_RUNNING
