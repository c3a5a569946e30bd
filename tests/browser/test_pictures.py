"""The pictures of the README, of a busy evening. PICTURES=packaging makes them anew: a look at them is their test."""

import os
from pathlib import Path

import pytest
from board import call, call911, login, panic, post, start_board, status
from clocks import Clock
from harness import event, wait_for

PICTURES = os.environ.get("PICTURES")
PICTURE_MAX_BYTES = 200 << 10

pytestmark = pytest.mark.skipif(not PICTURES, reason="makes the README's pictures: PICTURES=packaging")

POLICE, SHERIFF, FIRE = "Port Alder Police", "Alder County Sheriff", "Port Alder Fire"
UNITS = [(4127, "3-L-27", "Mara Ellison", SHERIFF), (4111, "2-A-11", "Tom Reyes", POLICE), (4114, "2-A-14", "Lena Osei", POLICE),
         (4120, "3-L-20", "Max Roe", SHERIFF), (4103, "4-K-3", "Kim Sato", POLICE), (4112, "E-12", "Tobias Renner", FIRE),
         (4104, "M-4", "Ada Lindqvist", FIRE), (4101, "1-A-1", "Helen Strand", POLICE), (4121, "2-T-21", "Marcus Hale", POLICE),
         (4122, "5-S-7", "Dana Whitlock", SHERIFF), (4123, "5-S-9", "Owen Brandl", SHERIFF), (4124, "L-1", "Pavel Moreno", FIRE)]


def note(id_, text):
    return event("EVENT_DISPATCH_NOTE", {"callId": id_, "note": {"time": "21:04:11", "label": "Dispatch", "type": "text", "content": text}})


def as_told(id_, title, address, priority, units, code=""):
    return call(id_, title, units, address=address, priority=priority, code=code, primary=units[0] if units else -1, description="")


# (seconds after the one before, what the CAD sends)
EVENING = [
    (0, [login(id_, number, name, location="", data={"unitNum": number, "name": name, "department": department, "group": "",
                                                     "page": 0, "apiIds": []}) for id_, number, name, department in UNITS]),
    (95, [status(4101, 0), as_told(55108, "Burglary Alarm", "Rockford Plaza", 3, [])]),
    (320, [as_told(55117, "Pursuit", "Great Ocean Hwy", 2, [4103], "10-80"), status(4103, 4)]),
    (260, [call911(90412, "Loud music since noon", location="Route 68, Trailer 9", caller="", isEmergency=False)]),
    (140, [as_told(55119, "Shots Fired", "Davis Ave", 1, [4111, 4114], "10-71"), status(4111, 3), status(4114, 3)]),
    (75, [status(4111, 4), status(4121, 1)]),
    (60, [call911(90416, "Two cars, one on its roof", location="Route 68", caller="Zoe Okonkwo", isEmergency=False), status(4123, 1)]),
    (50, [as_told(55120, "Structure Fire", "118 Lantern St", 1, [4112, 4104, 4127], "10-70")]),
    (12, [status(4112, 3), status(4104, 3), status(4127, 3), note(55120, "Two people on the second floor")]),
    (70, [status(4127, 4)]),
    (14, [call911(90417, "Smoke from the attic", location="120 Lantern St", caller="John Doe")]),
    (9, [panic(4127)]),
    (17, [note(55120, "All units: 3-L-27 in panic")]),
]


@pytest.fixture
def evening(start, tmp_path, browser):
    clock, passed = Clock(tmp_path), 0
    daemon, address = start_board(start, env=clock.env, communities=[{"name": "port-alder", "api_key": "TEST-API-KEY-0000"}])
    for after, bodies in EVENING:
        passed += after
        clock.passes(passed)
        post(daemon, *bodies)
    return address


@pytest.mark.parametrize("name, size, scheme", [("board-dark", (1240, 700), "dark"), ("board-phone", (420, 900), "light")])
def test_picture(evening, browser, name, size, scheme):
    browser.scheme(scheme)
    browser.size(*size)
    browser.open(evening)
    wait_for(lambda: browser.text(".panic") and len(browser.rows("units")) == len(UNITS), "the board")
    browser.script("document.getAnimations().forEach(animation => animation.pause())")
    file = Path(PICTURES) / f"{name}.png"
    browser.picture(file)
    assert file.stat().st_size <= PICTURE_MAX_BYTES
