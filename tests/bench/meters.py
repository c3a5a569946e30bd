"""meters.py - what a process used, what wrk saw of a server, and what machine that was on."""
import argparse
import json
import os
import platform
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
BODY = HERE / "event-911.json"
KEY = json.loads(BODY.read_text())["key"]
PATH = "/sonorancad/event"


class BenchError(Exception):
    pass


# -- what a process used ---------------------------------------------------------------------------------------------

def cpu_ns(pid):
    """User and system time of all threads of a process, ended ones too: its POSIX CPU-time clock, in nanoseconds.
    The number is what clock_getcpuclockid(3) gives for pid; Python has no call for it."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise BenchError(f"process {pid} has no VmRSS: it has ended")


def ended_children_seconds(pid):
    """CPU time of the programs that it started and that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def wake_ups(pid):
    """So far, of each thread, with its name."""
    counts = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = dict(line.split(":\t") for line in (task / "status").read_text().splitlines())
        counts[task.name, lines["Name"]] = int(lines["voluntary_ctxt_switches"])
    return counts


def idle_seconds(cpus):
    """Of these CPUs together, waiting for I/O included."""
    names = {f"cpu{cpu}" for cpu in cpus}
    fields = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    return sum(int(field[4]) + int(field[5]) for field in fields if field[0] in names) / os.sysconf("SC_CLK_TCK")


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# -- one measurement -------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def choose_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise BenchError("needs two CPUs: one for the server, one for wrk")
    return cpus[1], cpus[0]


def wrk(port, seconds, connections, cpu, pause_ms=None, body=BODY):
    """What load.lua prints."""
    command = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(cpu),
               "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
               "-s", HERE / "load.lua", f"http://127.0.0.1:{port}{PATH}", "--", body,
               *([str(pause_ms)] if pause_ms else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise BenchError(f"wrk ended with {done.returncode} and no result\n{done.stdout}{done.stderr}")


class Meter:
    """What a stretch of load used of the two CPUs, in seconds: the server, its programs, wrk, and everybody else."""

    def __init__(self, server_pid, cpus):
        self.server_pid, self.cpus = server_pid, cpus

    def read(self):
        return (cpu_ns(self.server_pid) / 1e9, ended_children_seconds(self.server_pid), children_cpu_seconds(),
                idle_seconds(self.cpus), time.monotonic())

    def __enter__(self):
        self.before = self.read()
        return self

    def __exit__(self, *_):
        self.server, self.programs, self.wrk, idle, elapsed = (now - then for now, then in zip(self.read(), self.before))
        self.others = max(0, elapsed * len(self.cpus) - idle - self.server - self.programs - self.wrk)


# -- the machine ----------------------------------------------------------------------------------------------------

def disk_us(n=2000):
    """What the file system itself takes to append the body and sync it: the median in microseconds."""
    times = []
    with tempfile.NamedTemporaryFile(prefix="bench-") as file:
        body = BODY.read_bytes()
        for _ in range(n):
            began = time.perf_counter()
            os.write(file.fileno(), body)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def machine(folder=tempfile.gettempdir()):
    """What figures depend on, as one line, with the day."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    kind = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", folder], capture_output=True, text=True).stdout.split()
    return (f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"{kind[-1] if kind else 'unknown file system'} below {folder}; {date.today()}")


# -- options ---------------------------------------------------------------------------------------------------------

def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected a number from 1")
    return value
