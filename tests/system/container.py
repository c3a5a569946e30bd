"""A Debian of its own, 12 (bookworm) or 13 (trixie), or Ubuntu 24.04 (noble): made once with debootstrap, booted with
systemd as its first process, entered with nsenter.

What changes inside is kept in memory and gone with the container; its network is a loopback that nobody else has.
A wait is for a condition and has a bound.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
SUITES = [SUITE, "trixie", "noble"]
UBUNTU = ["noble"]
BASE_PACKAGES = ["systemd-sysv", "dbus", "python3", "curl"]
TOOLS = ["systemd-nspawn", "debootstrap", "nsenter"]
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
}
PATIENCE_S = 180
COMMAND_S = 600


class Skip(Exception):
    """Why this machine cannot do it."""


def wait_for(condition, what, patience_s=PATIENCE_S):
    """The first true value of condition()."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not in {patience_s} s")
        time.sleep(0.05)
    return value


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def apt_setting(name):
    return run("apt-config", "shell", "value", name).stdout.removeprefix("value='").rstrip().removesuffix("'")


def archive_of(suite):
    """This machine's own, if it is of the same distribution (a mirror has all suites). Nobody is asked for Ubuntu's
    unless it is named: where builds run, it may be out of bounds."""
    origin = "Ubuntu" if suite in UBUNTU else "Debian"
    targets = run("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(ORIGIN)", "Created-By: Packages").stdout
    uris = [line.split()[0] for line in targets.splitlines() if re.search(rf" [a-z]+ {origin}$", line)]
    if origin == "Ubuntu" and not (uris := [*filter(None, [os.environ.get("UBUNTU_ARCHIVE")]), *uris]):
        raise Skip(f"no archive of Ubuntu is named for {suite}, as in UBUNTU_ARCHIVE=http://archive.ubuntu.com/ubuntu")
    return (uris or ["http://deb.debian.org/debian"])[0]


def network_environment():
    """What this machine's apt needs to get to an archive."""
    proxy = apt_setting("Acquire::http::Proxy")
    return dict(os.environ, **({"http_proxy": proxy} if proxy else {}))


def debootstrap(suite, root, uri):
    """The command; what of Ubuntu is needed is in universe, and Debian's debootstrap need not know the newest suites."""
    if suite not in UBUNTU:
        return ["debootstrap", "--variant=minbase", suite, str(root), uri]
    return ["debootstrap", "--variant=minbase", "--components=main,universe", suite, str(root), uri,
            "/usr/share/debootstrap/scripts/gutsy"]


def make_debian(root, suite, environment):
    """As small as debootstrap makes it; by one process, where several want it."""
    with open(root.with_suffix(".turn"), "w", encoding="ascii") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if (root / "etc/debian_version").exists():
            return
        made = root.with_name(root.name + ".new")
        shutil.rmtree(made, ignore_errors=True)
        result = run(*debootstrap(suite, made, archive_of(suite)), env=environment, timeout=1800)
        if result.returncode:
            raise Skip(f"debootstrap failed: {(result.stdout + result.stderr).strip().splitlines()[-1:]}")
        shutil.rmtree(root, ignore_errors=True)
        made.rename(root)


def copy_debian(small, root):
    made = root.with_name(root.name + ".new")
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", small, made], check=True)
    shutil.rmtree(root, ignore_errors=True)
    made.rename(root)


def make_root(root, packages, suite=SUITE, base=BASE_PACKAGES):
    """The Debian in root, with these packages ("a | b": one of them) beside the base ones; only what is missing is done.
    It is a copy of the small one beside it, which has the suite's name, or that one itself."""
    environment = network_environment()
    packages = [*base, *packages]
    small = root.with_name(suite)
    root.parent.mkdir(parents=True, exist_ok=True)
    if not (root / "etc/debian_version").exists():
        make_debian(small, suite, environment)
    if not (root / "etc/debian_version").exists():
        copy_debian(small, root)
    status = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f=${Package} ${db:Status-Status}\\n").stdout
    installed = {line.split()[0] for line in status.splitlines() if line.endswith(" installed")}
    missing = [p for p in packages if not installed & set(p.split(" | "))]
    if missing:
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        inside = {**environment, **ENVIRONMENT}
        inside.pop("TMPDIR", None)  # a folder out here
        # "satisfy" would take pkgconf for pkg-config, and what asks dpkg for a name would not find it.
        either = [p for p in missing if " | " in p]
        plain = [p for p in missing if p not in either]
        apt_get = ["chroot", str(root), "apt-get", "-q", "-o", "DPkg::Options::=--force-unsafe-io"]
        commands = [["update"], ["install", "-y", "--no-install-recommends", *plain]]
        if either:
            commands.append(["satisfy", "-y", "--no-install-recommends", ", ".join(either)])
        for command in commands:
            result = run(*apt_get, *command, env=inside, timeout=1800)
            if result.returncode:
                raise Skip(f"packages for the container cannot be had: {result.stderr.strip().splitlines()[-1:]}")


