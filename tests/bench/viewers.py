"""viewers.py - those who watch the event stream: bench_viewers (viewers.c), and what it has seen."""
import json
import subprocess
import sys


class Viewers:
    """So many streams, from being open to the end of the with block."""

    def __init__(self, build, place, number):
        command = ["setpriv", "--pdeathsig", "KILL", build / "bench_viewers", str(place), str(number)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("bench_viewers failed")

    def since_last(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
