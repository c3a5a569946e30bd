"""sonoran-pushctl duty and stats: who was on duty, what was going on; for people, spreadsheets and programs."""

import csv
import io
import json
import re

from ctl_tools import USAGE, ctl, store_of
from harness import config, event
from test_story_ctl import SHIFT, play

HOSTILE = '=HYPERLINK("http://x")'


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_duty(daemon):
    play(daemon)
    login = {"unit": {"id": 5, "status": 1, "data": {"unitNum": "-1+2", "name": HOSTILE + ", \x1b[31m\nx"}}}
    assert daemon.post(event("EVENT_UNIT_LOGIN", login)).status == 200
    assert daemon.post(event("EVENT_UNIT_LOGIN", login, test=True)).status == 200
    assert daemon.post(event("EVENT_UNIT_LOGOUT", {"identId": 4127})).status == 200
    store = store_of(daemon)
    told = json.loads(ctl("duty", "--json", "--store", store).stdout)
    units = {unit["id"]: unit for unit in told["units"]}
    assert set(units) == {4127, 5}
    assert (units[4127]["calls"], units[4127]["log_ins"], units[4127]["still_on_duty"]) == (1, 1, False)
    assert units[5]["still_on_duty"] and units[5]["log_ins"] == 1
    assert all(unit["on_duty_s"] >= sum(unit["by_status_s"].values()) for unit in units.values())
    people = ctl("duty", "--store", store, env={"TZ": "UTC"}).stdout
    assert re.match(r"On duty \d{4}-\d\d-\d\d \d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d \(UTC\)\n\nUNIT ", people)
    assert re.search(r"^3-L-27 Mara Ellison .* 1 +-$", people, re.M)
    assert "still on duty" in people and "\x1b" not in people
    # What a spreadsheet would compute is a text, and a cell stays one.
    table = ctl("duty", "--csv", "--store", store).stdout
    assert table.count("\r\n") == 3 and "\x1b" not in table
    cells = {row["unit"]: row for row in rows_of(table)}
    assert cells["5"]["number"] == "'-1+2"
    assert cells["5"]["name"].startswith("'" + HOSTILE)
    assert cells["4127"]["number"] == "3-L-27"
    assert {row["community"] for row in cells.values()} == {"default"}


def test_cells_where_semicolons_part_them(daemon):
    """A spreadsheet of another country takes ; between cells: what stands behind one is the beginning of a cell there."""
    for unit, name in enumerate(("x;=1+1", 'x; "@y', "x\t=1+1", "x;y"), 1):
        login = {"unit": {"id": unit, "status": 1, "data": {"unitNum": str(unit), "name": name}}}
        assert daemon.post(event("EVENT_UNIT_LOGIN", login)).status == 200
    table = ctl("duty", "--csv", "--store", store_of(daemon)).stdout
    assert {row["unit"]: row["name"] for row in rows_of(table)} == {"1": "x;'=1+1", "2": "x; \"'@y", "3": "x =1+1", "4": "x;y"}
    assert '"x;\'=1+1"' in table and '"x;y"' in table and "\t" not in table


def test_stats(daemon):
    play(daemon)
    store = store_of(daemon)
    told = json.loads(ctl("stats", "--json", "--store", store).stdout)
    assert (told["by"], told["all"]["calls911"], told["all"]["calls"], sum(told["by_hour_of_day"])) == ("day", 1, 1, 2)
    assert (told["all"]["on_scene"]["n"], told["all"]["attached"]["n"]) == (1, 1)
    assert sum(span["calls"] for span in told["spans"]) == 1
    hours = rows_of(ctl("stats", "--by", "hour", "--csv", "--store", store, env={"TZ": "UTC"}).stdout)
    assert sum(int(row["calls911"]) for row in hours) == 1
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00\+0000", row["begin"]) for row in hours)
    people = ctl("stats", "--store", store, env={"TZ": "UTC"}).stdout
    assert re.search(r"^all +1 +1 +0:\d\d +0:\d\d +0:\d\d +0:\d\d$", people, re.M)
    assert re.search(r"^Busiest hours of the day, .*: \d\d:00 \(", people, re.M)


def test_nothing_to_tell(daemon):
    store = store_of(daemon)
    assert ctl("duty", "--store", store).stdout == "No unit was on duty in this time, as far as the log tells; test events do not count.\n"
    assert ctl("stats", "--store", store).stdout == "The log has no event of this time.\n"
    assert json.loads(ctl("duty", "--json", "--store", store).stdout)["since"] is None
    assert json.loads(ctl("stats", "--json", "--store", store).stdout)["spans"] == []
    assert len(ctl("duty", "--csv", "--store", store).stdout.splitlines()) == 1
    assert len(ctl("stats", "--csv", "--store", store).stdout.splitlines()) == 1


def test_drills_do_not_count(daemon):
    for name, data in SHIFT:
        assert daemon.post(event(name, data, test=True)).status == 200
    assert ctl("duty", "--store", store_of(daemon)).stdout.endswith("; test events do not count.\n")
    assert ctl("stats", "--store", store_of(daemon)).stdout.endswith("\nNo call began in this time; test events do not count.\n")


def test_a_log_that_begins_later_says_so(daemon):
    play(daemon)
    for verb in ("duty", "stats"):
        told = ctl(verb, "--since", "-365d", "--store", store_of(daemon))
        assert (told.returncode, told.stderr) == (0, "")
        assert re.search(r"^The log begins at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: what was before is not in it\.$", told.stdout, re.M)
        assert "The log begins" not in ctl(verb, "--store", store_of(daemon)).stdout


def test_one_community(start):
    keys = {"a": "Duty-Key-00000000a", "b": "Duty-Key-00000000b"}
    daemon = start(config(communities=[{"name": name, "api_key": key} for name, key in keys.items()]))
    for key in keys.values():
        play(daemon, key)
    assert " @ a" in (both := ctl("duty", "--store", store_of(daemon)).stdout) and " @ b" in both
    one = json.loads(ctl("duty", "--json", "--community", "b", "--store", store_of(daemon)).stdout)
    assert [unit["community"] for unit in one["units"]] == ["b"]
    assert json.loads(ctl("stats", "--json", "--store", store_of(daemon)).stdout)["all"]["calls"] == 2
    assert json.loads(ctl("stats", "--json", "--community", "a", "--store", store_of(daemon)).stdout)["all"]["calls"] == 1


def test_usage(daemon):
    for words in (["duty", "--since", "soon"], ["stats", "--by", "week"], ["duty", "--csv", "--json"], ["stats", "x"],
                  ["duty", "--since", "-1h", "--until", "-2h"]):
        told = ctl(*words, "--store", store_of(daemon))
        assert (told.returncode, told.stdout) == (USAGE, ""), words
