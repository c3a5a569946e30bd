"""sonoran-pushctl board: on a terminal, printed, and against a daemon that says strange things."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest
from board_peer import BoardPeer, call, call911, record, row, story, unit
from ctl_tools import CTL, USAGE, config_for, ctl, lines_of_terminal, short_folder, store_of
from harness import PATIENCE_S, SANITIZER, Output, event, signals_as_on_a_terminal, wait_for

pyte = pytest.importorskip("pyte", reason="python3-pyte is a terminal to look at")

UNITS = [unit(4127, "3-L-27", "Mara Ellison", "SCN", calls=[55120]), unit(4133, "E-12", "Tess Novak", "ENR")]
CALLS = [call(55120, "Structure Fire", units=[4127, 4133])]
CALLS911 = [call911(90417, "Smoke from the attic")]


@pytest.fixture
def peer():
    with short_folder() as folder:
        peer = BoardPeer(folder / "events.db")
        peer.store = folder / "events.db"
        yield peer
        peer.close()


class Board:
    """One on a terminal of its own, and what that shows."""

    def __init__(self, store, *args, rows=24, columns=80, env=None):
        ours, theirs = pty.openpty()
        self.fd = ours
        self.size(rows, columns)
        self.screen = pyte.Screen(columns, rows)
        self.bytes_read = 0
        self.stream = pyte.ByteStream(self.screen)
        self.process = subprocess.Popen([CTL, "board", "--store", str(store), *args], stdin=theirs, stdout=theirs, stderr=theirs,
                                        # The size that shells and runners of tests leave there is not the terminal's.
                                        env={**os.environ, "TERM": "linux", "COLUMNS": "80", "LINES": "24", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **(env or {})},
                                        start_new_session=True,
                                        preexec_fn=signals_as_on_a_terminal)
        os.close(theirs)
        self.output = Output(ours)

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.size(rows, columns)
        self.screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def shown(self):
        """It may be half a picture: what is not there yet is waited for."""
        new = bytes(self.output.bytes)[self.bytes_read:]
        self.bytes_read += len(new)
        self.stream.feed(new)
        # Not screen.display: in the middle of a picture half of a wide character may be there, and that ends it.
        cells = self.screen.buffer
        return "\n".join("".join(cells[y][x].data for x in range(self.screen.columns)) for y in range(self.screen.lines))

    def wait(self, words):
        """Until the screen shows them."""
        try:
            wait_for(lambda: words in self.shown(), words)
        except AssertionError:
            raise AssertionError(f"{words!r} is not shown:\n{self.shown()}") from None

    def wait_gone(self, words):
        wait_for(lambda: words not in self.shown(), f"{words} to be gone")

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert not SANITIZER.search(bytes(self.output.bytes))


@pytest.fixture
def board(peer):
    started = []

    def begin(*args, **kwargs):
        started.append(Board(peer.store, *args, **kwargs))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def test_shows_what_is_known(peer, board):
    peer.set_state(UNITS, CALLS, CALLS911)
    one = board()
    one.wait("live  911 1  calls 1  units 2")
    one.wait("SCN   3-L-27 Mara")
    for words in ("EMERGENCY  90417 118 Lantern St, John Doe: Smoke from the attic", "P2 55120 Structure Fire", "3-L-27* E-12",
                  "ENR   E-12   Tess Novak", "q quit"):
        one.wait(words)
    one.press("q")
    assert one.process.wait(PATIENCE_S) == 0


def test_stream(peer, board):
    """Items come, change and go, and lines are told; the board began behind the event its state was as of."""
    peer.set_state(UNITS, CALLS, CALLS911, as_of=41)
    one = board()
    wait_for(lambda: peer.streams, "the stream")
    assert peer.queries[0]["from"] == "41"
    peer.say(row("unit", unit(4140, "M-4", "Ola Reyes")), row("log", record(42, "M-4 Ola Reyes on duty"), 42))
    one.wait("units 3")
    one.wait("AVL   M-4    Ola Reyes")
    one.wait("M-4 Ola Reyes on duty")
    peer.say(row("unit", unit(4140, "M-4", "Ola Reyes", "PANIC", location="Pier Rd")))
    one.wait("PANIC  M-4 Ola Reyes, last at Pier Rd")
    peer.say(row("call911", {"community": "default", "node": None, "id": 90417, "changed": 43, "gone": True}))
    one.wait("911 0")
    one.wait("nobody is waiting")
    peer.say(row("call", call(55120, "Structure Fire", "CLOSED")))
    one.wait("no call is open")
    peer.say(row("unit", unit(4140, "M-4", "Ola Reyes", "OFF", online=False)))
    one.wait("units 2")
    one.wait_gone("PANIC")


def test_rows_in_pieces(peer, board):
    """However a stream is cut, down to single bytes."""
    one = board()
    wait_for(lambda: peer.streams, "the stream")
    for byte in row("unit", unit(1, "E-9", "Zoë Okonkwo")).encode():
        peer.say(bytes([byte]))
    one.wait("Zoë Okonkwo")


def test_link_lost_and_back(peer, board):
    """The word STALE, what was known stays, and it returns by itself, with a state of now."""
    peer.set_state(UNITS, CALLS, CALLS911)
    one = board()
    one.wait("live")
    peer.refusal = 503
    peer.cut()
    one.wait("STALE")
    one.wait("the daemon answered 503: too many viewers")
    assert "Structure Fire" in one.shown()
    peer.set_state(UNITS[:1], [], [])
    peer.refusal = None
    one.wait("live  911 0  calls 0  units 1")
    assert one.process.poll() is None


def test_lines_of_a_cut(peer, board):
    """Each once: those of before the state, those without a link, and not those that the stream still tells."""
    lines = [record(i, f"line {i} of it") for i in range(1, 8)]
    peer.set_state(as_of=2)
    peer.answers["/api/events"]["events"] = lines[:3]  # the third came between both answers
    one = board(rows=40)
    wait_for(lambda: peer.streams, "the stream")
    peer.say(row("log", lines[2], 3), row("log", lines[3], 4))
    one.wait("line 4 of it")
    peer.set_state(as_of=6)
    peer.answers["/api/events"]["events"] = lines
    peer.cut()
    wait_for(lambda: peer.streams, "another stream")
    peer.say(row("log", lines[6], 7))
    one.wait("line 7 of it")
    wait_for(lambda: [one.shown().count(f"line {i} of it") for i in range(1, 8)] == [1] * 7, "each line once")
    peer.set_state(as_of=2)  # another log
    peer.answers["/api/events"]["events"] = [record(1, "another first"), record(2, "another second")]
    peer.cut()
    one.wait("another second")


def test_reset(peer, board):
    """Everything is asked for anew."""
    peer.set_state(UNITS)
    one = board()
    one.wait("units 2")
    wait_for(lambda: peer.streams, "the stream")
    peer.set_state(UNITS[:1], as_of=7)
    peer.say(row("reset", {"why": "another log", "lost_from": 2, "lost_to": 6}, 7))
    one.wait("units 1")
    wait_for(lambda: len(peer.queries) > 1 and peer.queries[-1]["from"] == "7", "a stream from there on")


def test_hostile(peer, board):
    """Texts stay texts, and what is no item harms nothing."""
    evil = "\x1b]0;x\x07\x1b[31m\u202e" + "漢" * 200
    peer.set_state([unit(1, evil, evil)], [call(2, evil, address=evil)], [call911(3, evil, caller=evil)])
    one = board(rows=30, columns=100)
    one.wait("live  911 1  calls 1  units 1")
    wait_for(lambda: peer.streams, "the stream")
    for data in ({}, [], 7, None, {"id": "x"}, {"id": 1e300}, {"community": 5, "id": 5}, {"communities": 1}):
        peer.say(*(row(name, data) for name in ("unit", "call", "call911", "log", "tick", "hello", "unheard")))
    peer.say(row("log", record(9, evil)), "data\n\n", "id: 99999999999999999999999\ndata: {}\n\n", row("unit", unit(8, "E-8", "Still Here")))
    one.wait("Still Here")
    assert b"\x1b]0;x" not in bytes(one.output.bytes) and "\u202e".encode() not in bytes(one.output.bytes)


def test_no_json_begins_anew(peer, board):
    one = board()
    wait_for(lambda: peer.streams, "the stream")
    peer.say("event: unit\ndata: {\n\n")
    wait_for(lambda: len(peer.queries) > 1, "a second stream")
    one.wait("live")


def test_sizes(peer, board):
    """It follows the terminal; below 60 x 15 there is one list, and Tab goes to the next."""
    peer.set_state(UNITS, CALLS, CALLS911)
    one = board()
    one.wait("Structure Fire")
    one.resize(10, 40)
    one.wait_gone("Structure Fire")
    one.wait("EMERG  90417")
    one.press("\t")
    one.wait("Structure Fire")
    one.resize(40, 130)
    one.wait("3-L-27* SCN  E-12 ENR")
    one.resize(4, 20)
    one.resize(24, 80)
    one.wait("SCN   3-L-27 Mara")


def test_keys(peer, board):
    peer.set_state(UNITS, CALLS, CALLS911)
    one = board()
    one.wait("live")
    one.press("/")
    one.wait("filter: _")
    one.press("noovv\x7f\x7fvak")
    one.press("\x7f" * 20 + "novak\r")
    one.wait("units 1")
    one.wait_gone("Mara Ellison")
    one.press("\x1b")
    one.wait("units 2")
    one.press("?")
    one.wait("made of test events")
    one.press("?")
    one.wait_gone("made of test events")
    one.press("b")
    one.wait("bell on")
    one.press("p")
    one.wait("PAUSED")
    one.press("p")
    one.wait("live")
    one.press("\t\t\x1b[B\x1b[B")
    one.wait(">  ENR   E-12")


def test_bell(peer, board):
    """For a panic that nobody has acknowledged, also one of before, and for a 911 emergency that comes."""
    peer.set_state([unit(1, "E-1", "Quiet")], calls911=[call911(90417, "Before")])
    one = board("--bell")
    one.wait("bell on")
    wait_for(lambda: peer.streams, "the stream")
    assert b"\x07" not in bytes(one.output.bytes)
    peer.say(row("call911", call911(90418, "Help")))
    wait_for(lambda: b"\x07" in bytes(one.output.bytes), "the bell")
    peer.set_state([unit(1, "E-1", "Before", "PANIC")])
    other = board("--bell")
    wait_for(lambda: b"\x07" in bytes(other.output.bytes), "the bell")
    other.wait("a acknowledge the panic")
    other.press("a")
    other.wait("acknowledged")
    other.wait_gone("a acknowledge the panic")


def test_pause(peer, board):
    """What is seen stays, what it does not show is counted, and it goes on with all of it."""
    peer.set_state(UNITS, CALLS, CALLS911, as_of=1)
    one = board(columns=100)
    one.wait("live")
    wait_for(lambda: peer.streams, "the stream")
    one.press("p")
    one.wait("PAUSED, 0 events since")
    peer.say(row("unit", unit(4127, "3-L-27", "Mara Ellison", "PANIC")), row("log", record(2, "panic of 3-L-27"), 2))
    one.wait("PAUSED, 1 event since with 1 ALARM")
    assert "SCN   3-L-27" in one.shown() and "panic of" not in one.shown()
    one.press("p")
    one.wait("PANIC  3-L-27 Mara Ellison")
    one.wait("panic of 3-L-27")
    one.wait("live")


def test_open_call(peer, board):
    """Enter shows all of it, with its story, which is read again when something of it changes."""
    peer.set_state(UNITS, CALLS, CALLS911)
    peer.answers["/api/story"] = story((0, "call 55120 is new"), (35, "3-L-27 is attached"))
    one = board()
    one.wait("live")
    wait_for(lambda: peer.streams, "the stream")
    one.press("\t\r")
    for words in "ACTIVE Structure Fire  #55120", "118 Lantern St", "3-L-27 Mara Ellison, SCN (primary)", "first unit after 00:35", "+00:35  3-L-27 is attached":
        one.wait(words)
    assert peer.asked[-1] == "/api/story?community=default&call=55120"
    peer.answers["/api/story"] = story((0, "call 55120 is new"), (80, "a note"))
    peer.say(row("call", call(55120, "Structure Fire", last_note="Second alarm")))
    one.wait("Second alarm")
    one.wait("+01:20  a note")
    peer.say(row("call", {"community": "default", "node": None, "id": 55120, "changed": 9, "gone": True}))
    one.wait("The daemon has it no more")
    one.press("q")
    one.wait("no call is open")
    one.press("\x1b[A\x1b[D\r")  # 911
    one.wait("#90417")
    wait_for(lambda: peer.asked[-1] == "/api/story?community=default&call911=90417", "its story is asked for")
    one.press("\x1b")
    one.wait("Tab list")
    one.press("q")
    assert one.process.wait(PATIENCE_S) == 0


def test_open_hostile(peer, board):
    """Nothing in a story is obeyed, and a long one scrolls; also in ASCII."""
    evil = "\x1b]0;x\x07\x1b[31m\u202e" + "漢" * 200
    peer.set_state([unit(1, evil, evil)], [call(2, evil, units=[1], address=evil, description=evil)], [])
    peer.answers["/api/story"] = story(*((i, evil) for i in range(100)), (200, "the last of it"), missing=evil)
    for args in [], ["--ascii"]:
        one = board(*args)
        one.wait("live")
        one.press("\t\r")
        wait_for(lambda: re.search(r" 1-21 of \d{3}", one.shown()), "a page that has its story")
        one.press("\x1b[4~")
        one.wait("the last of it")
        assert b"\x1b]0;x" not in bytes(one.output.bytes) and "\u202e".encode() not in bytes(one.output.bytes)
        assert not args or all(byte < 0x80 for byte in bytes(one.output.bytes))


def test_open_without_story(peer, board):
    """A daemon that has none says so, and one that is slow holds up nothing."""
    peer.set_state(UNITS, CALLS, CALLS911)
    one = board()
    one.wait("live")
    one.press("\t\r")
    one.wait("no such path")
    one.press("\x1b")
    peer.answers["/api/story"] = story((0, "call 55120 is new"))
    peer.answering.clear()
    n_asked = len(peer.asked)
    one.press("\x1b[A\x1b[D\r")
    one.wait("Looking for its story")
    wait_for(lambda: len(peer.asked) > n_asked, "the question")
    one.press("\x1b")
    one.wait("Tab list")
    one.press("q")
    assert one.process.wait(PATIENCE_S) == 0
    assert not peer.answering.is_set()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(board, signal_):
    """The terminal is as it was before."""
    one = board()
    one.wait("live")
    before = len(one.output.bytes)
    one.process.send_signal(signal_)
    assert one.process.wait(PATIENCE_S) == 0
    wait_for(lambda: len(one.output.bytes) > before, "the end of the picture")


def test_no_colour(peer, board):
    peer.set_state([unit(1, "E-1", "Red", "PANIC")])
    colour = board()
    colour.wait("PANIC")
    assert b"\x1b[31" in bytes(colour.output.bytes) or b";31" in bytes(colour.output.bytes)
    for args, env in (["--no-color"], {}), ([], {"NO_COLOR": "1"}):
        plain = board(*args, env=env)
        plain.wait("PANIC")
        assert b"31m" not in bytes(plain.output.bytes) and b";31" not in bytes(plain.output.bytes)


def test_ascii(peer, board):
    """Asked for, or where the locale knows nothing else."""
    peer.set_state([unit(1, "E-1", "Zoë")])
    for args, env in (["--ascii"], {}), ([], {"LC_ALL": "C"}):
        one = board(*args, env=env)
        one.wait("Zo?")
        assert all(byte < 0x80 for byte in bytes(one.output.bytes))


def test_once(peer):
    """Without a terminal, or asked for: text, all of it, in the width that there is."""
    units = [unit(i, f"U-{i}", f"Name {i}") for i in range(100, 180)]
    peer.set_state(units, CALLS, CALLS911)
    peer.answers["/api/events"]["events"] = [record(1, "911 call 90417 at 118 Lantern St")]
    result = ctl("board", "--store", peer.store)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout and "q quit" not in result.stdout
    lines = result.stdout.splitlines()
    assert all(any(f"U-{i} " in line for line in lines) for i in range(100, 180))
    assert "911 1  calls 1  units 80" in lines[0] and any("911 call 90417 at 118" in line for line in lines)
    assert not any(query for query in peer.queries)
    lines = lines_of_terminal(60, "board", "--once", "--store", peer.store)
    assert max(map(len, lines)) <= 60 and any("U-179 " in line for line in lines)


def test_json(peer):
    peer.set_state(UNITS)
    result = ctl("board", "--json", "--store", peer.store)
    assert json.loads(result.stdout) == peer.answers["/api/state"]
    ctl("board", "--json", "--community", "default", "--store", peer.store)
    assert peer.asked[-1] == "/api/state?community=default"


def test_real_daemon(daemon, tmp_path):
    """The demo from its first log-in, and what comes after it."""
    play = ["-c", config_for(daemon, tmp_path), "play", "--demo", "--speed", 10000]
    assert ctl(*play).returncode == 0
    one = Board(store_of(daemon))
    try:
        one.wait("live  911 0  calls 0  units 0")
        one.wait("D-1 Iris Calloway (unit 7101) off duty")
        daemon.post(event("EVENT_911", {"call": {"callId": 90417, "isEmergency": True, "location": "118 Lantern St"}}))
        one.wait("EMERGENCY  90417 118 Lantern St")
        one.wait("live  911 1  ")
        daemon.post(event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55120, "title": "Fire", "metaData": {"createdFromId": "90417"}}}))
        one.wait("DISPATCHED 90417 118 Lantern St")
        one.wait("live  911 0  calls 1")
        daemon.post(event("EVENT_REMOVE_911", {"callIds": [90417]}))
        one.wait("nobody is waiting")
        one.press("q")
        assert one.process.wait(PATIENCE_S) == 0
    finally:
        one.end()
    assert "units 0" in ctl("board", "--store", store_of(daemon)).stdout.splitlines()[0]


def test_communities(start, tmp_path):
    """Of several each row says whose it is; of one that was asked for none does."""
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    daemon = start(communities=communities)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    for name, key, id_ in ("Ann", "KEY-OF-THE-NORTH", 1), ("Bo", "KEY-OF-THE-SOUTH", 2):
        new = event("EVENT_911", {"call": {"callId": id_, "caller": name, "location": "Quay"}}, key=key)
        assert daemon.post(new).status == 200
    lines = ctl("board", "--store", store_of(daemon)).stdout.splitlines()
    for name, community in ("Ann", "north"), ("Bo", "south"):
        assert any(f"Quay, {name}" in line and f" {community} " in line for line in lines), lines
    shown = ctl("board", "--store", store_of(daemon), "--community", "south").stdout
    assert not any("Quay, Bo" in line and "south" in line for line in shown.splitlines()) and "north" not in shown and "Ann" not in shown


def test_older_daemon(peer):
    del peer.answers["/api/state"]
    result = ctl("board", "--store", peer.store)
    assert result.returncode == 1 and "no such path" in result.stderr
    peer.answers["/api/state"] = {"as_of": 1}
    result = ctl("board", "--store", peer.store)
    assert result.returncode == 1 and "no state of its board" in result.stderr


def test_no_daemon(tmp_path):
    result = ctl("board", "--store", tmp_path / "events.db")
    assert result.returncode == 1 and "no daemon is running" in result.stderr


def test_usage(peer):
    for args in (["word"], ["--community", "../x"], ["--unheard"]):
        assert ctl("board", "--store", peer.store, *args).returncode == USAGE
