"""servers.py - the servers that are measured, the rows of CASES at the end, and the life of one of them."""
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from meters import BODY, HERE, KEY, PATH, BenchError, free_port

READY_SECONDS = 20
STOP_SECONDS = 20
NODE = shutil.which("node") or "node"


@dataclass(frozen=True)
class Place:
    """What a server is started with."""
    build: Path
    folder: Path  # its own, empty, removed afterwards
    port: int


@dataclass(frozen=True)
class Case:
    """One line of the table."""
    name: str
    what: str
    command: Callable[[Place], list]
    against: str = "json"  # the case of ours that has the same to do
    connections: Optional[int] = None  # instead of --connections
    stderr_to_null: bool = False
    missing: Callable[[Path], Optional[str]] = lambda build: None  # what is, in a sentence


# -- one server ------------------------------------------------------------------------------------------------------

def ask(port):
    """Status and text of one event, or None when nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", PATH, BODY.read_bytes(), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


class Server:
    """A case's process, pinned to one CPU, from its first right answer to its end."""

    def __init__(self, case, build, cpu):
        self.case, self.build, self.cpu = case, build, cpu

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder, self.port = Path(self.temporary.name), free_port()
        place = Place(self.build, self.folder, self.port)
        self.errors = place.folder / "stderr"
        # setpriv and taskset exec what follows: the pid stays, and no server outlives a killed bench.
        command = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(self.cpu), *self.case.command(place)]
        with open(os.devnull if self.case.stderr_to_null else self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        self.pid = self.process.pid
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while (answer := ask(self.port)) is None:
            if self.process.poll() is not None:
                raise BenchError(f"{self.case.name}: ended with {self.process.returncode}\n{self.said()}")
            if time.monotonic() > end:
                raise BenchError(f"{self.case.name}: not ready within {READY_SECONDS} s\n{self.said()}")
            time.sleep(0.01)
        if answer != (200, b"ok"):
            raise BenchError(f"{self.case.name}: answered {answer} instead of 200 ok\n{self.said()}")

    def said(self):
        if self.case.stderr_to_null:
            return "(its stderr goes to /dev/null)"
        return self.errors.read_text(errors="replace")[-4000:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.temporary.cleanup()


# -- the servers -----------------------------------------------------------------------------------------------------

def bare(place):
    return [place.build / "bench_bare_mhd", str(place.port)]


def node(place):
    return [NODE, HERE / "node_server.js", str(place.port), KEY]


def receiver_js(place):
    packages = f"NODE_PATH={place.build / 'npm' / 'node_modules'}"
    return ["env", packages, NODE, HERE / "node_server.js", str(place.port), KEY, place.folder / "events.db"]


def receiver_js_missing(build):
    done = subprocess.run(receiver_js(Place(build, build, 0))[:3] + ["-e", "try { require('node:sqlite') } catch { "
                          "require('better-sqlite3') }"], capture_output=True)
    return done.returncode and "this node has no node:sqlite, and npm could not get better-sqlite3"


def receiver_py(place):
    return ["/usr/bin/python3", HERE / "receiver.py", str(place.port), KEY, place.folder / "events.db"]


def unpacked(build, name):
    """The program of a Debian package that is installed, or that `run` has unpacked."""
    places = [build / "unpacked" / folder for folder in ("usr/bin", "usr/sbin")]
    return shutil.which(name) or shutil.which(name, path=":".join(map(str, places)))


def missing(name):
    return lambda build: None if unpacked(build, name) else f"Debian's {name} is neither installed nor unpacked"


# One process, which is what has one CPU. `return` takes the body from the socket and throws it away.
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "ok"; }} }}
}}
"""


def nginx(place):
    (place.folder / "conf").write_text(NGINX.format(folder=place.folder, port=place.port))
    return [unpacked(place.build, "nginx"), "-p", place.folder, "-e", place.folder / "error.log", "-c", place.folder / "conf"]


def webhook(program, arguments=lambda place: []):
    """Debian's webhook with a hook that checks the key in the body and runs this program."""
    def words(place):
        rule = {"type": "value", "value": KEY, "parameter": {"source": "payload", "name": "key"}}
        hook = {"id": "event", "execute-command": str(program(place)), "response-message": "ok",
                "trigger-rule": {"match": rule}, "pass-arguments-to-command": arguments(place)}
        (place.folder / "hooks.json").write_text(json.dumps([hook]))
        return [unpacked(place.build, "webhook"), "-hooks", place.folder / "hooks.json", "-ip", "127.0.0.1",
                "-port", str(place.port), "-urlprefix", "sonorancad"]
    return words


def journaled(case):
    """The same with a systemd-journald of its own, on the CPU of wrk (needs root)."""
    def command(place):
        return ["sh", HERE.parent / "integration" / "with_journald.sh", *case(place)]
    return command


def daemon(settings, store=""):
    """The daemon with these lines (or what makes them for a place) added to its configuration, and members to store."""
    def command(place):
        more = settings(place) if callable(settings) else settings
        config = place.folder / "bench.yaml"
        config.touch(mode=0o600)
        config.write_text(f'listeners: [ {{ name: "main", address: "127.0.0.1:{place.port}" }} ]\n'
                          f'communities: [ {{ name: "bench", api_key: "{KEY}" }} ]\n'
                          f'limits: {{ connections_per_ip: 1024 }}\n'
                          f'store: {{ {store}path: "bench.db", max_size: "64G" }}\n'
                          f'{more}\n')
        return [place.build / "sonoran-pushd", "-c", config]
    return command


LINES = 'log: { level: "info", target: "json" }'
TO_JOURNAL = 'log: { level: "info", target: "journal" }'
NO_LINES = 'log: { level: "warning" }'
RUN_TRUE = 'actions: [ { name: "a", type: "exec", command: [ "/bin/true" ] } ]'

CASES = [
    Case("bare", "bare libmicrohttpd", bare),
    Case("nginx", "nginx, answers ok and looks at nothing", nginx, missing=missing("nginx")),
    Case("node", "Node.js, stores nothing", node),
    Case("node-sqlite", "Node.js, each event into SQLite, synced", receiver_js, missing=receiver_js_missing),
    Case("python-sqlite", "Python, each event into SQLite, synced", receiver_py),
    Case("webhook", "webhook, stores nothing, runs /bin/true", webhook(lambda place: "/bin/true"), against="exec",
         missing=missing("webhook")),
    Case("quiet", "sonoran-pushd, durable, no lines", daemon(NO_LINES)),
    Case("json", "sonoran-pushd, durable, JSON lines to /dev/null", daemon(LINES), stderr_to_null=True),
    Case("exec", "sonoran-pushd, the same, runs /bin/true", daemon(LINES + "\n" + RUN_TRUE), against="exec",
         stderr_to_null=True),
    Case("normal", "sonoran-pushd, durability normal, JSON lines", daemon(LINES, 'durability: normal, '),
         stderr_to_null=True),
    Case("journal", "sonoran-pushd, durable, lines to systemd-journald", journaled(daemon(TO_JOURNAL))),
    Case("node256", "Node.js, 256 connections", node, against="json256", connections=256),
    Case("json256", "sonoran-pushd, durable, JSON lines, 256 connections", daemon(LINES), against="json256",
         connections=256, stderr_to_null=True),
    Case("json1", "sonoran-pushd, durable, JSON lines, 1 connection", daemon(LINES), connections=1,
         stderr_to_null=True),
]
