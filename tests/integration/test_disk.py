"""A disk that fails or stalls while the daemon runs, and comes back: who is told what, and what is in the log after."""

import contextlib
import os
import select
import shutil
import socket
import sqlite3

import pytest
from disk import BROKEN, CUT, DATABASE, NO_SPACE, READ_ONLY, STALL, SYNC, WRITE
from harness import KEY, PATIENCE_S, as_bytes, call911, config, request, wait_for
from store import Sent, assert_all_there, call_ids, change, end_all, kill, numbers, under_load

HOUR_US = 3600 * 1_000_000
FAILS, WORKS = "events cannot be stored", "events are stored again"


def told(daemon, text):
    return [r["message"] for r in daemon.records() if text in r["message"]]


def assert_told(daemon, times):
    """Begin and end of each failure, once and in turn."""
    lines = [r["message"] for r in daemon.records() if FAILS in r["message"] or WORKS in r["message"]]
    assert ["fails" if FAILS in line else "works" for line in lines] == ["fails", "works"] * times, lines


# Faults


FAULTS = {
    "no space": (NO_SPACE, WRITE, "full|no space"),
    "short write": (CUT, WRITE, "full|no space"),
    "broken write": (BROKEN, WRITE, "I/O error"),
    "broken sync": (BROKEN, SYNC, "I/O error"),
    "read-only": (READ_ONLY, WRITE, "I/O error"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_under_load(on, path, disk, kind):
    fault, call, reason = FAULTS[kind]
    daemon = on(env=disk.env)
    senders = under_load(daemon)

    def some_more(status):
        before = sum(len(s.with_status(status)) for s in senders)
        wait_for(lambda: sum(len(s.with_status(status)) for s in senders) > before + 20, f"answers {status}")

    for _ in range(3):
        some_more(200)
        since = len(daemon.lines())
        with disk.failing(fault, calls=1 << call):
            some_more(503)
            daemon.wait_line(f"{FAILS}.*({reason})", since)
        daemon.wait_line(WORKS, since)
    some_more(200)
    end_all(senders)
    daemon.stop()
    assert {status for s in senders for status in s.statuses.values()} == {200, 503}
    assert_told(daemon, 3)
    assert_all_there(path, senders)


@pytest.mark.parametrize("kind", FAULTS)
def test_the_end_is_told_without_events(on, disk, kind):
    fault, call, _ = FAULTS[kind]
    daemon = on(env=disk.env)
    assert daemon.post(call911(1)).status == 200
    with disk.failing(fault, calls=1 << call):
        assert daemon.post(call911(2)).status == 503
    daemon.wait_line(WORKS)
    assert_told(daemon, 1)
    assert daemon.post(call911(3)).status == 200


def test_refused_does_not_come_back(on, path, disk):
    """All of it was written, only the sync failed; and then the process dies."""
    daemon, sent = on(env=disk.env), Sent(size=3)
    assert sent.post(daemon) == 200
    with disk.failing(BROKEN, calls=1 << SYNC):
        assert sent.post(daemon) == 503
        kill(daemon)
    on().stop()
    assert_all_there(path, [sent])


def test_a_small_event_is_no_end_of_it(on, path, disk):
    """It may find room where others did not."""
    daemon, small, large = on(env=disk.env), Sent(0), Sent(10_000_000, padding=200_000)
    assert small.post(daemon) == 200

    def finds_room():
        disk.begin(NO_SPACE, calls=1 << WRITE, passes=50)
        return small.post(daemon) == 200

    for _ in range(5):
        disk.begin(NO_SPACE, calls=1 << WRITE, passes=50)
        assert large.post(daemon) == 503
        wait_for(finds_room, "room, which the daemon did not just take to see whether there is some")
    disk.end()
    daemon.wait_line(WORKS)
    assert_told(daemon, 1)
    assert large.post(daemon) == 200
    daemon.stop()
    assert_all_there(path, [small, large])


def test_old_events_that_cannot_be_deleted(on, path, disk):
    """Told once; a reload makes it look again at once."""
    daemon = on()
    assert Sent(size=300).post(daemon) == 200
    daemon.stop()
    change(path, "UPDATE events SET received_at = received_at - ?", HOUR_US)
    daemon = on(env=disk.env)
    with_keep = [daemon.file.read_text().replace("store: {", f"store: {{ keep: {n}min,") for n in (1, 2, 3, 4)]
    disk.begin(NO_SPACE, calls=1 << WRITE)
    for text in with_keep[:3]:
        hits = disk.get("n_hits")
        daemon.reload(text)
        wait_for(lambda h=hits: disk.get("n_hits") > h, "another try")
    daemon.wait_line("old events are not deleted")
    disk.end()
    daemon.reload(with_keep[3])
    daemon.wait_line("old events are deleted again")
    wait_for(lambda: numbers(path) == [300], "the old ones to go")
    assert len(told(daemon, "old events are not deleted")) == 1
    assert len(told(daemon, "old events are deleted again")) == 1


# The file itself


def gone(path):
    os.rename(path, f"{path}.moved")


def replaced(path):
    gone(path)
    shutil.copy(f"{path}.moved", path)


def wal_gone(path):
    os.rename(f"{path}-wal", f"{path}-wal.moved")


@pytest.mark.parametrize(
    "harm, says",
    [(gone, "is gone"), (replaced, "another file"), (wal_gone, "-wal is gone")],
    ids=["gone", "replaced", "wal"],
)
def test_file_that_vanishes(on, path, harm, says):
    daemon, sent = on(), Sent()
    assert sent.post(daemon) == 200
    harm(path)
    assert [sent.post(daemon) for _ in range(3)] == [503] * 3
    for suffix in "", "-wal":
        if os.path.exists(f"{path}{suffix}.moved"):
            os.rename(f"{path}{suffix}.moved", f"{path}{suffix}")
    daemon.wait_line(WORKS)
    assert sent.post(daemon) == 200
    daemon.stop()
    assert says in told(daemon, FAILS)[0]
    assert_told(daemon, 1)
    assert_all_there(path, [sent])


def test_locked_under_load(on, path):
    """Whoever waited too long is withdrawn, and so not there afterwards."""
    daemon = on(limits={"request_time": "3s"}, store={"durability": "normal"})
    senders = under_load(daemon)
    wait_for(lambda: any(s.accepted() for s in senders), "load")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)) as other:
        other.execute("BEGIN EXCLUSIVE")
        wait_for(lambda: any(s.with_status(503) for s in senders), "a refusal")
        other.execute("ROLLBACK")
    daemon.wait_line("the event log is not locked any more")
    end_all(senders)
    daemon.stop()
    assert len(told(daemon, "holds a lock on the event log")) == 1
    assert_all_there(path, senders)


