"""The event log: what is answered is in the file, with its number, however the process ends."""

import contextlib
import http.client
import json
import os
import random
import threading
import time

from harness import KEY, WRONG_KEY, call911, event, request, wait_for
from store import (
    Sender,
    array_of,
    assert_all_there,
    call_ids,
    change,
    end_all,
    kill,
    numbers,
    read,
    remains,
    under_load,
)

CRASH_ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
HOUR_US = 3600 * 1_000_000


# What is stored


def test_contents(daemon):
    odd = r'{ "call" :{"callId":9007199254740993,"x":[1.10,-0.0,1E+2,12345678901234567890123],' "\t" r'"\u00e9\/":"é\ud83d\ude00"}  }'
    bodies = [
        (f'{{"key":"{KEY}","type":"event_911","data":{odd},"extra" : [9007199254740993, 1.50]}}', 200),
        (json.dumps(event("EVENT_FUTURE_THING")), 400),
        (json.dumps(event("EVENT_911", {"call": {}})), 400),
        (json.dumps(event(key=WRONG_KEY)), 400),
        ("{", 400),
        (json.dumps(call911(7)), 200),
    ]
    for body, status in bodies:
        assert daemon.post(body).status == status
    rows = read(daemon.file.parent / "events.db")
    assert [row[:3] for row in rows] == [
        (1, "EVENT_911", "accepted"),
        (2, "EVENT_FUTURE_THING", "unknown"),
        (3, "EVENT_911", "invalid"),
        (4, "EVENT_911", "accepted"),
    ]
    assert rows[0][3] == odd
    assert json.loads(rows[0][4]) == {"extra": [9007199254740993, 1.5]} and "1.50" in rows[0][4]
    assert KEY not in str(rows)
    assert [e["event_id"] for e in daemon.stop().events()] == [1, 2, 3, 4]


def test_an_array_is_there_as_a_whole(on, path):
    """Whenever the process dies: a multiple of its length, and nothing of an array between others' elements."""
    for r in range(5):
        daemon, answered = on(), []
        array = array_of(200, r * 1000)
        threads = [threading.Thread(target=post_until_gone, args=(daemon, array, answered)) for _ in range(3)]
        for thread in threads:
            thread.start()
        # Not lines: those that the kill of the round before left untold come at once.
        wait_for(lambda a=answered: len(a) > 1, "more than one array")
        time.sleep(random.uniform(0, 0.05))
        kill(daemon)
        for thread in threads:
            thread.join()
    calls = call_ids(path)
    assert len(calls) % 200 == 0
    for at in range(0, len(calls), 200):
        assert calls[at : at + 200] == list(range(calls[at], calls[at] + 200))
    assert len(calls) > 5 * 200


def post_until_gone(daemon, body, answered):
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        while True:
            answer = daemon.post(body)
            assert answer.status == 200
            answered.append(answer)


# The process dies


def test_kill_under_load(on, path):
    """CRASH_ROUNDS times at any moment, always with the same file."""
    everyone, told, newest = [], set(), 0
    for r in range(CRASH_ROUNDS):
        daemon = on()
        senders = under_load(daemon, r * 100_000_000, padding=random.choice((0, 300, 5000)))
        everyone += senders
        wait_for(lambda s=senders: any(x.statuses for x in s), "an answer")
        time.sleep(random.uniform(0.0, 0.3))
        kill(daemon)
        end_all(senders)
        told |= {e["event_id"] for e in daemon.events()}
        newest = assert_all_there(remains(path), senders, newest)
    print(f"{CRASH_ROUNDS} rounds, {sum(len(s.accepted()) for s in everyone)} events answered, {newest} in the log")
    last = on()
    assert last.post(call911(1)).status == 200
    last.stop()
    told |= {e["event_id"] for e in last.events()}
    assert numbers(path) == sorted(told), "an event was never told"
    assert_all_there_with(path, everyone, 1)


