"""receiver.py PORT KEY FILE - the listener an admin would write who wants to lose no event: the standard library's
server parses, checks key and type, and answers when SQLite has the event on the disk. What makes it quick is there: a
write-ahead log, connections that stay open, an answer in one piece. A yardstick of tests/bench/run.
"""
import hmac
import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, KEY, FILE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
TYPES = {"EVENT_911", "EVENT_DISPATCH_NEW", "EVENT_UNIT_STATUS", "EVENT_UNIT_PANIC"}

database = sqlite3.connect(FILE, check_same_thread=False, isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, at REAL, type TEXT, data TEXT)")
lock = threading.Lock()


def judge(body):
    try:
        event = json.loads(body)
    except ValueError:
        return 400, b"Invalid JSON"
    if not isinstance(event, dict):
        return 400, b"Invalid JSON"
    if not hmac.compare_digest(str(event.get("key")).encode(), KEY.encode()):
        return 400, b"Authentication Key Failed!"
    if event.get("type") not in TYPES:
        return 400, b"Invalid Type"
    with lock:
        database.execute("INSERT INTO events (at, type, data) VALUES (?, ?, ?)",
                         (time.time(), event["type"], json.dumps(event.get("data"))))
    return 200, b"ok"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        status, text = judge(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


Server(("127.0.0.1", PORT), Handler).serve_forever()
