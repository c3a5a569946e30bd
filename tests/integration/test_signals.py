"""Signals: held back from the first instruction on, told with a line, and the hang-up of a terminal is an end."""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios

import harness
import pytest
from harness import call911, config, wait_for, write_private

STOPS = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
IGNORED = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO,
           signal.SIGPWR, signal.SIGXCPU, signal.SIGRTMIN, signal.SIGRTMAX]


def held(pid):
    """The signals that it holds back."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk:"))
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def holds_for_good(pid, number):
    """The C library holds all signals for a moment before main, to get random numbers: that of an abort too."""
    signals = held(pid)
    return number in signals and signal.SIGABRT not in signals


def starting(tmp_path, number):
    """A daemon that has only just begun: as soon as it holds this signal, it is sent."""
    daemon = harness.Daemon(tmp_path / "daemon", config())
    wait_for(lambda: holds_for_good(daemon.process.pid, number), "signals are held")
    daemon.process.send_signal(number)
    return daemon


def test_hup_during_the_start(tmp_path):
    """Is a reload after it."""
    daemon = starting(tmp_path, signal.SIGHUP)
    daemon.wait_line("configuration reloaded")
    assert daemon.serves()
    daemon.finish()


@pytest.mark.parametrize("number", STOPS)
def test_stop_during_the_start(tmp_path, number):
    daemon = starting(tmp_path, number)
    assert daemon.process.wait(harness.PATIENCE_S) == 0
    daemon.finish()


@pytest.mark.parametrize("number", STOPS)
def test_stop(daemon, number):
    daemon.stop(number)
    assert "stopped" in daemon.lines()[-1]


def test_others_are_ignored(daemon):
    for number in IGNORED:
        daemon.process.send_signal(number)
    for number in IGNORED:
        daemon.wait_line(rf"signal {int(number)} \(SIG.*ignored")
    assert daemon.serves()


def test_a_check_can_be_interrupted(tmp_path):
    """What only prints and ends is ended by a signal as other programs are, whatever it waits for."""
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen([harness.BINARY, "--check", "-c", tmp_path / "pipe"], stderr=subprocess.PIPE)
    wait_for(lambda: process.poll() is not None or signal.SIGINT not in held(process.pid), "signals are let through")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=harness.PATIENCE_S)
    assert process.returncode in (-signal.SIGINT, 78)


# Terminals


def opened_terminal():
    """In the child: a session of its own, whose terminal is stdin."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A terminal with a command in it, the leader of its session. The daemon in there writes its lines to a file."""

    def __init__(self, folder, *command):
        self.folder, self.file = folder, folder / "pushd.yaml"
        write_private(self.file, config(log={"target": "text"}))
        self.script = f"exec {harness.BINARY} -c {self.file} 2>{folder}/lines"
        self.master, terminal = pty.openpty()
        self.output = harness.Output(os.dup(self.master))
        self.leader = subprocess.Popen(command or ["sh", "-c", self.script], stdin=terminal, stdout=terminal,
                                       stderr=terminal, preexec_fn=opened_terminal, env={**os.environ, "PS1": "$ "})
        os.close(terminal)

    def type(self, text):
        os.write(self.master, text.encode())

    def lines(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "lines").read_text(encoding="utf-8")
        return ""

    def wait_ready(self):
        """A descriptor that tells of the end of the daemon, whoever its parent is."""
        wait_for(lambda: "ready on" in self.lines(), "ready")
        pid = self.pid()
        return pid, os.pidfd_open(pid)

    def pid(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if file.read().startswith(f"{harness.BINARY}\0-c\0{self.file}\0".encode()):
                        return int(name)
        raise AssertionError("there is no such daemon")

    def hang_up(self):
        self.output.close()
        os.close(self.master)


def assert_ended(terminal, pidfd):
    ended = select.select([pidfd], [], [], harness.PATIENCE_S)[0]
    if not ended:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    assert ended, f"left behind on an open port:\n{terminal.lines()}"
    assert "stopped" in terminal.lines().splitlines()[-1]
    terminal.leader.wait(harness.PATIENCE_S)


def test_terminal_gone(tmp_path):
    terminal = Terminal(tmp_path)
    _, pidfd = terminal.wait_ready()
    terminal.hang_up()
    assert_ended(terminal, pidfd)


@pytest.mark.parametrize("shell", [["bash", "--norc", "-i"], ["sh", "-i"]], ids=["bash", "sh"])
@pytest.mark.parametrize("background", ["", " &"], ids=["in front", "behind"])
def test_terminal_of_a_shell_gone(tmp_path, shell, background):
    if not shutil.which(shell[0]):
        pytest.skip(f"no {shell[0]} here")
    terminal = Terminal(tmp_path, *shell)
    terminal.type(f"({terminal.script}){background}\n")
    _, pidfd = terminal.wait_ready()
    terminal.hang_up()
    assert_ended(terminal, pidfd)


def test_shell_left(tmp_path):
    """A shell that ends does not always tell its jobs; with it ssh closes the terminal."""
    terminal = Terminal(tmp_path, "sh", "-i")
    terminal.type(f"({terminal.script}) &\n")
    _, pidfd = terminal.wait_ready()
    terminal.type("exit\n")
    terminal.leader.wait(harness.PATIENCE_S)
    terminal.hang_up()
    assert_ended(terminal, pidfd)


def test_keys_are_no_hang_up(tmp_path):
    """What is typed while the daemon runs behind does not concern it; kill -HUP reloads."""
    terminal = Terminal(tmp_path, "sh", "-i")
    terminal.type(f"({terminal.script}) &\n")
    pid, pidfd = terminal.wait_ready()
    terminal.type(f"echo\nkill -HUP {pid}\n")
    wait_for(lambda: "reloaded" in terminal.lines(), "the reload")
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    assert select.select([pidfd], [], [], harness.PATIENCE_S)[0] and "the terminal is gone" not in terminal.lines()
    terminal.hang_up()
    terminal.leader.wait(harness.PATIENCE_S)


def test_nohup(tmp_path):
    terminal = Terminal(tmp_path, "sh", "-c", f"trap '' HUP; exec {harness.BINARY} -c {tmp_path}/pushd.yaml 2>{tmp_path}/lines")
    pid, pidfd = terminal.wait_ready()
    terminal.hang_up()
    wait_for(lambda: "running on, as nohup wants it" in terminal.lines(), "the line of the hang-up")
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: "reloaded" in terminal.lines(), "the reload")
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    assert_ended(terminal, pidfd)