def assert_all_there_with(path, senders, extra):
    change(path, "DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
    assert call_ids(path)[-1] != extra
    assert_all_there(path, senders)


def test_lines_are_told_late(on, path):
    """Lines nobody took before the kill come after it, with their own time, and state is there again."""
    first = on()
    first.stderr.paused = True
    with first.connect() as client:
        for call in range(1, 1501):
            assert client.ask(request(call911(call))).status == 200
    kill(first)
    told = {e["event_id"] for e in first.events()}
    assert len(told) < 1500, "nothing was left to tell"
    second = on()
    late = second.stop().events()
    assert told | {e["event_id"] for e in late} == set(range(1, 1501))
    assert all("told late, it came at " + e["time"] in e["message"] for e in late)
    third = on().stop()
    assert third.events() == []


def test_few_lines_are_told_again(on, path):
    """How far lines have come is saved now and then, not with every event."""
    daemon = on(path)
    for call in range(1, 151):
        assert daemon.post(call911(call)).status == 200
        wait_for(lambda: len(daemon.events()) == call, "its line")  # noqa: B023
    kill(daemon)
    saved = read(path, "SELECT event_id FROM cursors WHERE action = '-log'")[0][0]
    assert 150 - 1 - 64 <= saved <= 150
    again = on(path)
    assert [e["event_id"] for e in again.stop().events()] == list(range(saved + 1, 151))


def test_a_single_event_is_told_late(on, path):
    """The first one ever, before any place in the log was saved."""
    on().stop()
    change(path, "DELETE FROM cursors")
    change(path, "INSERT INTO events (id, received_at, source, community, listener, peer, type, verdict, data)"
           " VALUES (1, ?, 'push', 'default', 'main', '127.0.0.1', 'EVENT_REMOVE_911', 'accepted', ?)",
           int(time.time() * 1e6), '{"callIds":[5]}')
    assert [e["event_id"] for e in on().stop().events()] == [1]


def lives(path):
    return read(path, "SELECT log, first_id FROM lives ORDER BY first_id")


def test_power_cut_begins_a_life(on, path):
    """Another boot id than that of the run before is what a restart of the machine leaves."""
    first = on(store={"durability": "normal"})
    assert first.post(call911(1)).status == 200
    kill(first)
    change(path, "UPDATE meta SET value = 'an older one' WHERE name = 'boot_id'")
    second = on(store={"durability": "normal"})
    assert second.post(call911(2)).status == 200
    (before, _), (now, first_id) = lives(path)
    assert first_id == 2
    line = second.wait_line("the machine was restarted without a clean stop")
    assert f"From event 2 on the log has a new life, {now}; the one before was {before}" in line
    second.stop()
    change(path, "UPDATE meta SET value = 'an older one' WHERE name = 'boot_id'")
    on(store={"durability": "normal"}).stop()
    assert len(lives(path)) == 2  # it was stopped in order


def test_state_is_rebuilt(on, path):
    first = on()
    unit = {"id": 4127, "status": 2, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
    assert first.post(event("EVENT_UNIT_LOGIN", {"unit": unit})).status == 200
    assert first.post(call911(1)).status == 200
    kill(first)
    change(path, "UPDATE events SET received_at = received_at - ?", 40 * 24 * HOUR_US)
    second = on()
    second.wait_line(r"\b2 events of the last 24 hours read again in \d+ ms, newest is 2")
    second.post(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3}))
    line = second.stop().events()[-1]
    assert line["event_id"] == 3 and "3-L-27" in line["message"]
    third = on()  # what the unit was before the newest event's last day is gone
    third.wait_line(r"\b1 event of the last 24 hours read again in \d+ ms, newest is 3")


def test_stop_under_load(on, path):
    """Without waiting for the disk, which the end has less patience with than a slow one needs."""
    daemon = on(store={"durability": "normal"})
    senders = under_load(daemon, clients=16)
    wait_for(lambda: len(numbers(path)) > 200, "load")
    daemon.stop()
    end_all(senders)
    assert_all_there(path, senders)
    assert len(numbers(path)) == sum(len(sender.accepted()) for sender in senders), "stored but not answered"


def test_clients_that_leave(on, path):
    """Without waiting for their answer: the others do not notice, and no event is cut in two."""
    daemon = on()
    sender = Sender(daemon, 10_000_000)
    for i in range(300):
        client = daemon.connect()
        client.send(request(call911(i)))
        (client.drop if i % 2 else client.close)()
    assert daemon.serves_again()
    sender.end()
    assert set(sender.statuses.values()) == {200} and sender.accepted() <= set(
        call for call in (json.loads(d).get("call", {}).get("callId") for (d,) in read(path, "SELECT data FROM events"))
    )
    assert numbers(path) == list(range(1, len(numbers(path)) + 1))