def check_tools():
    if os.geteuid() != 0:
        raise Skip("it takes root to enter another Debian")
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise Skip(f"not installed: {' '.join(missing)}")


def groups_of(name):
    """Folders of a control group of this name, below that of this process: of systemd's own hierarchies, whichever are."""
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        for mounted in {"": ["", "unified"], "name=systemd": ["systemd"]}.get(controllers, []):
            group = Path("/sys/fs/cgroup", mounted, path.lstrip("/"))
            if (group / "cgroup.procs").exists():
                yield group / name


def own_group(name):
    """In a child that becomes systemd-nspawn: two of them in one control group would take each other's processes for
    their own."""
    for group in groups_of(name):
        with contextlib.suppress(OSError):  # it stays where it is
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text("0", encoding="ascii")


def tracked_files():
    """A tar archive of what git tracks, as it is now; without git, of all but build folders."""
    archive = tempfile.NamedTemporaryFile(prefix="sonoran-pushd-", suffix=".tar")
    listed = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], capture_output=True, check=False)
    what = ["--null", "-T", "-"] if listed.returncode == 0 else ["--exclude=./build*", "."]
    subprocess.run(["tar", "-C", str(TOP), "-cf", archive.name, *what], input=listed.stdout, check=True)
    return archive


def forget(name):
    """What systemd-nspawn leaves behind."""
    left = Path("/run/systemd/nspawn/propagate", name)
    if left.is_dir():
        left.rmdir()
    for group in groups_of(name):
        for folder in sorted([group, *group.glob("**/")], reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def unpack(archive, tree):
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(tree), "-xf", archive], check=True)


def make_package(tree, suite):
    """packaging/deb.sh of a tree, run on that Debian: on this machine, or in a folder that is kept for it."""
    command = ["sh", str(tree / "packaging/deb.sh")]
    name = f"sonoran-pushd-build-{os.getpid()}"
    environment = network_environment()
    if run("sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME").stdout.strip() != suite:
        root = TOP / "build/system" / f"{suite}-build"
        make_root(root, [], suite)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        settings = {**ENVIRONMENT, **{name: value for name, value in environment.items() if name.endswith("_proxy")}}
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2", "--resolv-conf=off",
                   f"--machine={name}", f"--bind={tree}",
                   *(f"--setenv={name}={value}" for name, value in settings.items()), "-D", str(root), *command]
    result = run(*command, env=environment, timeout=1800, preexec_fn=lambda: own_group(name))
    forget(name)
    if result.returncode:
        raise AssertionError(f"packaging/deb.sh failed:\n{result.stdout}{result.stderr}")
    return Path(result.stdout.split()[-1])


class Container:
    def __init__(self, root):
        self.root = root
        self.name = f"sonoran-pushd-test-{os.getpid()}"
        self.log = tempfile.NamedTemporaryFile("w+", prefix=self.name)
        self.leader = None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network",
             "--volatile=overlay", "--console=pipe", f"--machine={self.name}", "-D", str(self.root)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: own_group(self.name))
        try:
            wait_for(self.is_up, "the container is up")
        except AssertionError:
            self.stop()
            self.log.seek(0)
            raise Skip("no container boots here: " + self.log.read().strip()[-300:]) from None
        return self

    def __exit__(self, *_):
        self.stop()

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("ended")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.leader = next((pid for pid in children if Path(f"/proc/{pid}/comm").read_text() == "systemd\n"), None)
        return self.leader and self.try_sh("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def stop(self):
        """As a machine is shut down; what does not end is killed."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(how)
                try:
                    self.process.wait(30)
                except subprocess.TimeoutExpired:
                    continue
        forget(self.name)

    def command(self, script):
        namespaces = ["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        return ["nsenter", "-t", self.leader, *namespaces, "--", "/usr/bin/env", "-i", *variables, "/bin/sh", "-c", script]

    def try_sh(self, script, text=None):
        return subprocess.run(self.command(script), capture_output=True, text=True, input=text or "", timeout=COMMAND_S)

    def sh(self, script, text=None):
        """What it wrote to stdout; it has to succeed."""
        result = self.try_sh(script, text)
        if result.returncode:
            said = (result.stdout + result.stderr).strip()[-800:]
            raise AssertionError(f"{script}: status {result.returncode}: {said}")
        return result.stdout

    def start(self, script):
        return subprocess.Popen(self.command(script), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.STDOUT)

    def put(self, path, content):
        """content: text, or a file of this machine."""
        with (open(content, "rb") if isinstance(content, Path) else tempfile.TemporaryFile()) as file:
            if isinstance(content, str):
                file.write(content.encode())
                file.seek(0)
            command = self.command(f'mkdir -p "$(dirname {path})" && cat > {path}')
            subprocess.run(command, stdin=file, check=True, timeout=COMMAND_S)
