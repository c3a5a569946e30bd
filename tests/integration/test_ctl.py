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
from ctl_tools import BAD_CONFIG, CTL, NOT_RUNNING, USAGE, ctl, lines_of_terminal, store_of
from harness import (
    KEY,
    PATIENCE_S,
    Output,
    call911,
    config,
    event,
    wait_for,
    write_private,
)

MARA = {"id": 4127, "status": 2, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) +(\d+) (\S.*)")
HEADING = re.compile(r"TIME \(\S+\) +ID EVENT")


def shown(store, *args, **kwargs):
    """(time, id, line) of each line."""
    result = ctl("events", "--store", store, *args, **kwargs)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    heading, *lines = result.stdout.splitlines()
    assert HEADING.fullmatch(heading) if lines else heading == "No event matches."
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), result.stdout
    return [(m[1], int(m[2]), m[3]) for m in matches]


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
        ["events", "--unit", ""],
        ["events", "--call", "911:"],
        ["events", "--after", "-1"],
        ["events", "--limit", "0"],
        ["events", "--limit", "many"],
        ["events", "--id", "0"],
        ["events", "--id", "1", "--follow"],
        ["events", "--follow", "--until", "now"],
        ["events", "--since", "-1h", "--until", "-2h"],
    ],
)
def test_usage(args):
    result = ctl(*args)
    assert result.returncode == USAGE
    assert result.stderr and result.stdout == ""


@pytest.mark.parametrize(
    "args, words",
    [
        (["stauts"], "no such verb: stauts. Did you mean status?"),
        (["--confg", "status"], "no such option: --confg. Did you mean --config?"),
        (["status", "--jsno"], "no such option: --jsno. Did you mean --json?"),
        (["status", "extra"], "unexpected argument: extra"),
        (["status", "\u202ex\x1b[31m"], r"unexpected argument: \u202ex\x1b[31m"),
        (["status", "--\x1b[31m"], r"no such option: --\x1b[31m"),
        (["status", "-\x1b"], r"no such option: -\x1b"),
        (["events", "-fz"], "no such option: -z"),
        (["events", "--json=1"], "--json takes no value"),
        (["events", "--type"], "a value is missing behind --type"),
        (["events", "-n"], "a value is missing behind -n"),
        (["events", "-n", "99999999999999999999"],
         "--limit 99999999999999999999: too large: expected a whole number from 1 to 10000000"),
        (["events", "-n", "10000001"], "--limit 10000001: too large: expected a whole number from 1 to 10000000"),
        (["events", "-n", "-3"], "--limit -3: expected a whole number from 1 on"),
        (["events", "--after", "9" * 20],
         f"--after {'9' * 20}: too large: expected a whole number from 0 to 9223372036854775807"),
        (["events", "--call", "-" + "9" * 20],
         f"--call -{'9' * 20}: too small: expected a whole number from -9223372036854775808 to 9223372036854775807"),
        (["events", "--un", "3"], "no such option: --un, which may be --until --unit"),
        (["retry", "siren", "tomorrow"], "tomorrow: expected the id of an event, or all"),
    ],
)
def test_usage_in_words(args, words):
    """What is wrong, and what may have been meant."""
    assert ctl(*args).stderr.splitlines()[0] == f"sonoran-pushctl: {words}"


def test_help_of_a_verb():
    assert ctl("help").stdout == ctl("--help").stdout
    assert ctl("help", "events").stdout == ctl("events", "--help").stdout
    for args in ["help", "help"], ["help", "--help"]:
        assert ctl(*args).stdout == ctl("--help").stdout
    result = ctl("help", "evnts")
    assert result.returncode == USAGE and "Did you mean events?" in result.stderr


VERBS = {
    "status": [],
    "events": [],
    "send": ["EVENT_911"],
    "actions": [],
    "failed": [],
    "retry": ["siren", "all"],
    "replay": ["siren", "--from", "1"],
    "reload": [],
}


