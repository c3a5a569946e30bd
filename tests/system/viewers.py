"""Steps of "run" about people who look: who may ask the daemon and read its files, the board through ssh from another
machine, and what viewers see of a restart, an upgrade and a purge."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pyte
from container import TOP, wait_for

PACKAGES = ["adduser", "iproute2", "openssh-client", "openssh-server"]
SOCKET = "/run/sonoran-pushd/control.sock"
STATE = "/var/lib/sonoran-pushd"
README = (TOP / "README.md").read_text(encoding="utf-8")
BOARD = "http://127.0.0.1:30121"
ADMIN = "admin: { address: 127.0.0.1:30121, token_file: admin-token }\n"
TOLD_TO_JOIN = "this has to run as root, or in the group of the daemon (adduser YOU sonoran-pushd, then log in anew)"
NARROW, HIGH, WIDE = 80, 24, 100


@contextlib.contextmanager
def board_by_tcp(t):
    t.configure(ADMIN)
    t.c.sh("systemctl restart sonoran-pushd")
    try:
        yield
    finally:
        t.configure()
        t.c.sh("systemctl restart sonoran-pushd")


# Who may ask, and who may read.


class People:
    """Two users: ann is put into the group with the README's command, bob is not."""

    def __init__(self, t):
        self.c = t.c

    def __enter__(self):
        [join] = re.findall(r"`(adduser bob sonoran-pushd)`", README)
        self.c.sh(f"useradd -m ann; useradd -m bob; {join.replace('bob', 'ann')}")
        return self

    def __exit__(self, *_):
        self.c.sh("userdel -r ann 2>&1; userdel -r bob 2>&1")

    def try_as(self, user, command):
        return self.c.try_sh(f"runuser -u {user} -- {command}")


def control_group(t):
    """Root may ask the daemon, and who is in its group; another one is told what to do, by whatever it tries."""
    t.send(90780)
    asks = ["status", "status -q", "board --once", "actions", "reload"]
    assert t.c.sh(f"stat -c '%a %G' {SOCKET} {SOCKET.rpartition('/')[0]}") == "660 sonoran-pushd\n750 sonoran-pushd\n"
    with People(t) as people:
        for ask in asks:
            assert t.c.sh(f"sonoran-pushctl {ask}") or ask == "status -q", ask
            may = people.try_as("ann", f"sonoran-pushctl {ask}")
            assert may.returncode == 0, (ask, may)
            may_not = people.try_as("bob", f"sonoran-pushctl {ask}")
            assert may_not.returncode == 1, (ask, may_not)
            assert ask == "status -q" or TOLD_TO_JOIN in " ".join((may_not.stdout + may_not.stderr).split()), (ask, may_not)
        assert "90780" in people.try_as("ann", "sonoran-pushctl board --once").stdout
        curl = f"curl -s --unix-socket {SOCKET} http://localhost/api/status"
        assert json.loads(people.try_as("ann", curl).stdout)["pid"] == t.pid()
        assert people.try_as("bob", curl).stdout == ""


def private_files(t):
    """The log, what is beside it and the secrets are root's and the daemon's: neither the group nor others read them."""
    token, key = f"{STATE}/admin-token", "/etc/sonoran-pushd/secrets/api-key"
    with board_by_tcp(t), People(t) as people:
        daemon = t.c.sh(f"stat -c %u /proc/{t.pid()}").strip()
        assert t.c.sh(f"stat -L -c '%a %u' /var/lib/private {token} {key}").split() == ["700", "0", "600", daemon, "600", "0"]
        assert t.c.sh(f"find -L {STATE}/ -perm /027") == "", "others may open it, or the group change it"
        for user in "ann", "bob":
            for command in f"ls {STATE}/", f"cat {STATE}/events.db", f"cat {token}", f"cat {key}":
                said = people.try_as(user, command)
                assert said.returncode and "Permission denied" in said.stderr, (user, command, said)
            for verb in "events", "story 911:90780", "duty":
                said = people.try_as(user, f"sonoran-pushctl {verb}")
                assert said.returncode == 1 and "for root" in said.stderr and not said.stdout, (user, verb, said)
            said = people.try_as(user, "sonoran-pushctl open --show-token")
            assert said.returncode == 1 and t.c.sh(f"cat {token}").strip() not in said.stdout, (user, said)


