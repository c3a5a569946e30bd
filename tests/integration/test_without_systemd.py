"""A machine where systemd runs nothing, such as a container or one with another init: in the foreground, with its lines in
text, everything works, and no advice names a program that is of no use there. Where systemd runs, the advice names it.
Which of both a machine is, /run tells: each program here runs in a mount namespace of its own, with another one."""

import os
import re
import signal
import subprocess
import time

import pytest
from ctl_tools import BAD_CONFIG, CTL, NOT_RUNNING, control, ctl, short_folder
from harness import BINARY, KEY, PATIENCE_S, Daemon, call911, config, wait_for, write_private
from test_ctl_doctor import healthy

DAY_S = 24 * 3600
OF_SYSTEMD = re.compile("systemctl|journalctl|timedatectl|systemd")
# What a service manager says by variables is not there either. /etc is another one for a configuration at its usual place.
MACHINE = """mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /etc && mkdir -p $FOLDERS /etc/sonoran-pushd &&
printf 'communities: [ { api_key_file: api-key } ]\\nstore: { path: /run/events.db }\\n' >/etc/sonoran-pushd/sonoran-pushd.yaml &&
unset NOTIFY_SOCKET WATCHDOG_USEC JOURNAL_STREAM INVOCATION_ID LISTEN_FDS STATE_DIRECTORY RUNTIME_DIRECTORY &&
unset CREDENTIALS_DIRECTORY FOLDERS && exec "$@"
"""


def can_run():
    """Namespaces may be forbidden even to root."""
    unshare = ["unshare", "--mount", "mount", "-t", "tmpfs", "x", "/run"]
    return os.geteuid() == 0 and subprocess.run(unshare, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_run(), reason="needs root and mount namespaces")


class Machine:
    def __init__(self, systemd):
        self.systemd = systemd
        folders = "/run/systemd/system" if systemd else "/run/lock"
        self.wrapper = ["env", f"FOLDERS={folders}", "unshare", "--mount", "--propagation", "private", "sh", "-c", MACHINE, "sh"]

    def ctl(self, *args):
        return ctl(*self.wrapper[1:], CTL, *args, program=self.wrapper[0])

    def ctl_alone(self, *args):
        """Where no other daemon of this machine is seen."""
        alone = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", '"$@"; exit $?', "sh"]
        return ctl(*self.wrapper[1:], *alone, CTL, *args, program=self.wrapper[0])

    def pushd(self, *args):
        return ctl(*self.wrapper[1:], BINARY, *args, program=self.wrapper[0])

    def advises(self, said, with_systemd, without=""):
        """The one where systemd is, the other where it is not, and nothing of systemd there."""
        assert (with_systemd if self.systemd else without) in said, said
        assert self.systemd or not OF_SYSTEMD.search(said), said


@pytest.fixture(params=[False, True], ids=["without", "with"])
def machine(request):
    return Machine(request.param)


@pytest.fixture
def folder():
    with short_folder() as folder:
        yield folder


@pytest.fixture
def run(folder):
    """run(machine, …): a daemon there."""
    daemons = []

    def run(machine, *wrapper, **changes):
        text = config(log={"level": "info", "target": "auto"}, store={"path": str(folder / "e")}, **changes)
        daemons.append(Daemon(folder / "daemon", text, wrapper=[*machine.wrapper, *wrapper]))
        return daemons[-1]

    yield run
    for daemon in daemons:
        daemon.finish()