@pytest.mark.parametrize("verb", VERBS)
def test_exit_statuses(tmp_path, verb):
    """As sonoran-pushctl(1) has them: usage, a configuration that is none, one that is for root, no daemon."""
    (tmp_path / "none").mkdir()
    assert ctl(verb, *VERBS[verb], "--nonsense").returncode == USAGE
    assert ctl("-c", tmp_path / "none" / "c", verb, *VERBS[verb]).returncode == BAD_CONFIG
    write_private(tmp_path / "c", config())
    expected = {"status": NOT_RUNNING}.get(verb, 1)
    assert ctl("-c", tmp_path / "c", verb, *VERBS[verb]).returncode == expected
    if os.geteuid() == 0:
        shutil.chown(tmp_path / "c", 0, 0)
        result = ctl("-c", tmp_path / "c", verb, *VERBS[verb], user=65534)
        assert result.returncode == 1 and "Permission denied" in result.stderr and "sudo" in result.stderr


@pytest.mark.parametrize("verb", [*VERBS, "doctor", "types"])
def test_help_on_a_terminal(verb):
    lines = lines_of_terminal(80, verb, "--help")
    assert all(len(line) <= 80 for line in lines) and any("--help" in line for line in lines)


def test_lines_on_a_terminal(start):
    """Broken between words, behind the time and the id; whole where it is none."""
    daemon = start()
    assert daemon.post(call911(90417, caller="Zoë", description="smoke " * 20 + "end.")).status == 200
    heading, first, *rest = lines_of_terminal(80, "events", "--store", store_of(daemon))
    plain = [re.sub(r"\033\[[0-9;]*m", "", line) for line in (first, *rest)]
    assert len(plain) > 2 and all(len(line) <= 80 for line in plain)
    assert all(line.startswith(28 * " ") and line[28] != " " for line in plain[1:])
    assert " ".join([plain[0], *(line.strip() for line in plain[1:])]).endswith("smoke end.")
    assert len(ctl("events", "--store", store_of(daemon)).stdout.splitlines()) == 2


def test_usage_error_is_safe_for_terminals():
    assert "\x1b" not in ctl("events", "--since", "\x1b[31m").stderr


# For people


