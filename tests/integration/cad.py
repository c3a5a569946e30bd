"""The CAD as a session sees it: hub/, driven by a test. What each command and option does stands in hub/hub.js and control.js.

Its packages are installed once for each build, beside the program under test (`npm ci`: the lock file says which). Where
that cannot be done its tests are skipped.
"""

import contextlib
import fcntl
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from harness import BINARY, KEY, PATIENCE_S, free_port, wait_for

HUB = Path(__file__).with_name("hub")
COMMUNITY = "mycad"


RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"  # of all its workers


def installed():
    """The folder that Node finds the packages in. What failed is not tried again in this run."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no node or no npm")
    folder = Path(BINARY).resolve().parent / "hub"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        problem = None if is_current(folder) else problem_of(folder) or install(folder)
    if problem:
        pytest.skip(f"npm cannot install the hub's packages here: {problem}")
    return folder / "node_modules"


def install(folder):
    """Why it cannot be done; None: it is."""
    for file in HUB.glob("package*.json"):
        shutil.copy(file, folder)
    (folder / "installed").unlink(missing_ok=True)
    command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode:
        problem = done.stderr.strip()[-300:] or "it says nothing"
        (folder / "failed").write_text(json.dumps({"run": RUN, "problem": problem}))
        return problem
    (folder / "failed").unlink(missing_ok=True)
    (folder / "installed").touch()
    return None


def problem_of(folder):
    """That this run has met before."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        failed = json.loads((folder / "failed").read_text())
        return failed["problem"] if failed["run"] == RUN else None
    return None


def is_current(folder):
    with contextlib.suppress(FileNotFoundError):
        same = (folder / "package-lock.json").read_bytes() == (HUB / "package-lock.json").read_bytes()
        return same and (folder / "installed").exists()
    return False


def node(script, *arguments, wrapper=(), **more):
    return subprocess.Popen(
        [*wrapper, "node", HUB / script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "NODE_PATH": str(installed())},
        text=True,
        bufsize=1,
        **more,
    )


class Hub:
    """hub.push(event(…)), hub.set(upgrade={…}), hub.counts(): each method that is not here is a command of control.js."""

    def __init__(self, port=0, wrapper=(), **options):
        self.options = {"accounts": {COMMUNITY: {"key": KEY, "servers": [1]}}, **options}
        self.wrapper, self.port = wrapper, port
        self.turn = threading.Lock()
        self.start()

    def start(self):
        """Again on the same port, when it was ended; it has forgotten everything."""
        self.answers, self.number = queue.Queue(), 0
        self.process = node("control.js", wrapper=self.wrapper)
        self.process.stdin.write(json.dumps({**self.options, "port": self.port}) + "\n")
        threading.Thread(target=self.read, args=(self.process, self.answers), daemon=True).start()
        answer = self.answers.get(timeout=PATIENCE_S)
        assert "port" in answer, answer
        self.port = answer["port"]

    @staticmethod
    def read(process, answers):
        for line in process.stdout:
            answers.put(json.loads(line))
        answers.put({"error": "the hub has ended"})

    def do(self, command, **arguments):
        """By any thread."""
        with self.turn:
            self.number += 1
            self.process.stdin.write(json.dumps({"n": self.number, "do": command, **arguments}) + "\n")
            answer = self.answers.get(timeout=PATIENCE_S)
            assert "error" not in answer and answer["n"] == self.number, answer
        return answer.get("value")

    def __getattr__(self, command):
        return lambda **arguments: self.do(command, **arguments)

    def set(self, **options):
        """Holds for a hub that is started again, too."""
        self.options.update(options)
        self.do("set", options=options)

    def push(self, event, server=1, community=COMMUNITY, **more):
        return self.do("push", event=event, server=server, community=community, **more)

    def at(self, path, host=None, port=None):
        """The URL of a path here, or at what leads here."""
        host = host or {"::1": "[::1]"}.get(self.options.get("host"), "127.0.0.1")
        return f"{'https' if self.options.get('tls') else 'http'}://{host}:{port or self.port}{path}"

    @property
    def url(self):
        return self.at("/apiWsHub")

    def session(self, name="city", **more):
        """The row of a configuration that leads here."""
        return {"name": name, "community": "default", "community_id": COMMUNITY, "url": self.url, "prime": False, **more}

    def wait_read(self):
        """All that was pushed before has been read: what nobody knows is answered at once, and in its turn."""
        self.push({}, target="nobodyKnows", invocationId="read")
        wait_for(lambda: any(r.get("invocationId") == "read" for r in self.connections()[-1]["records"]), "an answer")

    # What it has seen

    def connections(self):
        return self.seen()["connections"]

    def requests(self, path=""):
        return [request for request in self.seen()["requests"] if request["path"].endswith(path)]

    def wait_sessions(self, n=1):
        return wait_for(lambda: self.counts()["sessions"] == n, f"{n} sessions, not {self.counts()['sessions']}")

    def wait_connections(self, n):
        """So many were opened in all."""
        return wait_for(lambda: self.counts()["connections"] >= n, f"{n} connections")

    def wait_upgrades(self, n):
        return wait_for(lambda: len(found := self.seen()["upgrades"]) >= n and found, f"{n} upgrades asked for")

    # Its life

    @contextlib.contextmanager
    def frozen(self):
        """Its system answers, it does not."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stdin.close()
        self.process.stdout.close()

    @contextlib.contextmanager
    def down(self):
        """Nobody listens on its port."""
        self.kill()
        try:
            yield
        finally:
            self.start()


def fixed_port(**options):
    """A hub on a port that stays free for it while it is down."""
    return Hub(port=free_port(), **options)