# Children


def siren(tmp_path, text):
    program = tmp_path / "siren"
    program.write_text(text)
    program.chmod(0o755)
    return [{"name": "siren", "type": "exec", "command": [str(program)]}]


def test_children_ignored_by_the_parent(tmp_path):
    """Who ignores SIGCHLD leaves that to us; the exit status of a program is known all the same."""
    ignore = "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    text = config(actions=siren(tmp_path, "#!/bin/sh\nexit 7\n"))
    daemon = harness.Daemon(tmp_path / "daemon", text, wrapper=[sys.executable, "-c", ignore]).wait_ready()
    assert daemon.post(call911()).status == 200
    daemon.wait_line(r"status 7|exit.* 7")
    daemon.finish()


def children(pid):
    """The state of each child of a process, "Z" for those that nobody has reaped."""
    states = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):  # the thread has ended
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                of_thread = file.read().split()
            for child in of_thread:
                with contextlib.suppress(OSError), open(f"/proc/{child}/stat", encoding="ascii") as stat:
                    states.append(stat.read().rpartition(")")[2].split()[0])
    return states


def test_first_process_reaps_orphans(tmp_path):
    """What a program leaves behind ends as a child of ours, where we are the first process of a container."""
    if subprocess.run(["unshare", "--user", "--map-root-user", "--pid", "--fork", "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    left = tmp_path / "left"
    left.touch()
    actions = siren(tmp_path, f"#!/bin/sh\n(echo >>{left}; exec sleep 0.01) >/dev/null 2>&1 &\n")
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    daemon = harness.Daemon(tmp_path / "daemon", config(actions=actions), wrapper=unshare).wait_ready()
    with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children", encoding="ascii") as file:
        pid = int(file.read())
    for number in range(20):
        assert daemon.post(call911(number)).status == 200
    wait_for(lambda: len(left.read_text().splitlines()) == 20, "20 programs and what they left behind")
    wait_for(lambda: children(pid) == [], "nothing is left of them")
    os.kill(pid, signal.SIGTERM)
    daemon.process.wait(harness.PATIENCE_S)
    daemon.finish()
