"""give_up_after counts over restarts: an event that is tried in vain has its hour, however often the daemon starts."""

import pytest
from harness import call911, wait_for
from store import kill, read

HOUR_S = 3600


@pytest.fixture
def siren(tmp_path):
    """An action whose program always asks for another try."""
    program = tmp_path / "siren"
    program.write_text("#!/bin/sh\nexit 75\n")
    program.chmod(0o755)
    return {"name": "siren", "type": "exec", "command": [str(program)], "give_up_after": "1h"}


def tries(path):
    """(event, attempts) of those that are saved."""
    rows = read(path, "SELECT value FROM meta WHERE name = 'try:siren'")
    return [tuple(map(int, word.split()[:2])) for word in rows[0][0].split(",")] if rows else []


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_over_a_restart(on, path, clock, siren, end):
    first = on(env=clock.env, actions=[siren])
    assert first.post(call911(1)).status == 200
    wait_for(lambda: tries(path), "a try that is saved")
    if end == "killed":
        kill(first)
    else:
        first.stop()
    (saved,) = tries(path)
    assert saved[0] == 1 and saved[1] >= 1
    clock.ahead(HOUR_S)
    second = on(env=clock.env, actions=[siren])
    second.wait_line("event 1 is not delivered and stays on the list of failed ones: given up after")
    assert second.post(call911(2)).status == 200
    second.wait_line("event 2 not delivered, next try in")
    second.stop()
    assert [event for event, _ in tries(path)] == [2]
    ((event, attempts),) = read(path, "SELECT event_id, attempts FROM failed")
    assert event == 1 and attempts > saved[1]


def test_within_the_hour(on, path, clock, siren):
    first = on(env=clock.env, actions=[siren])
    assert first.post(call911(1)).status == 200
    wait_for(lambda: tries(path), "a try that is saved")
    first.stop()
    before = tries(path)[0][1]
    clock.ahead(HOUR_S // 2)
    second = on(env=clock.env, actions=[siren])
    second.wait_line("event 1 not delivered, next try in")
    second.stop()
    assert tries(path)[0][1] > before
    assert read(path, "SELECT count(*) FROM failed") == [(0,)]