def test_everything_in_the_foreground(run, folder):
    """Started, an event, what the control program says of it, reloaded by a signal and by the program, stopped."""
    machine = Machine(systemd=False)
    daemon = run(machine).wait_ready()
    assert daemon.post(call911(90417, location="118 Lantern St")).status == 200
    daemon.wait_line(r"^\d\d:\d\d:\d\d (\w+ )?911 call 90417 at 118 Lantern St")
    before = len(daemon.lines())
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("configuration reloaded from", before)

    said = [machine.ctl("-c", daemon.file, *words) for words in (["status"], ["events"], ["reload"], ["doctor"], ["stats"])]
    assert [one.returncode for one in said] == [0] * len(said), said
    assert "90417" in said[1].stdout and "the daemon runs" in said[3].stdout
    assert machine.ctl("-c", daemon.file, "send", "EVENT_911").returncode == 0
    daemon.wait_line("test: 911 call")
    assert machine.ctl("-c", daemon.file, "backup", folder / "copy").returncode == 0

    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(PATIENCE_S) == 0
    words = "\n".join([*daemon.lines(), *(one.stdout + one.stderr for one in said)])
    assert not OF_SYSTEMD.search(words), words
    down = machine.ctl("-c", daemon.file, "status")
    assert down.returncode == NOT_RUNNING and not OF_SYSTEMD.search(down.stdout + down.stderr)


def test_key_missing(machine):
    result = machine.pushd("--check")
    assert result.returncode == BAD_CONFIG and "put the key into /etc/sonoran-pushd/secrets/api-key" in result.stderr
    machine.advises(result.stderr, ", then systemctl restart sonoran-pushd", ", then restart sonoran-pushd")


def test_doctor_of_one_that_does_not_run(machine, folder):
    file = folder / "pushd.yaml"
    write_private(file, config(store={"path": str(folder / "e")}))
    said = machine.ctl_alone("-c", file, "doctor").stdout
    machine.advises(said, "systemctl start sonoran-pushd; why it ended: journalctl", "why it ended stands in its output")


def test_doctor_of_one_in_trouble(machine, folder):
    """It cannot store, is older, does not answer; and the clock was put back."""
    file, log = folder / "pushd.yaml", folder / "e"
    write_private(file, config(store={"path": str(log)}))
    log.touch()
    os.utime(log, (time.time() + DAY_S,) * 2)
    with control(log, {"status": healthy(storing=False, version="0.0.9")}):
        said = machine.ctl("-c", file, "doctor").stdout
    machine.advises(said, "journalctl -u sonoran-pushd -p warning", "its output tells the reason")
    machine.advises(said, "-> systemctl restart sonoran-pushd", "-> restart sonoran-pushd")
    machine.advises(said, "kept right: timedatectl", "something keep it right")
    with control(log, {"status": b""}):
        said = machine.ctl("-c", file, "doctor").stdout
    machine.advises(said, "journalctl -u sonoran-pushd -e", "its output tells what it was doing last")


def test_an_older_daemon(machine, folder):
    with control(folder / "e", {"actions": {"actions": []}}, software="sonoran-pushd/0.0.9"):
        said = machine.ctl("actions", "--store", folder / "e").stderr
    machine.advises(said, ": systemctl restart sonoran-pushd\n", ": restart sonoran-pushd\n")


def test_restored_while_it_runs(machine, run, folder):
    daemon = run(machine).wait_ready()
    assert machine.ctl("-c", daemon.file, "backup", folder / "copy").returncode == 0
    result = machine.ctl("-c", daemon.file, "restore", folder / "copy")
    assert result.returncode == 1
    machine.advises(result.stderr, "Stop it first: systemctl stop sonoran-pushd\n", "Stop it first\n")


def test_low_port(machine, run):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as start:
        if int(start.read()) <= 1:
            pytest.skip("every port is free for all here")
    less = ["setpriv", "--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"]
    daemon = run(machine, *less, listeners=[{"name": "main", "address": "127.0.0.1:1"}])
    daemon.exit_status = 1
    daemon.process.wait(PATIENCE_S)
    line = wait_for(lambda: daemon.find_line("a port below 1024 takes"), "the reason")
    machine.advises(line, "in systemctl edit sonoran-pushd: [Service]", "CAP_NET_BIND_SERVICE, or a lower")


def test_key_that_root_alone_reads(machine, folder):
    """Only a service is somebody else than root."""
    script = "install -m 600 /dev/stdin /etc/sonoran-pushd/api-key && exec \"$@\""
    result = ctl(*machine.wrapper[1:], "sh", "-c", script, "sh", BINARY, "--check", program=machine.wrapper[0], stdin=KEY.encode())
    assert result.returncode == 0, result.stderr
    assert ("the service does not" in result.stderr) == machine.systemd
