"""The image of packaging/container, and containers of it: what image and its steps stand on."""

import contextlib
import functools
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import container
import yaml
from container import SUITES, TOP, make_root, network_environment, run, tracked_files, unpack, wait_for

FOLDER = TOP / "packaging/container"
SUITE = next((word for word in sys.argv[1:] if word in SUITES), container.SUITE)
WORK = TOP / f"build/system/image-{SUITE}"
EGG = json.loads((FOLDER / "pterodactyl-egg.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]["sonoran-pushd"]
KEY = "Image-Test-Key-0000"
STATE = "/var/lib/sonoran-pushd"


# The image.


def buildah(*arguments, **options):
    command = ["buildah", "--storage-driver", "vfs", "--root", str(WORK / "storage"), "--runroot", str(WORK / "run"), *arguments]
    result = run(*command, timeout=1200, **options)
    if result.returncode:
        raise AssertionError(f"{shlex.join(arguments)}: {(result.stdout + result.stderr)[-3000:]}")
    return result.stdout.strip()


def make_base(name):
    """A Debian, as the image that the Containerfile begins with, with somebody of number 1000, as Ubuntu's has."""
    root = TOP / "build/system" / SUITE
    make_root(root, [], SUITE, base=[])
    made = buildah("from", "scratch")
    buildah("add", "--quiet", made, str(root), "/")
    buildah("run", "--isolation", "chroot", made, "useradd", "-m", "-u", "1000", "ubuntu")
    buildah("commit", "--quiet", "--rm", made, name)


def typed():
    """The lines that the README has one type in this matter."""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    return [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()
            if line.startswith("docker ")]


def make_image():
    """By the README's command; the tree is what git tracks."""
    [line] = [line for line in typed() if line.startswith("docker build ")]
    arguments = shlex.split(line)[2:]
    environment = network_environment()
    with tracked_files() as archive:
        unpack(archive.name, WORK / "tree")
    buildah("build", "--isolation", "chroot", "--pull=never", "--format", "docker", "--build-arg", "BASE=localhost/base",
            *arguments, cwd=WORK / "tree", env=environment)
    return arguments[arguments.index("-t") + 1]


def mib(root):
    """Without what apt has fetched."""
    return int(run("du", "-sm", "--exclude=./var/cache/apt", "--exclude=./var/lib/apt", ".", cwd=root).stdout.split()[0])


class Image:
    """What is in it, and what it says of itself."""

    def __init__(self, name):
        self.name = name
        self.container = buildah("from", "--pull=never", name)
        self.root = Path(buildah("mount", self.container))
        self.says = json.loads(buildah("inspect", "--type", "image", name))["Docker"]["config"]


@functools.cache
def later(image):
    """Another one, made from it."""
    made = buildah("from", "--pull=never", image.name)
    buildah("config", "--label", "later=1", made)
    buildah("commit", "--quiet", "--format", "docker", "--rm", made, "later")
    return Image("later")


# A container.


SETUP = """set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"; cd "$ROOT"
mount -t proc proc proc; mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
for pair in $VOLUMES; do mount --bind "${pair%%:*}" ".${pair#*:}"; done
[ -z "$TEMPORARY" ] || mount -t tmpfs tmp tmp
mount -o remount,bind,ro "$ROOT"
ip link set lo up
cd "$ROOT"
exec chroot . setpriv --reuid "$RUN_AS" --regid 0 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  env -i "$@"
"""


class Container:
    """Read-only but for its volumes, a network and processes of its own, no privileges. volumes: folders by place."""

    def __init__(self, image, volumes, user=None, variables=(), arguments=(), terminal=False, temporary=False):
        self.image, self.output = image, tempfile.TemporaryFile()
        says = image.says
        environment = [*says["Env"], *(f"{name}={value}" for name, value in dict(variables).items())]
        settings = {"ROOT": str(image.root), "VOLUMES": " ".join(f"{folder}:{place}" for place, folder in volumes.items()),
                    "RUN_AS": str(user or says["User"].partition(":")[0]), "TEMPORARY": "1" if temporary else ""}
        ours, out = pty.openpty() if terminal else (None, self.output)
        self.unshare = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts", "sh", "-c", SETUP, "sh",
             *environment, *says["Entrypoint"], *(says["Cmd"] or []), *arguments],
            env={"PATH": os.environ["PATH"], **settings}, stdin=out if terminal else subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True)
        self.environment, self.user, self.terminal = environment, settings["RUN_AS"], ours
        self.text = b""
        if terminal:
            os.close(out)
            os.set_blocking(ours, False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.unshare.poll() is None:
            # Not unshare alone: its --kill-child is forgotten where another user is taken.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid or self.unshare.pid, signal.SIGKILL)
            self.unshare.wait(60)

    @property
    def pid(self):
        children = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def said(self):
        if self.terminal is None:
            self.output.seek(0)
            return self.output.read().decode()
        try:
            while piece := os.read(self.terminal, 1 << 16):
                self.text += piece
        except OSError:  # nothing more for now
            pass
        return self.text.decode()

    def wait_said(self, words):
        def there():
            said = self.said()
            assert words in said or self.unshare.poll() is None, f"ended: {said}"
            return words in said

        wait_for(there, f"{words!r} is said")
        return self

    def inside(self, command, text=""):
        """As docker exec: in it, as its user, with its variables."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-r", "-w", "--", "setpriv", "--reuid", self.user,
             "--regid", "0", "--clear-groups", "env", "-i", *self.environment, "sh", "-c", command],
            input=text, capture_output=True, text=True, timeout=300)

    def health(self):
        kind, *command = self.image.says["Healthcheck"]["Test"]
        assert kind == "CMD-SHELL"
        return self.inside(" ".join(command)).returncode

    def post(self, call, port=30120):
        """By a program of this machine, in the container's network: the image has none for it."""
        data = {"callId": call, "isEmergency": True, "caller": "Zoë", "location": "118 Lantern St", "description": "Smoke"}
        body = json.dumps({"key": KEY, "type": "EVENT_911", "data": {"call": data}})
        answer = run("nsenter", "-t", str(self.pid), "-n", "curl", "-s", "-m", "60", "-w", " %{http_code}", "-d", body,
                     f"http://127.0.0.1:{port}/sonorancad/event").stdout
        assert answer == "ok 200", answer

    def stored(self):
        said = self.inside("sonoran-pushctl ${STARTUP:+-c /home/container/sonoran-pushd.yaml} events --type EVENT_911 --json")
        assert said.returncode == 0, said.stderr
        return [json.loads(line)["data"]["call"]["callId"] for line in said.stdout.splitlines()]

    def signal(self, name):
        """What the first process of it gets; the status that the container ends with."""
        run("kill", f"-{name}", str(self.pid))
        return self.unshare.wait(60)


class Volume:
    """A folder that outlives containers, as a fresh one is: with the owner and mode of the place in the image."""

    def __init__(self, image, place=STATE, owner=None):
        self.folder = tempfile.TemporaryDirectory(prefix="sonoran-pushd-volume-")
        like = (image.root / place.lstrip("/")).stat()
        os.chmod(self.folder.name, like.st_mode & 0o7777)
        os.chown(self.folder.name, owner or like.st_uid, 0 if not owner else owner)

    def __enter__(self):
        return self.folder.name

    def __exit__(self, *_):
        self.folder.cleanup()


BY_VARIABLE = {"SONORAN_SECRET_API_KEY": KEY}


# What a container of the panel is: pterodactyl/wings, environment/docker/container.go: any user, a read-only root, a
# terminal, /home/container and /tmp to write to.


def panel_container(image, home, port, places=None, **variables):
    given = {variable["env_variable"]: variable["default_value"] for variable in EGG["variables"]}
    panel = {"TZ": "Etc/UTC", "STARTUP": EGG["startup"], "SERVER_MEMORY": 512, "SERVER_IP": "0.0.0.0", "SERVER_PORT": port,
             "P_SERVER_UUID": "c0ffee00-0000-4000-8000-000000000000", "HOME": "/home/container", "USER": "container"}
    return Container(image, {"/home/container": home, **(places or {})}, user=988, terminal=True, temporary=True,
                     variables={**panel, **given, **variables})
