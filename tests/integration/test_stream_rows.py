"""The rows of the event stream: whoever applies them, over cuts and deaths, has what the daemon knows."""

import random

import pytest
from ctl_tools import ask_socket, store_of
from harness import KEY, call911, event, wait_for
from store import kill
from streams import Stream
from test_stream import TWO, OTHER_KEY, hello

CALL, UNIT, FIRST = 55120, 4127, 4100


def login(unit, number="3-L-27", key=KEY, **data):
    return event("EVENT_UNIT_LOGIN", {"unit": {"id": unit, "status": 2, "data": {"unitNum": number, "name": "Mara"}, **data}}, key=key)


def status(unit, number):
    return event("EVENT_UNIT_STATUS", {"unitId": unit, "newStatus": number, "unit": {"id": unit, "status": number}})


def new_call(call, *units):
    return event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": call, "title": "Structure Fire", "idents": list(units)}})


def rows_until_line(stream, number):
    """(kind, item) of the rows before the line of this event."""
    events = stream.until(lambda sent: sent.kind == "log" and sent.id == number)
    assert all(sent.id is None for sent in events if sent.kind in ("unit", "call", "call911"))
    return [(sent.kind, sent.data) for sent in events if sent.kind in ("unit", "call", "call911")]


def test_rows_come_before_their_line(daemon):
    with Stream(daemon) as stream:
        daemon.post(login(UNIT))
        ((kind, unit),) = rows_until_line(stream, 1)
        assert (kind, unit["id"], unit["changed"], unit["number"], unit["online"]) == ("unit", UNIT, 1, "3-L-27", True)
        assert unit["community"] == "default" and unit["node"] is None and unit["calls"] == []
        daemon.post(call911(90417, caller="J. Doe"))
        ((kind, item),) = rows_until_line(stream, 2)
        assert (kind, item["id"], item["caller"]) == ("call911", 90417, "J. Doe")
        daemon.post(new_call(CALL, UNIT))
        rows = dict(rows_until_line(stream, 3))
        assert rows["call"]["units"][0]["id"] == UNIT and rows["unit"]["calls"] == [CALL]  # it is at the call now
        daemon.post(event(data={"callIds": [90417]}))
        assert rows_until_line(stream, 4) == [("call911", {"community": "default", "node": None, "id": 90417, "changed": 4, "gone": True})]
        daemon.post({**event("EVENT_OF_TOMORROW")})
        assert rows_until_line(stream, 5) == []


def test_rows_of_one_community(start):
    daemon = start(communities=TWO)
    with Stream(daemon, community="other") as other, Stream(daemon) as all_:
        daemon.post(login(1))
        daemon.post(login(2, key=OTHER_KEY))
        assert [item["id"] for _, item in rows_until_line(other, 2)] == [2]
        assert [item["id"] for _, item in rows_until_line(all_, 2)] == [1, 2]


def test_hostile_texts(daemon):
    """They are texts of JSON: no end of a line, nothing that a terminal obeys."""
    text = "<script>\r\n\r\nid: 7\nevent: reset\x1b[2J\u202e\u2028" + "x" * 1000
    with Stream(daemon) as stream:
        daemon.post(call911(1, caller=text, description=text))
        ((_, item),) = rows_until_line(stream, 1)
        assert item["caller"] and text.startswith(item["caller"])
    with Stream(daemon, **{"from": 0}) as stream:
        assert b"\x1b" not in (raw := stream.some_bytes(1 << 16, b"id: 1\n")) and b"\r" not in raw.replace(b"\r\n", b"")


class Board:
    """What a page does: it applies rows, and comes again behind the last id."""

    def __init__(self):
        self.items, self.place, self.resets = {}, 0, 0

    def apply(self, sent):
        if sent.kind in ("unit", "call", "call911"):
            key = (sent.kind, sent.data["id"])
            if sent.data.get("gone"):
                self.items.pop(key, None)
            else:
                self.items[key] = sent.data
        elif sent.id is not None:
            assert sent.id == self.place + 1
            self.place = sent.id

    def follow(self, daemon, wanted, most=1 << 30):
        """Up to this event, or so many events of the stream: it is cut there."""
        with Stream(daemon, self.place) as stream:
            while self.place < wanted and most > 0 and (sent := stream.next()):
                self.apply(sent)
                most -= 1


def something(chance):
    unit, call = chance.randrange(12), chance.randrange(8)
    return chance.choice([
        login(unit, f"A-{unit}"), status(unit, chance.randrange(5)), new_call(call, unit, (unit + 1) % 12),
        call911(call, caller=f"J{chance.randrange(100)}"), event(data={"callIds": [call]}),
        event("EVENT_UNIT_LOGOUT", {"unit": {"id": unit}}), event("EVENT_DISPATCH_CLOSE", {"dispatch": {"callId": call}})])


@pytest.mark.parametrize("seed", range(3))
def test_over_cuts_and_deaths(on, seed):
    """In the end two boards are alike: one that was cut again and again, and one that reads it all in one go."""
    chance, board, n = random.Random(seed), Board(), 0
    daemon = on()
    for round_ in range(12):
        for _ in range(chance.randrange(1, 25)):
            assert daemon.post(something(chance)).status in (200, 400)
            n += 1
        wait_for(lambda: hello(daemon)["newest"] == n, "the events")
        board.follow(daemon, n, most=chance.randrange(1, 40))
        if round_ % 4 == 3:
            kill(daemon)
            daemon = on()
    board.follow(daemon, n)
    whole = Board()
    whole.follow(daemon, n)
    assert board.items == whole.items == state_of(daemon).items and board.items


def test_what_is_loaded_and_followed(daemon):
    """A page loads the state, and follows the stream from there: whatever came in between is neither missing nor of before."""
    chance, n = random.Random(7), 0
    for _ in range(10):
        board = state_of(daemon)
        for _ in range(20):
            assert daemon.post(something(chance)).status in (200, 400)
            n += 1
        board.follow(daemon, n)
        assert board.items == state_of(daemon).items


def state_of(daemon):
    board = Board()
    status, _, state = ask_socket(f"{store_of(daemon)}.control", "GET", "/api/state")
    assert status == 200
    board.place = state["as_of"]
    for kind, name in [("unit", "units"), ("call", "calls"), ("call911", "calls911")]:
        board.items |= {(kind, item["id"]): item for community in state["communities"] for item in community[name]}
    return board