def test_status(on, tmp_path, disk):
    """What systemctl status shows."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        daemon = on(env={**disk.env, "NOTIFY_SOCKET": str(tmp_path / "notify")})

        def status():
            while "STATUS=" not in (message := systemd.recv(4096).decode()):
                pass
            return message.partition("STATUS=")[2].split("\n")[0]

        assert status().startswith("Listening for push events")
        with disk.failing(NO_SPACE, calls=1 << WRITE):
            assert daemon.post(call911()).status == 503
            assert "cannot be stored" in status()
            daemon.reload()
            assert "cannot be stored" in status()
        assert status().startswith("Listening for push events")


# A disk that does not answer


def waiting_clients(daemon, n, first=0, padding=0):
    """Connections that have sent an event each and have no answer yet."""
    clients = {}
    for call in range(first + 1, first + 1 + n):
        clients[call] = daemon.connect()
        assert clients[call].send(request(call911(call, x="x" * padding)))
    return clients


def stalled(disk):
    """The writer is inside a sync."""
    return wait_for(lambda: disk.get("n_hits"), "a sync")


def test_full_queue(on, path, disk):
    daemon = on(env=disk.env, limits={"body": "16K", "in_flight": "64K", "request_time": "10min"})
    answers = {}
    with disk.failing(STALL, calls=1 << SYNC):
        clients = waiting_clients(daemon, 30, padding=8000)
        busy = wait_for(lambda: select.select([c.socket for c in clients.values()], [], [], 0)[0], "an answer")
        for call, client in clients.items():
            if client.socket in busy:
                answers[call] = client.answer()
                assert (answers[call].status, answers[call].text) == (503, "Busy")
                assert int(answers[call].headers["Retry-After"]) >= 1
        assert len(answers) < 30, "nothing waits"
    for call, client in clients.items():
        if call not in answers:
            answers[call] = client.answer()
        client.close()
    stored = {call for call, answer in answers.items() if answer.status == 200}
    assert len(stored) > 1 and {answer.text for answer in answers.values()} == {"ok", "Busy"}
    assert sorted(call_ids(path)) == sorted(stored)
    assert daemon.serves()


def test_large_bodies_are_not_read_while_much_waits(on, disk):
    """Reading them takes the time of those who are served meanwhile."""
    daemon = on(env=disk.env, limits={"body": "256K", "in_flight": "1M", "request_time": "10min"})
    many = as_bytes({"key": KEY, "type": "EVENT_UNIT_STATUS", "data": [{"identIds": [i], "status": 3} for i in range(2000)]})
    with disk.failing(STALL, calls=1 << SYNC), daemon.connect() as first:
        first.send(request(many))
        stalled(disk)
        for body in many, b"{" * 20000:
            answer = daemon.post(body)
            assert (answer.status, answer.text) == (503, "Busy")
        assert daemon.post(b"{" * 2000).text == "Invalid JSON"
        disk.end()
        assert first.answer().status == 200
    assert daemon.post(b"{" * 20000).text == "Invalid JSON"


def test_a_disk_that_hangs(on, path, disk):
    """Who waits too long for it is answered so, and the disk is named, not the sender."""
    daemon = on(env=disk.env, limits={"request_time": "3s"})
    for first in 10, 20:
        since = len(daemon.lines())
        with disk.failing(STALL, calls=1 << SYNC):
            clients = waiting_clients(daemon, 1, first)
            stalled(disk)
            clients |= waiting_clients(daemon, 3, first + 1)
            for client in clients.values():
                answer = client.answer()
                assert (answer.status, answer.text) == (503, "Storage Unavailable")
                assert int(answer.headers["Retry-After"]) >= 1
            daemon.wait_line("the disk does not answer", since)
        daemon.wait_line("was stored late", since)
        daemon.wait_line("the disk answers again", since)
        for call, client in clients.items():
            client.close()
            assert daemon.post(call911(call + 100)).status == 200
    daemon.stop()
    assert sorted(call_ids(path)) == [11, 21, *range(111, 115), *range(121, 125)]
    assert len(told(daemon, "the disk does not answer")) == 2
    assert not told(daemon, "refused")


def test_a_reload_while_the_disk_hangs(on, path, disk):
    """It is for the writer to wait for a sync that the new settings ask for: all others are answered meanwhile."""
    store = {"path": str(path), "durability": "full"}
    daemon = on(env=disk.env, store=store, limits={"request_time": "3s"})
    assert daemon.post(call911(1)).status == 200
    with disk.failing(STALL, calls=1 << SYNC):
        daemon.reload(config(store={**store, "durability": "normal"}, limits={"request_time": "3s"}))
        stalled(disk)
        for call in 2, 3:
            answer = daemon.post(call911(call))
            assert (answer.status, answer.text) == (503, "Storage Unavailable")
        assert daemon.ask("GET").status == 200
        daemon.wait_line("the disk does not answer")
    daemon.wait_line("the disk answers again")
    assert daemon.post(call911(4)).status == 200
    daemon.stop()
    assert sorted(call_ids(path)) == [1, 4]


def test_clients_that_leave_while_they_wait(on, path, disk):
    daemon = on(env=disk.env, limits={"request_time": "10min"})
    with disk.failing(STALL, calls=1 << SYNC):
        first = waiting_clients(daemon, 1)
        stalled(disk)
        clients = waiting_clients(daemon, 20, first=100)
        for call in list(clients):
            if call % 2:
                (clients.pop(call).drop if call % 4 == 1 else clients[call].half_close)()
    for client in {**first, **clients}.values():
        assert client.answer().status == 200
    assert daemon.post(call911(1000)).status == 200
    daemon.stop()
    calls = call_ids(path)
    assert len(set(calls)) == len(calls) and {1, *clients} <= set(calls)


def test_stop_while_the_disk_stalls(on, path, disk):
    """It ends all the same. What waited is not answered."""
    daemon = on(env=disk.env)
    senders = under_load(daemon)
    wait_for(lambda: all(s.accepted() for s in senders), "load")
    disk.begin(STALL, calls=1 << SYNC)
    stalled(disk)
    daemon.exit_status = 1
    daemon.stop()
    disk.end()
    end_all(senders)
    assert told(daemon, "the disk does not answer")
    assert {status for s in senders for status in s.statuses.values()} == {200}
    assert on().serves()
    change(path, "DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
    assert_all_there(path, senders)


def test_stop_with_a_last_sync_that_stalls(on, path, disk):
    """Of the database itself, when everything is answered."""
    daemon, sent = on(env=disk.env), Sent(size=5)
    assert sent.post(daemon) == 200
    disk.begin(STALL, calls=1 << SYNC, kinds=1 << DATABASE)
    daemon.exit_status = 1
    daemon.stop()
    disk.end()
    assert told(daemon, "the disk does not answer")
    assert_all_there(path, [sent])


def test_stop_while_the_disk_stalls_for_a_moment(on, path, disk):
    """What was received is stored and answered."""
    daemon = on(env=disk.env)
    with disk.failing(STALL, calls=1 << SYNC):
        clients = waiting_clients(daemon, 1)
        stalled(disk)
        clients |= waiting_clients(daemon, 10, first=1)
        with daemon.connect() as idle:
            assert idle.ask(request(method="GET")).status == 200  # whoever sent before was heard before
            daemon.process.terminate()
            assert idle.rest() == b""  # closed: it is stopping
    assert [client.answer().status for client in clients.values()] == [200] * 11
    daemon.stop()
    assert sorted(call_ids(path)) == list(range(1, 12))
