"""The journal: fields, and a journald that stalls or dies, which delays no answer. A real systemd-journald runs beside
each daemon, in a mount namespace of its own."""

import json
import os
import signal
import subprocess
from pathlib import Path

import harness
import pytest
from harness import KEY, event, free_port, wait_for

WRAPPER = Path(__file__).with_name("with_journald.sh")
JOURNALD = "/lib/systemd/systemd-journald"


def can_run():
    """Namespaces may be forbidden even to root."""
    tools = os.path.exists(JOURNALD) and os.geteuid() == 0
    return tools and subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "x", "/run"]).returncode == 0


pytestmark = pytest.mark.skipif(not can_run(), reason="needs root, mount namespaces and systemd-journald")


class Journaled(harness.Daemon):
    """A daemon that says everything to its journald, also when it is ready."""

    def __init__(self, folder):
        self.port = free_port()
        text = harness.config(
            log={"target": "journal"}, listeners=[{"name": "main", "address": f"127.0.0.1:{self.port}"}]
        )
        super().__init__(folder, text, wrapper=["sh", WRAPPER])
        wait_for(lambda: self.process.poll() is not None or self.entries(MESSAGE_ID=READY), "ready in the journal")
        assert self.process.poll() is None, self.tail()

    @property
    def address(self):
        return "127.0.0.1", self.port

    def entries(self, *options, **fields):
        """Of the journal, as journalctl finds them."""
        command = ["journalctl", "-D", f"/proc/{self.process.pid}/root/run/log/journal", "-o", "json", "--no-pager"]
        matches = [f"{name}={value}" for name, value in fields.items()]
        found = subprocess.run([*command, *options, *matches], capture_output=True, text=True)
        return [json.loads(line) for line in found.stdout.splitlines()]

    def wait_entry(self, **fields):
        return wait_for(lambda: self.entries(**fields), f"an entry with {fields}")[0]

    def journald(self):
        children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(self.process.pid)], capture_output=True)
        return next(int(line.split()[0]) for line in children.stdout.decode().splitlines() if "journal" in line)


READY = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b06"
EVENT = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b01"


@pytest.fixture
def daemon(tmp_path):
    daemon = Journaled(tmp_path / "daemon")
    yield daemon
    try:
        os.kill(daemon.journald(), signal.SIGCONT)
    except (ProcessLookupError, StopIteration):
        pass
    daemon.finish()


def test_fields(daemon):
    data = {"call": {"callId": 90417, "caller": "John Doe", "location": "118 Lantern St", "isEmergency": True}}
    assert daemon.post(event("EVENT_911", data)).status == 200
    entry = daemon.wait_entry(SONORAN_911=90417)
    assert entry["MESSAGE"] == "911 call 90417 at 118 Lantern St, from John Doe"
    assert entry["MESSAGE_ID"] == EVENT and entry["PRIORITY"] == "5"
    assert entry["SYSLOG_IDENTIFIER"] == "sonoran-pushd" and entry["SONORAN_EVENT"] == "EVENT_911"
    assert (entry["SONORAN_COMMUNITY"], entry["SONORAN_LISTENER"], entry["SONORAN_FROM"]) == (
        "default",
        "main",
        "127.0.0.1",
    )
    assert entry["SONORAN_EVENT_ID"] == "1" and json.loads(entry["SONORAN_DATA"]) == data


def test_the_story_of_a_call(daemon):
    for type_, data in [
        ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55120, "title": "Fire", "idents": [11, 12]}}),
        ("EVENT_DISPATCH_NOTE", {"callId": 55120, "note": "engine on its way"}),
        ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55121, "title": "Other"}}),
    ]:
        assert daemon.post(event(type_, data)).status == 200
    daemon.wait_entry(SONORAN_CALL=55121)
    story = daemon.entries(SONORAN_CALL=55120)
    assert [entry["SONORAN_EVENT"] for entry in story] == ["EVENT_DISPATCH_NEW", "EVENT_DISPATCH_NOTE"]
    assert story[0]["SONORAN_UNIT"] == ["11", "12"]


def test_refusal(daemon):
    assert daemon.post(event(key=harness.WRONG_KEY)).status == 400
    entry = daemon.wait_entry(SONORAN_VERDICT="refused")
    assert entry["PRIORITY"] == "4" and entry["SONORAN_REASON"] == "wrong key"
    assert KEY not in json.dumps(daemon.entries()) and harness.WRONG_KEY not in json.dumps(daemon.entries())


def test_journald_that_stalls(daemon):
    """More lines than its socket takes; all are there once it goes on."""
    os.kill(daemon.journald(), signal.SIGSTOP)
    for number in range(1, 1501):
        assert daemon.post(event("EVENT_911", {"call": {"callId": number}})).status == 200
    os.kill(daemon.journald(), signal.SIGCONT)
    wait_for(lambda: daemon.entries(SONORAN_911=1500), "the last line")
    told = [int(entry["SONORAN_911"]) for entry in daemon.entries(MESSAGE_ID=EVENT)]
    assert told == list(range(1, 1501))


def test_journald_that_dies(daemon):
    os.kill(daemon.journald(), signal.SIGKILL)
    for number in range(1, 301):
        assert daemon.post(event("EVENT_911", {"call": {"callId": number}})).status == 200