# Through ssh.


class Desk:
    """Another machine, where a browser is: a network of its own, a cable to the server, and a key that opens it."""

    SERVER = "10.77.0.1"
    INSIDE = "nsenter --net=/run/netns/desk"

    def __init__(self, t):
        self.t, self.c, self.tunnels = t, t.c, []

    def __enter__(self):
        self.c.sh("ip netns add desk && ip link add cable type veth peer name eth0 netns desk && ip link set cable up"
                  f" && ip addr add {self.SERVER}/24 dev cable && ip -n desk addr add 10.77.0.2/24 dev eth0"
                  " && ip -n desk link set eth0 up && ip -n desk link set lo up && systemctl start ssh")
        self.c.sh(f"echo {self.SERVER} $(hostname) SERVER >>/etc/hosts")
        self.c.sh("umask 077; mkdir -p /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
        self.c.put("/root/.ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n  BatchMode yes\n")
        self.let_in("root")
        return self

    def __exit__(self, *_):
        for tunnel in self.tunnels:
            self.cut(tunnel)
        self.c.sh("ip netns del desk; rm -r /root/.ssh; sed -i '/SERVER$/d' /etc/hosts; systemctl stop ssh")

    def let_in(self, user):
        home = self.c.sh(f"echo ~{user}").strip()
        self.c.sh(f"install -d -m 700 -o {user} {home}/.ssh &&"
                  f" install -m 600 -o {user} /root/.ssh/id_ed25519.pub {home}/.ssh/authorized_keys")

    def tunnel(self, command):
        """An ssh that somebody has typed, and leaves open."""
        number = len(self.tunnels)
        script = f"echo $$ >/run/tunnel{number}.pid; exec {self.INSIDE} {command} >/run/tunnel{number}.log 2>&1"
        process = subprocess.Popen(self.c.command(script), stdin=subprocess.PIPE)
        process.number = number
        self.tunnels.append(process)
        wait_for(lambda: process.poll() is not None or self.try_curl(f"-o /run/front {BOARD}/").returncode != 7,
                 f"{command} is there")
        assert process.poll() is None, self.c.sh(f"cat /run/tunnel{number}.log")
        return process

    def cut(self, tunnel, how="KILL"):
        if tunnel.poll() is None:
            self.c.sh(f"kill -{how} $(cat /run/tunnel{tunnel.number}.pid)")
        tunnel.wait(60)
        tunnel.stdin.close()

    def try_curl(self, arguments):
        return self.c.try_sh(f"{self.INSIDE} curl -s -m 120 {arguments}")

    def status(self, arguments):
        return self.try_curl(f"-o /run/answer -w '%{{http_code}}' {arguments}").stdout


class Stream:
    """The event stream, as curl on that desk, or here, writes it down."""

    def __init__(self, c, arguments, inside=""):
        self.c = c
        c.sh("rm -f /run/stream")
        self.process = c.start(f"echo $$ >/run/stream.pid; exec {inside} curl -sN -o /run/stream {arguments}")
        wait_for(lambda: "event: hello" in self.text(), "the stream begins")

    def text(self):
        return self.c.try_sh("cat /run/stream").stdout

    def wait_event(self, call):
        wait_for(lambda: f"911 call {call}" in self.text(), f"call {call} in the stream")

    def wait_end(self):
        """What was sent is whole, to the last line."""
        self.process.wait(60)
        text = self.text()
        assert text.endswith("\n\n"), text[-200:]

    def end(self):
        if self.process.poll() is None:
            self.c.sh("kill $(cat /run/stream.pid)")
            self.process.wait(60)


def open_streams(t):
    said = t.c.sh(f"curl -s --unix-socket {SOCKET} http://localhost/metrics")
    return int(re.search(r"^\w+_stream_clients (\d+)$", said, re.M).group(1))


def tunnel_of_open(t):
    """The ssh line and the link that sonoran-pushctl prints."""
    said = t.c.sh("sonoran-pushctl open --show-token")
    return re.findall(r"^  (ssh .*)$", said, re.M)[0], re.findall(r"^  (http\S+)$", said, re.M)[-1]


def board_by_ssh(t):
    """What the README has one type, on another machine: the board is there, with its token alone, by a name of this
    machine alone; the stream flows, and ends with the tunnel on both sides. The line that "open" prints does the same."""
    [typed] = re.findall(r"`(ssh -L \S+ SERVER)`", README)
    with board_by_tcp(t), Desk(t) as desk:
        line, link = tunnel_of_open(t)
        page, token = link.split("#token=")
        assert page == f"{BOARD}/" and typed.partition("SERVER")[0].replace("ssh", "ssh -N") in line, (line, link)
        assert desk.status(page) == "000", "the board can be reached without a tunnel"
        for command in typed, line:
            look_through(desk, desk.tunnel(command), page, f"-H 'Authorization: Bearer {token}'")


def look_through(desk, tunnel, page, bearer):
    assert "<title>" in desk.try_curl(page).stdout
    assert (desk.status(f"{page}api/state"), desk.status(f"{page}api/state {bearer}")) == ("401", "200")
    assert desk.status(f"http://localhost:30121/api/state {bearer}") == "200"
    for name in "board.example.org", "10.77.0.1.example.org:30121":
        assert desk.status(f"{page}api/state {bearer} -H 'Host: {name}'") == "421", name
    stream = Stream(desk.c, f"{page}api/stream {bearer}", desk.INSIDE)
    call = desk.t.next_load = desk.t.next_load + 1
    desk.t.send(call)
    stream.wait_event(call)
    assert open_streams(desk.t) == 1
    desk.cut(tunnel)
    stream.wait_end()
    wait_for(lambda: open_streams(desk.t) == 0, "the daemon notices that the viewer is gone")


def socket_by_ssh(t):
    """Without admin.address "open" leads through the control socket: who logs in has to be in the group, and a browser
    that comes there looks and does nothing else."""
    line, link = tunnel_of_open(t)
    assert f":{SOCKET} " in line and link == f"{BOARD}/", (line, link)
    with People(t), Desk(t) as desk:
        desk.let_in("ann")
        desk.let_in("bob")
        for user, may in ("root", True), ("ann", True), ("bob", False):
            tunnel = desk.tunnel(re.sub(r"\S+@", f"{user}@", line))
            assert desk.status(f"{BOARD}/api/state") == ("200" if may else "000"), user
            if may:
                browser = "-H 'Sec-Fetch-Site: same-origin'"
                assert desk.status(f"{BOARD}/api/state {browser}") == "200"
                assert desk.status(f"{BOARD}/api/reload {browser} -d ''") == "403"
                assert desk.status(f"{BOARD}/api/state -H 'Host: board.example.org'") == "421"
            desk.cut(tunnel, "TERM")


# While somebody watches.


class Terminal:
    """The board on a terminal, as one sees it."""

    def __init__(self, c):
        self.fd, theirs = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", HIGH, WIDE, 0, 0))
        os.set_blocking(self.fd, False)
        self.screen = pyte.Screen(WIDE, HIGH)
        self.stream = pyte.ByteStream(self.screen)
        self.c = c
        self.process = subprocess.Popen(
            c.command("echo $$ >/run/board.pid; TERM=linux exec sonoran-pushctl board"), stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True)
        os.close(theirs)

    def shown(self):
        try:
            while piece := os.read(self.fd, 1 << 16):
                self.stream.feed(piece)
        except OSError:  # nothing more for now, or it has ended
            pass
        return "\n".join(self.screen.display)

    def wait(self, words):
        try:
            wait_for(lambda: words in self.shown(), words)
        except AssertionError:
            raise AssertionError(f"{words!r} is not on the board:\n{self.shown()}") from None

    def leave(self):
        os.write(self.fd, b"q")
        assert self.process.wait(60) == 0

    def end(self):
        if self.process.poll() is None:
            self.c.sh("kill -9 $(cat /run/board.pid)")
            self.process.wait(60)
        os.close(self.fd)


class Viewers:
    """A board on a terminal, a plain connection to the stream, and a bot that follows and keeps its place."""

    def __init__(self, t):
        self.t, self.c, self.call = t, t.c, 0
        self.bot = self.plain = self.board = None

    def __enter__(self):
        self.c.put("/run/follow.py", TOP / "config/examples/follow.py")
        self.c.sh("rm -f /run/place /run/followed /run/lost")
        self.bot = self.c.start("echo $$ >/run/bot.pid;"
                                f" exec python3 /run/follow.py {SOCKET} /run/place >/run/followed 2>/run/lost")
        self.board = Terminal(self.c)
        self.connect()
        wait_for(lambda: open_streams(self.t) == 3, "all watch")
        self.see("live")
        return self

    def __exit__(self, *_):
        self.plain.end()
        self.board.end()
        self.c.sh("kill $(cat /run/bot.pid)")
        self.bot.wait(60)

    def connect(self):
        self.plain = Stream(self.c, f"--unix-socket {SOCKET} http://localhost/api/stream")

    def see(self, link):
        """An event comes, and is on the board; nobody has missed one, or had one twice."""
        self.call = self.t.next_load = self.t.next_load + 1
        self.t.send(self.call)
        self.board.wait(f" {self.call} ")
        self.board.wait(link)
        wait_for(lambda: f"911 call {self.call}" in self.c.sh("cat /run/followed"), f"the bot has call {self.call}")
        ids = [int(line.split()[0]) for line in self.c.sh("cat /run/followed").splitlines()]
        assert ids == list(range(ids[0], ids[0] + len(ids))), ids

    def cut_by(self, what, name):
        """The plain connection ends where it should; how long it took, for the reader."""
        start = time.monotonic()
        what()
        self.t.notes.append(f"{name} {time.monotonic() - start:.1f} s")
        self.plain.wait_end()
        assert "timed out" not in self.c.sh("journalctl -q -o cat -u sonoran-pushd.service"), "it had to be killed"


def restarted_while_watched(t):
    """A stop waits for no viewer; they see that the link is gone, come back by themselves, and miss nothing."""
    with Viewers(t) as viewers:
        viewers.cut_by(lambda: t.c.sh("systemctl restart sonoran-pushd"), "restart")
        viewers.see("live")
        viewers.connect()
        viewers.cut_by(lambda: t.c.sh("systemctl stop sonoran-pushd"), "stop")
        viewers.board.wait("STALE")
        t.c.sh("systemctl start sonoran-pushd")
        viewers.see("live")
        viewers.board.leave()


def upgraded_while_watched(t):
    """The same with a newer package."""
    pid = t.pid()
    with Viewers(t) as viewers:
        viewers.cut_by(lambda: t.install(t.newer), "upgrade")
        assert t.pid() not in (0, pid)
        viewers.see("live")
        viewers.board.leave()


def watch_purge(t, purge):
    """Viewers do not hold it up; the board says so, and can be left."""
    with Viewers(t) as viewers:
        viewers.cut_by(purge, "purge")
        viewers.board.wait("STALE")
        wait_for(lambda: "again in 2 s" in t.c.sh("cat /run/lost"), "the bot says that it tries again")
        viewers.board.leave()