def test_lines(talk):
    rows = shown(store_of(talk))
    assert [row[1] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    begin = ["3-L-27 ", "call 55120 ", "3-L-27 ", "911 call ", "911 call ", "refused ", "refused "]
    assert all(row[2].startswith(words) for row, words in zip(rows, begin, strict=True)), rows
    assert rows[5][2] == "refused EVENT_UNHEARD_OF from 127.0.0.1: type not known"
    assert rows[6][2] == "refused EVENT_911 from 127.0.0.1: data.call.callId: missing"
    now = datetime.now()
    assert all(timedelta(-1) < now - datetime.fromisoformat(row[0]) < timedelta(minutes=5) for row in rows)


def test_lines_are_those_of_the_log(talk):
    told = [record["message"] for record in wait_for(lambda: len(talk.events()) >= 5 and talk.events(), "the lines")]
    assert [row[2] for row in shown(store_of(talk))][:5] == told[:5]


def test_time_is_local(talk):
    move(store_of(talk), e1=0)
    times = [shown(store_of(talk), "--limit", 7, env={"TZ": zone})[0][0] for zone in ("UTC0", "XXX-5")]
    assert datetime.fromisoformat(times[1]) - datetime.fromisoformat(times[0]) == timedelta(hours=5)


def test_names_come_from_events_before(talk):
    """The one that named the unit need not be shown."""
    for args in ["--after", 2], ["--call", 55120], ["--type", "EVENT_UNIT_STATUS"], ["--limit", 5], ["--unit", 4127]:
        assert any("3-L-27 Mara Ellison" in row[2] for row in shown(store_of(talk), *args)), args
    line = shown(store_of(talk), "--type", "EVENT_UNIT_STATUS")[0][2]
    assert "3-L-27 Mara Ellison" in line


def test_lines_are_those_of_the_moment(talk):
    """However old they are, and whatever has become of the unit since."""
    before = [row[2] for row in shown(store_of(talk))]
    move(store_of(talk), e1=30 * 24 * 3600, e3=2000)
    login = {"unit": {"id": 4127, "status": 2, "data": {"unitNum": "9-X-9", "name": "Somebody Else"}}}
    assert talk.post(event("EVENT_UNIT_LOGIN", login)).status == 200
    assert [row[2] for row in shown(store_of(talk))][:-1] == before
    assert any("Mara" in line for line in before)


def test_ids_of_several_communities(start, tmp_path):
    """An id is one of a community: it has to be named where there are several of which anything is known."""
    two = [{"name": name, "api_key": f"{KEY}-{name}"} for name in ("alpha", "beta")]
    daemon = start(communities=two)
    store = store_of(daemon)
    post = lambda name, body: daemon.post(event(*body, key=f"{KEY}-{name}")).status
    status_5 = ("EVENT_UNIT_STATUS", {"identIds": [5], "status": 1})
    assert post("alpha", status_5) == 200
    assert ids(store, "--unit", 5) == [1]  # there is but one
    assert post("beta", status_5) == post("alpha", status_5) == 200
    result = ctl("events", "--store", store, "--unit", 5)
    assert result.returncode == USAGE
    assert "several communities (alpha, beta)" in result.stderr and "--community NAME" in result.stderr
    assert ids(store, "--unit", 5, "--community", "alpha") == [1, 3]
    assert ids(store, "--unit", 5, "--community", "beta") == [2]
    assert ids(store, "--unit", 5, "--community", "gamma") == []
    assert ids(store, "--id", 2) == [2]


def test_two_ids_at_once(start):
    """What concerns both; --call 911:N is --911 N."""
    daemon = start()
    store = store_of(daemon)
    call = {"callId": 55120, "title": "T", "description": "", "units": []}
    assert daemon.post(event("EVENT_DISPATCH_NEW", {"dispatch": call})).status == 200
    assert daemon.post(event("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "ident": 4127})).status == 200
    assert daemon.post(status(4127)).status == daemon.post(call911(7)).status == 200
    assert ids(store, "--call", 55120) == [1, 2, 3]  # the unit is at it
    assert 2 in ids(store, "--unit", 4127) and 3 in ids(store, "--unit", 4127)
    assert ids(store, "--unit", 4127, "--call", 55120) == [2, 3]
    assert ids(store, "--call", "911:7") == ids(store, "--911", 7) == [4]
    assert ids(store, "--call", 55120, "--911", 7) == []
    assert ids(store, "--call", 55120, "-n", 1) == [3]


def test_colour_on_a_terminal_only(talk):
    assert "\x1b" not in ctl("events", "--store", store_of(talk)).stdout
    listing = "events", "--store", store_of(talk)
    assert b"\x1b[31m911 call 90417\x1b[0m " in on_terminal(*listing, TERM="xterm")
    for plain in {"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}:
        said = on_terminal(*listing, **plain)
        assert b"911 call 90417 " in said and b"\x1b" not in said


def on_terminal(*args, **env):
    ours, theirs = pty.openpty()
    output = Output(ours)
    environment = {name: value for name, value in os.environ.items() if name not in ("TERM", "NO_COLOR")}
    subprocess.run(
        [CTL, *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        timeout=PATIENCE_S,
        check=True,
        env={**environment, **env},
    )
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
        (["--type", "NOTHING_OF_THE_KIND"], []),
        (["--id", 4], [4]),
        (["--id", 3, "--unit", 4127], [3]),
        (["-n", 2], [6, 7]),
        (["--verdict", "accepted"], [1, 2, 3, 4, 5]),
        (["--verdict", "unknown"], [6]),
        (["--verdict", "invalid"], [7]),
        (["--community", "default"], [1, 2, 3, 4, 5, 6, 7]),
        (["--community", "other"], []),
        (["--call", 55120], [2, 3]),
        (["--call", 1], []),
        (["--911", 90417], [4]),
        (["--911", 90418, "--limit", 5], [5]),
        (["--unit", 4127], [1, 2, 3]),
        (["--unit", "3-L-27"], [1, 2, 3]),
        (["--unit", "3-l-27", "--call", 55120], [2, 3]),
        (["--unit", "3-L"], []),
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
    """Events of 3 days, 3 hours, 40 minutes and 20 minutes ago; the others are of now."""
    store = store_of(talk)
    move(store, e1=3 * 86400, e2=3 * 3600, e3=40 * 60, e4=20 * 60)
    new = [5, 6, 7]
    seconds = "%Y-%m-%d %H:%M:%S"
    for since, expected in {
        "-7d": [1, 2, 3, 4, *new],
        "-1w": [1, 2, 3, 4, *new],
        "-2d": [2, 3, 4, *new],
        "-2h": [3, 4, *new],
        "-30min": [4, *new],
        "-600s": new,
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
    """Today, or yesterday where that time is still to come; half a day away from now, which must not lie in between."""
    store = store_of(talk)
    at = (datetime.now() - timedelta(hours=12)).replace(minute=30, second=0, microsecond=0)
    move(store, e1=time.time() - at.timestamp())
    clock = lambda rest: f"{at.hour:02}:{rest}"
    for since, until in ("30", "30:00"), ("29:59", "30:00"), ("10", "30:01"):
        assert 1 in ids(store, "--since", clock(since), "--until", clock(until))
    assert 1 not in ids(store, "--since", clock("30:01"), "--until", clock("59:59"))


def test_days(talk):
    store = store_of(talk)
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = datetime.fromtimestamp(midnight.timestamp() - 3600).replace(hour=0, minute=0)
    now = time.time()
    move(store, e1=now - yesterday.timestamp() + 1, e2=now - yesterday.timestamp(), e3=now - midnight.timestamp() + 1)
    move(store, e4=now - midnight.timestamp())
    assert ids(store, "--since", "today") == [4, 5, 6, 7]
    assert ids(store, "--since", "yesterday", "--until", "today") == [2, 3]


def test_a_beginning_is_over(talk):
    """The clock's 23:00 is that of yesterday before 23:00."""
    store = store_of(talk)
    move(store, e1=25 * 3600, e2=23 * 3600)
    assert ids(store, "--since", (datetime.now() + timedelta(minutes=30)).strftime("%H:%M")) == [2, 3, 4, 5, 6, 7]


def test_the_zone_is_named(talk):
    for zone, name in {"UTC0": "UTC", "CET-1": "CET", "<+0545>-5:45": "UTC+0545"}.items():
        result = ctl("events", "--store", store_of(talk), env={"TZ": zone})
        assert result.stdout.startswith(f"TIME ({name}) "), result.stdout


def test_times_that_were_shown(talk):
    """What a line or a record shows as its time finds it again."""
    store = store_of(talk)
    shown_time = shown(store, "--after", 6)[0][0]
    assert 7 in ids(store, "--since", shown_time, "--until", shown_time)
    record = records(store, "--after", 6)[0]
    assert 7 in ids(store, "--since", record["time"], "--until", record["time"])


@pytest.mark.parametrize(
    "text",
    ["", " ", "tomorrow", "-", "-2", "-2x", "-h", "2h", "25:00", "12:60", "1:2", "2026-13-01", "2026-02-31"]
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
    assert re.match(rb'{"id":1,"log":"[0-9a-f]{32}","time":"2', output)
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
    assert rows[1]["summary"].startswith("call 55120 Structure Fire opened") and rows[1]["calls"] == [55120]
    assert rows[1]["units"] == [4127] and rows[1]["from"] == "127.0.0.1" and rows[1]["listener"] == "main"
    assert rows[3]["summary"].find("Zoë") > 0 and rows[3]["calls911"] == [90417]
    assert [row["verdict"] for row in rows] == ["accepted"] * 5 + ["unknown", "invalid"]
    assert rows[6]["reason"] == "data.call.callId: missing" and "reason" not in rows[0]


REFUSED = [
    (event("EVENT_911", [{"call": {"callId": 1}}, {"call": {}}, 5]), "data[1].call.callId: missing", " (3 in one request)"),
    (event("EVENT_911", '{"call": {"callId": 1}}'), "data: expected an object or a list of objects, got a text that holds "
     "JSON: send the object itself, not a text of it", ""),
    (event(["x"]), "type: expected a text that is not empty, got a list", ""),
    ({"key": KEY, "data": [{"callIds": [1]}, {}], "other": 1}, "type: missing", ""),
    (event("EVENT_UNHEARD_OF", [1, 2]), "type not known", ""),
]


def test_one_line_and_one_reason(start):
    """A refused request is one event, and says the same in the answer, the journal and the log, then and later."""
    daemon = start()
    for body, reason, _ in REFUSED:
        answer = daemon.post(body)
        assert (answer.status, answer.text) in [(400, "Invalid Type"), (400, f"Invalid Data: {reason}")]
    before = shown(store_of(daemon))
    assert len(before) == len(REFUSED)
    told = daemon.stop().events()
    assert [record["message"] for record in told] == [row[2] for row in before]
    assert [record["reason"] for record in told] == [reason for _, reason, _ in REFUSED]
    assert all(row[2].endswith(f"{reason}{count}") for row, (_, reason, count) in zip(before, REFUSED))
    rows = records(store_of(daemon))
    assert [row["reason"] for row in rows] == [reason for _, reason, _ in REFUSED]
    assert [row["verdict"] for row in rows] == ["invalid", "invalid", "unknown", "unknown", "unknown"]
    assert rows[0]["data"] == REFUSED[0][0]["data"] and rows[3]["data"] == [{"callIds": [1]}, {}]
    assert rows[2]["extra"] == {"type": ["x"]} and rows[3]["extra"] == {"other": 1}
    assert all("event" not in record for record in told[2:4]) and rows[3]["type"] == ""


def test_refused_events_change_nothing(start):
    """Neither state nor an action hears of an array that holds a good event beside a bad one, or of what has no type."""
    daemon = start()
    good = {"unit": {"id": 4127, "data": {"unitNum": "3-L-27"}}}
    daemon.post(event("EVENT_UNIT_LOGIN", [good, {}]))
    daemon.post({"key": KEY, "data": good})
    daemon.post(event("EVENT_UNIT_LOGOUT", {"identId": 4127}))
    assert shown(store_of(daemon))[-1][2] == "unit 4127 off duty"
    assert daemon.stop().events()[-1]["message"] == "unit 4127 off duty"


def test_unknown_type_that_is_accepted(start):
    daemon = start(unknown_types="accept")
    assert daemon.post(event("EVENT_UNHEARD_OF", {"x": 1})).status == 200
    assert shown(store_of(daemon))[0][2] == "EVENT_UNHEARD_OF, a type not known here: x 1"


# With and without a daemon


def test_path_from_the_configuration(talk):
    for args in ["-c", talk.file, "events"], ["events", "-c", talk.file], ["events", "--config", talk.file]:
        result = ctl(*args)
        assert result.returncode == 0 and len(result.stdout.splitlines()) == 1 + 7


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
    file = tmp_path / "bad.yaml"
    assert ctl("-c", tmp_path / "none.yaml", "events").returncode == BAD_CONFIG
    write_private(file, f"communities: [ {{ name: a, api_key: {KEY} }} ]\nlog: {{ level: \n")
    result = ctl("-c", file, "events")
    assert result.returncode == BAD_CONFIG and result.stdout == ""
    assert f"{file}:2:6: the " in result.stderr and "--store" in result.stderr and KEY not in result.stderr


def test_configuration_with_mistakes(start):
    """Where the log is stands there all the same, and the daemon runs on with what it read before."""
    daemon = start()
    assert daemon.post(call911()).status == 200
    store = {"path": str(store_of(daemon))}
    bot = {"name": "bot", "type": "forward", "url_file": "not-there"}
    for settings in [{"nonsense": 1, "limits": {"body": "huge"}}, {"actions": [bot]}]:
        write_private(daemon.file, config(store=store, **settings))
        for verb in ["events"], ["status"], ["actions"], ["failed"], ["retry", "bot", "all"]:
            result = ctl("-c", daemon.file, *verb)
            assert "--store" not in result.stderr and result.returncode == (verb[0] == "retry"), result
    assert "no action is called bot" in result.stderr


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
    reader = Following("events", "--store", store, "--json", "-f", *args)
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
