"""actions.py - how fast actions deliver, and whether dead ones delay an answer. Started by `run`, behind bench.py.

10,000 events are put into the log without an action. Then each action type delivers them all (sonoran-pushctl replay):
forward and discord to bare libmicrohttpd over one kept-alive connection, exec to /bin/true. Last: what actions cost of an event
whose conditions leave out every one, while events come.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meters import KEY, BenchError, choose_cpus, cpu_ns, ended_children_seconds, free_port, rss_kib, wrk

EVENTS = 10_000
PATIENCE_S = 300
LOAD_S = 4
ROUNDS = 3


class Daemon:
    def __init__(self, build, folder, cpu, actions):
        self.build, self.folder, self.port = build, folder, free_port()
        self.config = folder / "bench.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(
            f'listeners: [ {{ address: "127.0.0.1:{self.port}" }} ]\n'
            f'communities: [ {{ api_key: "{KEY}" }} ]\n'
            f'limits: {{ connections_per_ip: 1024 }}\n'
            f'log: {{ level: "warning" }}\nstore: {{ path: "bench.db" }}\nactions: [ {actions} ]\n'
        )
        command = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(cpu), build / "sonoran-pushd", "-c", self.config]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.process.stderr.readline()  # "ready"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ctl(self, *words):
        command = [self.build / "sonoran-pushctl", "-c", self.config, *words]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"sonoran-pushctl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def actions(self):
        return json.loads(self.ctl("actions", "--json"))["actions"]

    def action(self):
        return self.actions()[0]

    def wait_settled(self):
        end = time.monotonic() + PATIENCE_S
        while any(action["lag"] for action in self.actions()):
            if time.monotonic() > end:
                raise BenchError(f"{self.actions()} after {PATIENCE_S} s")
            time.sleep(0.02)


def fill(build, folder, cpu):
    with Daemon(build, folder, cpu, "") as daemon:
        daemon.ctl("send", "EVENT_911", "--real", "--times", str(EVENTS))


def deliver(build, folder, cpu, action):
    """Events a second, CPU microseconds of the daemon and of its programs for each, and RSS."""
    with Daemon(build, folder, cpu, action) as daemon:
        pid = daemon.process.pid
        cpu_before, began = cpu_ns(pid), time.monotonic()
        daemon.ctl("replay", "a", "--from", "1")
        while (now := daemon.action())["delivered"] + now["failed"] < EVENTS:
            if time.monotonic() > began + PATIENCE_S:
                raise BenchError(f"{now} after {PATIENCE_S} s")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        used = (cpu_ns(pid) - cpu_before) / 1e3 / EVENTS
        if now["failed"]:
            raise BenchError(f"{now['failed']} failed: {now.get('last_error')}")
        return EVENTS / seconds, used, ended_children_seconds(pid) * 1e6 / EVENTS, rss_kib(pid)


def answer_times(build, cpu, wrk_cpu, actions):
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Daemon(build, Path(folder), cpu, actions) as daemon:
        wrk(daemon.port, 1, 64, wrk_cpu)
        return wrk(daemon.port, 5, 64, wrk_cpu)


def dead_actions():
    """Refused, in vain, and hanging: eight of them."""
    with_nobody = ", ".join(
        f'{{ name: "f{i}", type: "forward", url: "http://127.0.0.1:1/" }}, '
        f'{{ name: "d{i}", type: "discord", url: "http://127.0.0.1:1/api/webhooks/{i}/x" }}'
        for i in range(3)
    )
    return with_nobody + ', { name: "e1", type: "exec", command: [ "/bin/sleep", "1000" ] }, ' \
                         '{ name: "e2", type: "exec", command: [ "/bin/sleep", "1000" ], timeout: "1h" }'


def looking_actions(n):
    """Each reads every event, parses it and looks what is known of it, and delivers none."""
    return ", ".join(
        f'{{ name: "l{i}", type: "forward", url: "http://127.0.0.1:1/", when: [ "caller = nobody", "dispatchers = {i}" ] }}'
        for i in range(n)
    )


def event_cost(build, cpu, wrk_cpu, actions):
    """CPU microseconds of the daemon for each event, until every action has looked at it; and RSS."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Daemon(build, Path(folder), cpu, actions) as daemon:
        pid = daemon.process.pid
        wrk(daemon.port, 1, 64, wrk_cpu)
        daemon.wait_settled()
        before = cpu_ns(pid)
        load = wrk(daemon.port, LOAD_S, 64, wrk_cpu)
        daemon.wait_settled()
        return (cpu_ns(pid) - before) / 1e3 / load["requests"], load["requests"] / load["seconds"], rss_kib(pid)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=lambda name: Path(name).resolve(), required=True)
    build = parser.parse_args().build
    cpu, target_cpu = choose_cpus()
    port = free_port()
    target = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(target_cpu),
                               build / "bench_bare_mhd", str(port)])
    cases = [
        ("forward, original", f'{{ name: "a", type: "forward", url: "http://127.0.0.1:{port}/" }}'),
        ("forward, record", f'{{ name: "a", type: "forward", url: "http://127.0.0.1:{port}/", body: "record" }}'),
        ("forward, template", f'{{ name: "a", type: "forward", url: "http://127.0.0.1:{port}/", body: "template", '
                              r"template: '{\"text\": \"{summary}\"}' }"),
        ("discord", f'{{ name: "a", type: "discord", url: "http://127.0.0.1:{port}/api/webhooks/1/x" }}'),
        ("exec /bin/true", '{ name: "a", type: "exec", command: [ "/bin/true" ] }'),
    ]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            fill(build, Path(folder), cpu)
            print(f"\n{EVENTS} events delivered      events/s  CPU us  programs' CPU us  RSS MiB")
            for name, action in cases:
                rate, used, programs, rss = deliver(build, Path(folder), cpu, action)
                print(f"{name:28}  {rate:8,.0f}  {used:6.1f}  {programs:16.1f}  {rss / 1024:7.1f}", flush=True)
        print("\nanswers under load      requests/s   p50 us   p99 us")
        for name, actions in [("no action", ""), ("8 dead ones", dead_actions())] * 2:
            load = answer_times(build, cpu, target_cpu, actions)
            print(f"{name:20}  {load['requests'] / load['seconds']:12,.0f}  {load['p50_us']:7}  {load['p99_us']:7}", flush=True)
        print("\nlooked at as they come  events/s  CPU us  RSS MiB")
        for n in (0, 1, 10):
            rounds = [event_cost(build, cpu, target_cpu, looking_actions(n)) for _ in range(ROUNDS)]
            used, rate, rss = (statistics.median(column) for column in zip(*rounds))
            print(f"{n:3} action{'s' if n != 1 else ' '}            {rate:8,.0f}  {used:6.1f}  {rss / 1024:7.1f}", flush=True)
    finally:
        target.terminate()
        target.wait()


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"tests/bench/run: {error}")
