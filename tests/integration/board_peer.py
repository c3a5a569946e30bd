"""A daemon's board as a test tells it: /api/state, /api/events and /api/stream on a control socket."""

import contextlib
import datetime
import json
import os
import queue
import socketserver
import threading
import urllib.parse

from ctl_tools import VERSION, ControlHandler
from harness import PATIENCE_S, wait_for


def ago(seconds):
    """A time as records have it."""
    time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def unit(id_, number, name, label="AVL", since=60, **more):
    ranks = {"PANIC": "0", "SCN": "1", "ENR": "2", "BSY": "3", "AVL": "4", "UNV": "5", "OFF": "9"}
    return {"community": "default", "node": None, "id": id_, "changed": 1, "source": "push/main", "test": False, "number": number,
            "name": name, "department": "", "group": "", "location": "", "api_ids": [], "told": True, "online": True,
            "dispatcher": False, "status": 2, "status_since": ago(since), "page": 0, "panic": label == "PANIC",
            "panic_since": None, "duty_since": None, "calls": [], "label": label, "rank": f"{ranks[label]}-{number}",
            "since": ago(since), "warn_at": None, "late_at": None, **more}


def call(id_, title, label="ACTIVE", units=(), since=120, **more):
    return {"community": "default", "node": None, "id": id_, "changed": 1, "source": "push/main", "test": False, "title": title,
            "code": "", "address": "118 Lantern St", "postal": "7042", "block": "", "description": "", "last_note": "",
            "notes": 0, "told": True, "origin": 0, "status": 1, "priority": 2, "opened": ago(since), "closed": None,
            "call911": None, "primary": units[0] if units else None, "track_primary": None,
            "units": [{"id": one, "since": ago(30)} for one in units], "label": label, "rank": f"{len(units) and 1}-{id_}",
            "since": ago(since), "warn_at": None, "late_at": None, **more}


def call911(id_, description, label="EMERGENCY", since=21, **more):
    return {"community": "default", "node": None, "id": id_, "changed": 1, "source": "push/main", "test": False,
            "caller": "John Doe", "location": "118 Lantern St", "description": description, "postal": "7042", "plate": "",
            "phone": "", "position": "", "told": True, "emergency": True, "silent": None, "opened": ago(since), "call": None,
            "label": label, "rank": f"0-{id_}", "since": ago(since), "warn_at": None, "late_at": None, **more}


def record(id_, summary, **more):
    return {"id": id_, "log": "9f0c", "time": ago(0), "type": "EVENT_911", "family": "call911", "level": 5, "community": "default",
            "source": "push", "listener": "main", "verdict": "accepted", "summary": summary, "calls911": [], "calls": [],
            "units": [], **more}


def story(*entries, **more):
    """Each of (seconds after the first, summary)."""
    times = [ago(600 - after) for after, _ in entries]
    return {"community": "default", "call": 55120, "call911": None, "title": "Structure Fire", "address": "118 Lantern St",
            "opened": times[0], "closed": None,
            "entries": [{"id": i, "time": times[i], "after": after if i else None, "type": "EVENT_DISPATCH_NEW", "summary": summary,
                         "units": [], "test": False} for i, (after, summary) in enumerate(entries)],
            "units": [{"id": 4127, "number": "3-L-27", "name": "Mara Ellison", "attached": times[0], "en_route": None,
                       "on_scene": None, "left": None}],
            "figures": {"answered_after": None, "first_unit_after": 35.5, "first_on_scene_after": None, "closed_after": None},
            "complete": True, "missing": None, **more}


def row(name, data, id_=None):
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"id: {id_}\n" if id_ is not None else "") + f"event: {name}\ndata: {text}\n\n"


class BoardHandler(ControlHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.asked.append(self.path)
        if path == "/api/stream" and self.server.refusal is None:
            self.stream(dict(urllib.parse.parse_qsl(query)))
        elif path == "/api/stream":
            self.answer(self.server.refusal, {"error": "too many viewers \x1b[31m"})
        elif path in self.server.answers:
            self.server.answering.wait(PATIENCE_S)
            self.answer(200, self.server.answers[path])
        else:
            self.answer(404, {"error": "no such path"})

    def answer(self, status, body):
        body = body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, query):
        pieces = queue.Queue()
        self.server.streams.append(pieces)
        self.server.queries.append(query)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        pieces.put("retry: 2000\n" + row("hello", {"version": VERSION, "log": "9f0c", "newest": 1, "oldest": 1, "time": ago(0)}))
        with contextlib.suppress(OSError):
            while (piece := pieces.get()) is not None:
                self.wfile.write(piece if isinstance(piece, bytes) else piece.encode())
                self.wfile.flush()


class BoardPeer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, store):
        self.path = f"{store}.control"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        super().__init__(self.path, BoardHandler)
        self.software = f"sonoran-pushd/{VERSION}"
        self.asked, self.queries, self.streams, self.refusal = [], [], [], None
        self.answering = threading.Event()  # cleared: it takes questions, and says nothing
        self.answering.set()
        self.set_state()
        self.answers["/api/events"] = {"events": [], "next": 1, "newest": 1, "oldest": 1}
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def set_state(self, units=(), calls=(), calls911=(), as_of=1):
        community = {"name": "default", "node": None, "units": list(units), "calls": list(calls), "calls911": list(calls911)}
        if not hasattr(self, "answers"):
            self.answers = {}
        self.answers["/api/state"] = {"as_of": as_of, "time": ago(0), "log": "9f0c", "communities": [community]}

    def say(self, *pieces):
        """To everybody who listens, and somebody does; None ends the stream."""
        wait_for(lambda: self.streams, "somebody who listens")
        for stream in list(self.streams):
            for piece in pieces:
                stream.put(piece)

    def cut(self):
        if self.streams:
            self.say(None)
        self.streams.clear()

    def handle_error(self, *_):
        """A client that went away."""

    def close(self):
        self.answering.set()
        self.cut()
        self.shutdown()
        self.thread.join(PATIENCE_S)
        self.server_close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
