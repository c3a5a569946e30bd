"""Design section 9: sonoran-pushctl, which lies beside the daemon it belongs to."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ctl_tools import BAD_CONFIG, CTL, USAGE, ctl, store_of
from harness import (
    KEY,
    PATIENCE_S,
    Output,
    call911,
    config,
    event,
    libconfig,
    wait_for,
    write_private,
)

MARA = {"id": 4127, "status": 2, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) +(\d+) (.{4}) (.*)")


def shown(store, *args, **kwargs):
    """(time, id, label, line) of each line."""
    result = ctl("events", "--store", store, *args, **kwargs)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    matches = [LINE.fullmatch(line) for line in result.stdout.splitlines()]
    assert all(matches), result.stdout
    return [(m[1], int(m[2]), m[3].strip(), m[4]) for m in matches]


def ids(store, *args, **kwargs):
    return [row[1] for row in shown(store, *args, **kwargs)]


def records(store, *args):
    result = ctl("events", "--store", store, "--json", *args)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def dispatch(call_id=55120, **more):
    call = {"callId": call_id, "origin": 0, "status": 1, "priority": 2, "title": "Structure Fire", "idents": [4127]}
    return event("EVENT_DISPATCH_NEW", {"dispatch": {**call, **more}})


def status(*units, status=3):
    return event("EVENT_UNIT_STATUS", {"identIds": list(units), "status": status})


def move(store, **seconds_ago):
    """Lets events have come earlier: move(store, e3=60)."""
    with contextlib.closing(sqlite3.connect(store)) as db, db:
        for name, seconds in seconds_ago.items():
            at = int((time.time() - seconds) * 1e6)
            db.execute("UPDATE events SET received_at = ? WHERE id = ?", (at, int(name[1:])))


@pytest.fixture
def talk(start):
    """A daemon with seven events: login, call, status, two of 911, two refused."""
    daemon = start()
    bodies = [
        event("EVENT_UNIT_LOGIN", {"unit": MARA, "isDispatch": False}),
        dispatch(),
        status(4127),
        call911(90417, caller="Zoë"),
        call911(90418),
        event("EVENT_UNHEARD_OF", {"x": 1}),
        event("EVENT_911", {"call": {}}),
    ]
    for body, expected in zip(bodies, [200] * 5 + [400] * 2, strict=True):
        assert daemon.post(body).status == expected
    return daemon


# The program


def test_help_and_version():
    for args in ["--help"], ["-h"], ["events", "--help"], ["events", "-h"]:
        result = ctl(*args)
        assert result.returncode == 0 and result.stderr == "" and "events" in result.stdout
    for option in "--type --verdict --community --since --until --call --911 --unit --after --limit --follow".split():
        assert option in result.stdout
    for option in "-V", "--version":
        assert re.fullmatch(r"sonoran-pushctl \d+\.\d+\.\d+\n", ctl(option).stdout)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nonsense"],
        ["--nonsense"],
        ["-c"],
        ["events", "--nonsense"],
        ["events", "extra"],
        ["events", "--json=1"],
        ["events", "--type"],
        ["events", "--verdict", "perhaps"],
        ["events", "--call", "x"],
        ["events", "--call", ""],
        ["events", "--911", "1x"],
        ["events", "--unit", "9223372036854775808"],
        ["events", "--after", "-1"],
        ["events", "--limit", "0"],
        ["events", "--limit", "many"],
        ["events", "--follow", "--until", "now"],
        ["events", "--since", "-1h", "--until", "-2h"],
    ],
)
def test_usage(args):
    result = ctl(*args)
    assert result.returncode == USAGE
    assert result.stderr and result.stdout == ""


def test_usage_error_is_safe_for_terminals():
    assert "\x1b" not in ctl("events", "--since", "\x1b[31m").stderr


# For people


def test_lines(talk):
    rows = shown(store_of(talk))
    assert [row[1] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row[2] for row in rows] == ["unit", "call", "unit", "911", "911", "deny", "deny"]
    assert rows[5][3] == "refused EVENT_UNHEARD_OF: type not known"
    assert rows[6][3] == "refused EVENT_911: data.call.callId: missing"
    now = datetime.now()
    assert all(timedelta(-1) < now - datetime.fromisoformat(row[0]) < timedelta(minutes=5) for row in rows)


def test_lines_are_those_of_the_log(talk):
    told = [record["message"] for record in wait_for(lambda: len(talk.events()) >= 5 and talk.events(), "the lines")]
    assert [row[3] for row in shown(store_of(talk))][:5] == told[:5]


def test_time_is_local(talk):
    move(store_of(talk), e1=0)
    times = [shown(store_of(talk), "--limit", 7, env={"TZ": zone})[0][0] for zone in ("UTC0", "XXX-5")]
    assert datetime.fromisoformat(times[1]) - datetime.fromisoformat(times[0]) == timedelta(hours=5)


def test_names_come_from_events_before(talk):
    """The one that named the unit need not be shown."""
    for args in ["--after", 2], ["--call", 55120], ["--type", "EVENT_UNIT_STATUS"], ["--limit", 5], ["--unit", 4127]:
        assert any("3-L-27 Mara Ellison" in row[3] for row in shown(store_of(talk), *args)), args
    line = shown(store_of(talk), "--type", "EVENT_UNIT_STATUS")[0][3]
    assert "3-L-27 Mara Ellison" in line


def test_names_are_a_day_old_at_most(talk):
    """As the daemon itself would know them."""
    day = 24 * 3600
    move(store_of(talk), e1=day + 1000, e2=day + 900, e3=2000)
    assert "Mara" in shown(store_of(talk), "--after", 2, "--limit", 5)[0][3]
    move(store_of(talk), e1=day + 3000, e3=2000)
    assert "Mara" not in shown(store_of(talk), "--after", 2, "--limit", 5)[0][3]


def test_colour_on_a_terminal_only(talk):
    assert "\x1b" not in ctl("events", "--store", store_of(talk)).stdout
    assert b"\x1b[31m911 \x1b[0m " in on_terminal("events", "--store", store_of(talk))


def on_terminal(*args):
    ours, theirs = pty.openpty()
    output = Output(ours)
    subprocess.run([CTL, *map(str, args)], stdin=subprocess.DEVNULL, stdout=theirs, timeout=PATIENCE_S, check=True)
    os.close(theirs)
    output.join()
    return bytes(output.bytes)


def test_default_limit(start):
    daemon = start()
    assert daemon.post(event("EVENT_UNIT_STATUS", [{"identIds": [i], "status": 1} for i in range(150)])).status == 200
    store = store_of(daemon)
    assert ids(store) == list(range(51, 151))
    assert ids(store, "--type", "EVENT_*") == list(range(51, 151))
    assert ids(store, "--since", "-1h") == ids(store, "--after", 0, "--limit", 1000) == list(range(1, 151))
    assert ids(store, "--after", 10) == list(range(11, 151))
    assert len(records(store)) == 150
    assert [record["id"] for record in records(store, "--limit", 2)] == [149, 150]


# Filters


@pytest.mark.parametrize(
    "args, expected",
    [
        (["--type", "EVENT_911"], [4, 5, 7]),
        (["--type", "event_911"], [4, 5, 7]),
        (["--type", "EVENT_UNIT_*"], [1, 3]),
        (["--type", "EVENT_UNIT_LOGI[A-Z]"], [1]),
        (["--type", "EVENT_NONE"], []),
        (["--verdict", "accepted"], [1, 2, 3, 4, 5]),
        (["--verdict", "unknown"], [6]),
        (["--verdict", "invalid"], [7]),
        (["--community", "default"], [1, 2, 3, 4, 5, 6, 7]),
        (["--community", "other"], []),
        (["--call", 55120], [2]),
        (["--call", 1], []),
        (["--911", 90417], [4]),
        (["--911", 90418, "--limit", 5], [5]),
        (["--unit", 4127], [1, 2, 3]),
        (["--unit", 4127, "--limit", 2], [2, 3]),
        (["--unit", 4127, "--limit", 1], [3]),
        (["--unit", 4127, "--type", "EVENT_UNIT_STATUS"], [3]),
        (["--unit", 4127, "--limit", 9, "--after", 2], [3]),
        (["--unit", 1, "--limit", 9], []),
        (["--after", 5], [6, 7]),
        (["--after", 7], []),
        (["--limit", 1], [7]),
        (["--limit", 2, "--type", "EVENT_911"], [5, 7]),
        (["--limit", 3, "--verdict", "accepted", "--after", 3], [4, 5]),
    ],
)
def test_filters(talk, args, expected):
    store = store_of(talk)
    assert ids(store, *args) == expected
    assert [record["id"] for record in records(store, *args)] == expected


def test_type_by_its_other_name(start):
    daemon = start()
    assert daemon.post(event("EVENT_UNIT_ATTACH", {"callId": 55120, "idents": [4127]})).status == 200
    assert ids(store_of(daemon), "--type", "EVENT_UNIT_ATTACH") == [1]


def test_communities(start):
    daemon = start(communities=[{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY + "B"}])
    daemon.secrets.add(KEY + "B")
    assert daemon.post(event()).status == daemon.post(event(key=KEY + "B")).status == 200
    assert ids(store_of(daemon), "--community", "b") == [2]


def local(seconds_ago, form):
    return datetime.fromtimestamp(time.time() - seconds_ago).strftime(form)


def test_times(talk):
    """Events of 3 days, 3 hours, 40 minutes and 2 minutes ago; the others are of now."""
    store = store_of(talk)
    move(store, e1=3 * 86400, e2=3 * 3600, e3=40 * 60, e4=120)
    new = [5, 6, 7]
    seconds = "%Y-%m-%d %H:%M:%S"
    for since, expected in {
        "-7d": [1, 2, 3, 4, *new],
        "-1w": [1, 2, 3, 4, *new],
        "-2d": [2, 3, 4, *new],
        "-2h": [3, 4, *new],
        "-30min": [4, *new],
        "-60s": new,
        local(4 * 86400, "%Y-%m-%d"): [1, 2, 3, 4, *new],
        local(3600, "%Y-%m-%d %H:%M"): [3, 4, *new],
        local(3600, seconds): [3, 4, *new],
        local(3600, "%Y-%m-%dT%H:%M:%S"): [3, 4, *new],
        str(int(time.time()) - 3600): [3, 4, *new],
        "1970-01-02": [1, 2, 3, 4, *new],
        "0": [1, 2, 3, 4, *new],
        "now": [],
    }.items():
        assert ids(store, "--since", since) == expected, since
    for until, expected in {
        "-2d": [1],
        "-2h": [1, 2],
        "-30min": [1, 2, 3],
        "now": [1, 2, 3, 4, *new],
        "0": [],
    }.items():
        assert ids(store, "--until", until) == expected, until
    assert ids(store, "--since", "-1d", "--until", "-30min") == [2, 3]
    assert ids(store, "--since", "-1d", "--until", "-30min", "--limit", 1) == [3]


def test_clock_of_today(talk):
    store = store_of(talk)
    noon = datetime.now().replace(hour=12, minute=0, second=0, microsecond=0)
    move(store, e1=time.time() - noon.timestamp())
    for since, until in ("12:00", "12:00:00"), ("11:59:59", "12:00:00"), ("11:30", "12:00:01"):
        assert 1 in ids(store, "--since", since, "--until", until)
    assert 1 not in ids(store, "--since", "12:00:01", "--until", "23:59:59")


def test_times_that_were_shown(talk):
    """What a line or a record shows as its time finds it again."""
    store = store_of(talk)
    shown_time = shown(store, "--after", 6)[0][0]
    assert 7 in ids(store, "--since", shown_time, "--until", shown_time)
    record = records(store, "--after", 6)[0]
    assert 7 in ids(store, "--since", record["time"], "--until", record["time"])


@pytest.mark.parametrize(
    "text",
    ["", " ", "yesterday", "-", "-2", "-2x", "-h", "2h", "25:00", "12:60", "1:2", "2026-13-01", "2026-02-31"]
    + ["2026-1", "2026-11-23 ", "2026-11-23 16", "2026-11-23 16:00 ", "2026-11-23x", "16:00Z", "16:00:00.", "-999999999d"]
    + ["123456789012", "\x1b[2J", "now ", "1.5", "1969-12-31"],
)
def test_times_that_are_none(talk, text):
    for option in "--since", "--until":
        result = ctl("events", "--store", store_of(talk), f"{option}={text}")
        assert result.returncode == USAGE and result.stdout == "", text
        assert "expected a time" in result.stderr and len(result.stderr.splitlines()) == 1


# Records

DATA = (
    '{ "callIds" :\t[ 90071992547409931,-9007199254740993 ], "f":1.50e2,"z":-0.0, "big":1E400,'
    ' "t":"\\u00e9\\/\\ud83d\\ude00 \\u0041 \u202e \x7f \u0085","same":1,"same":2 , "long":123456789012345678901234567890}'
)


def raw(store, *args):
    result = subprocess.run([CTL, "events", "--store", store, "--json", *args], capture_output=True, timeout=PATIENCE_S)
    assert result.returncode == 0 and result.stderr == b""
    return result.stdout


def test_json_byte_for_byte(start):
    daemon = start()
    body = f'{{"key":"{KEY}","type":"EVENT_REMOVE_911","data":{DATA},"logKey":[ 1.0 ]}}'
    assert daemon.post(body.encode()).status == 200
    output = raw(store_of(daemon))
    assert b',"data":' + DATA.encode() + b',"extra":{' in output
    assert b"[ 1.0 ]" in output and output.count(b"\n") == 1
    assert output.startswith(b'{"id":1,"time":"2')
    assert b'"calls911":[90071992547409931,-9007199254740993]' in output


def test_json_on_a_terminal_is_safe(start):
    daemon = start()
    body = f'{{"key":"{KEY}","type":"EVENT_REMOVE_911","data":{DATA}}}'
    assert daemon.post(body.encode()).status == 200
    output = on_terminal("events", "--store", store_of(daemon), "--json").decode()
    assert not set(output) & {"\u202e", "\x7f", "\u0085", "\x1b"}
    plain = json.loads(raw(store_of(daemon)))
    assert json.loads(output) == plain and "\u202e" in plain["data"]["t"]


def test_json_members(talk):
    rows = records(store_of(talk))
    assert [row["id"] for row in rows] == list(range(1, 8))
    assert rows[1]["summary"].startswith("call 55120 opened") and rows[1]["calls"] == [55120]
    assert rows[1]["units"] == [4127] and rows[1]["from"] == "127.0.0.1" and rows[1]["listener"] == "main"
    assert rows[3]["summary"].find("Zoë") > 0 and rows[3]["calls911"] == [90417]
    assert [row["verdict"] for row in rows] == ["accepted"] * 5 + ["unknown", "invalid"]
    assert rows[6]["reason"] == "data.call.callId: missing" and "reason" not in rows[0]


def test_refused_array(start):
    """Each of its events; those that had no fault of their own say so."""
    daemon = start()
    body = event("EVENT_911", [{"call": {"callId": 1}}, {"call": {}}, 5])
    assert daemon.post(body).status == 400
    reasons = [row["reason"] for row in records(store_of(daemon))]
    assert reasons[0] == "came with one that was refused"
    assert reasons[1] == "data.call.callId: missing" and reasons[2].startswith("data: expected")


def test_unknown_type_that_is_accepted(start):
    daemon = start(unknown_types="accept")
    assert daemon.post(event("EVENT_UNHEARD_OF", {"x": 1})).status == 200
    assert shown(store_of(daemon))[0][2:] == ("new", "EVENT_UNHEARD_OF, a type not known here")


# With and without a daemon


def test_path_from_the_configuration(talk):
    for args in ["-c", talk.file, "events"], ["events", "-c", talk.file], ["events", "--config", talk.file]:
        result = ctl(*args)
        assert result.returncode == 0 and len(result.stdout.splitlines()) == 7


def test_after_the_daemon_ended(talk):
    before = shown(store_of(talk))
    talk.stop()
    assert shown(store_of(talk)) == before
    assert shown(store_of(talk)) == before  # what the first one left behind is in nobody's way


def test_after_the_daemon_was_killed(talk):
    before = shown(store_of(talk))
    talk.stop(signal.SIGKILL)
    talk.exit_status = -signal.SIGKILL
    assert shown(store_of(talk)) == before


def test_nothing_is_written(talk):
    talk.stop()
    before = store_of(talk).read_bytes()
    shown(store_of(talk))
    assert store_of(talk).read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_only_read(talk):
    """At rest there is no WAL, and no right to make one beside a log."""
    talk.stop()
    with tempfile.TemporaryDirectory() as folder:  # pytest's are closed to others
        os.chmod(folder, 0o755)
        program, store = shutil.copy(CTL, folder), Path(shutil.copy(store_of(talk), folder))
        program_of_user = {"user": 65534, "program": program}
        store.chmod(0o644)
        assert ids(store, **program_of_user) == [1, 2, 3, 4, 5, 6, 7]
        assert not list(store.parent.glob("*-wal"))
        assert ids(store) == ids(store, **program_of_user)  # what root's left behind is in nobody's way
        store.chmod(0o600)
        result = ctl("events", "--store", store, **program_of_user)
        assert result.returncode == 1 and "Permission denied" in result.stderr


def test_an_empty_log(daemon):
    assert shown(store_of(daemon)) == [] and records(store_of(daemon), "--limit", 5, "--unit", 1) == []


# Errors


def one_sentence(result, status, *parts):
    assert result.returncode == status and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("sonoran-pushctl: ")
    for part in parts:
        assert str(part) in result.stderr


def test_no_event_log(tmp_path):
    missing, folder, text, empty, other, pipe = (tmp_path / n for n in ("no", "dir", "text", "empty", "other", "pipe"))
    folder.mkdir()
    text.write_text("this is a text that is long enough not to be taken for an empty database. " * 20)
    empty.touch()
    os.mkfifo(pipe)
    with contextlib.closing(sqlite3.connect(other)) as db, db:
        db.execute("CREATE TABLE events (id)")
    for path, words in {
        missing: "No such file",
        folder: "no event log",
        text: "no event log",
        empty: "no event log",
        other: "no event log",
        pipe: "no event log",
    }.items():
        one_sentence(ctl("events", "--store", path), 1, path, words)


def test_configuration_errors(tmp_path):
    file = tmp_path / "bad.conf"
    assert ctl("-c", tmp_path / "none.conf", "events").returncode == BAD_CONFIG
    write_private(file, f'communities = ( {{ name = "no good", api_key = "{KEY}" }} )\nlog = {libconfig({"level": 5})}\n')
    result = ctl("-c", file, "events")
    assert result.returncode == BAD_CONFIG and result.stdout == ""
    assert f"{file}:1" in result.stderr and f"{file}:2" in result.stderr and "--store" in result.stderr


def test_output_that_cannot_be_written(talk):
    with open("/dev/full", "w") as full:
        result = subprocess.run([CTL, "events", "--store", store_of(talk)], stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1 and b"cannot write" in result.stderr and result.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away(start):
    daemon = start()
    many = event("EVENT_UNIT_STATUS", [{"identIds": [i], "status": 1} for i in range(3000)])
    assert daemon.post(many).status == 200
    process = subprocess.Popen(
        [CTL, "events", "--store", store_of(daemon), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 0 and process.stderr.read() == b""
    process.stderr.close()


def test_a_slow_reader_does_not_hold_the_log(start):
    """Nothing is read from the database while a pager shows a page: its WAL can be emptied meanwhile."""
    daemon = start()
    many = event("EVENT_UNIT_STATUS", [{"identIds": [i], "status": 1} for i in range(3000)])
    assert daemon.post(many).status == 200
    with following(store_of(daemon)) as reader:
        reader.output.paused = True
        for _ in range(3):
            assert daemon.post(many).status == 200
        with contextlib.closing(sqlite3.connect(store_of(daemon), timeout=PATIENCE_S)) as db:

            def emptied():
                return db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

            wait_for(emptied, "a checkpoint while the output is not read")
        reader.output.paused = False
        reader.wait_ids(range(1, 12001))


# --follow


class Following:
    def __init__(self, *args):
        out, err = os.pipe(), os.pipe()
        self.process = subprocess.Popen([CTL, *map(str, args)], stdin=subprocess.DEVNULL, stdout=out[1], stderr=err[1])
        os.close(out[1])
        os.close(err[1])
        self.output, self.errors = Output(out[0]), Output(err[0])

    def ids(self):
        return [json.loads(line)["id"] for line in self.output.lines()]

    def wait_ids(self, expected):
        wait_for(lambda: len(self.ids()) >= len(expected) or self.process.poll() is not None, f"events {expected}")
        assert self.ids() == list(expected)

    def end(self, signal_=signal.SIGTERM):
        self.process.send_signal(signal_)
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def following(store, *args):
    reader = Following("events", "--store", store, "--json", "--follow", *args)
    try:
        yield reader
    finally:
        reader.output.paused = False
        reader.process.terminate()
        reader.process.wait(PATIENCE_S)
        reader.errors.join()
    assert reader.process.returncode == 0 and bytes(reader.errors.bytes) == b""


def test_follow(talk):
    with following(store_of(talk)) as reader:
        reader.wait_ids(range(1, 8))
        assert talk.post(status(4127, status=2)).status == 200
        reader.wait_ids(range(1, 9))
        assert "Mara Ellison" in reader.output.lines()[-1]
        assert talk.post(call911(5)).status == 200
        reader.wait_ids(range(1, 10))


def test_follow_with_filters(talk):
    with following(store_of(talk), "--unit", 4127, "--after", 7) as reader:
        time.sleep(0.3)
        assert talk.post(call911(5)).status == talk.post(status(4133)).status == 200
        assert talk.post(status(4127)).status == 200
        reader.wait_ids([10])
        assert "Mara Ellison" in reader.output.lines()[-1]
    with following(store_of(talk), "--type", "EVENT_911", "--limit", 1) as reader:
        reader.wait_ids([8])
        assert talk.post(status(4133)).status == talk.post(call911(6)).status == 200
        reader.wait_ids([8, 12])
    with following(store_of(talk), "--after", 13) as reader:
        time.sleep(0.3)
        assert talk.post(call911(7)).status == talk.post(call911(8)).status == 200
        reader.wait_ids([14])


def test_follow_an_empty_log(daemon):
    with following(store_of(daemon), "--limit", 3, "--unit", 4127) as reader:
        time.sleep(0.3)
        assert daemon.post(call911(1)).status == daemon.post(status(4127)).status == 200
        reader.wait_ids([2])


def test_follow_through_restarts(talk, start):
    """Of the daemon, ended and killed; nothing is lost, nothing comes twice."""
    store, text = store_of(talk), config(store={"path": str(store_of(talk))})
    with following(store) as reader:
        reader.wait_ids(range(1, 8))
        talk.stop()
        time.sleep(0.5)
        second = start(text)
        assert second.post(call911(8)).status == 200
        reader.wait_ids(range(1, 9))
        second.stop(signal.SIGKILL)
        second.exit_status = -signal.SIGKILL
        third = start(text)
        assert third.post(call911(9)).status == 200
        reader.wait_ids(range(1, 10))


def test_follow_a_new_log(talk, start):
    """The old one was moved away: the new one is followed from its first event."""
    store = store_of(talk)
    with following(store, "--after", 6) as reader:
        reader.wait_ids([7])
        talk.stop()
        for file in store.parent.glob("events.db*"):
            file.rename(file.parent / f"old-{file.name}")
        daemon = start(config(store={"path": str(store)}))
        for number in range(3):
            assert daemon.post(call911(number)).status == 200
        wait_for(lambda: len(reader.ids()) >= 4, "the new log")
        assert reader.ids() == [7, 1, 2, 3]


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_follow_ends_when_asked(talk, signal_):
    with following(store_of(talk)) as reader:
        reader.wait_ids(range(1, 8))
        assert reader.end(signal_) == 0


def test_follow_ends_when_nobody_reads(talk):
    """Also while nothing comes."""
    with following(store_of(talk)) as reader:
        reader.wait_ids(range(1, 8))
        reader.output.close()
        assert reader.process.wait(PATIENCE_S) == 0
