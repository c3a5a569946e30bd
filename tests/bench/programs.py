"""programs.py - how many programs a second servers start for the events they get, and how long behind an answer. Started
by `run`, behind bench.py.

Debian's webhook starts a program for each request, beside all others, before it has answered. The exec action starts it
when the event is on the disk, one behind the other or `parallel` of them. The program (started.c) writes down when it
began. Server and programs have one CPU, the sender another.
"""
import argparse
import http.client
import json
import statistics
import sys
import threading
import time
from pathlib import Path

from meters import BODY, PATH, BenchError, choose_cpus
from servers import Case, Server, daemon, missing, webhook
from table import print_columns

BURST, SENDERS = 3000, 8
EACH_S, CALM = 50, 500
FIRST_ID = 1000
PATIENCE_S = 120


def program(place):
    return place.build / "bench_started"


def arguments(place):
    return [{"source": "string", "name": str(place.folder / "started")}, {"source": "payload", "name": "data.call.callId"}]


def action(parallel):
    def settings(place):
        command = json.dumps([str(program(place)), str(place.folder / "started"), "{/call/callId}"])
        return ('log: { level: "warning" }\n'
                f'actions: [ {{ name: "a", type: "exec", parallel: {parallel}, command: {command} }} ]')
    return daemon(settings)


CASES = [
    Case("webhook", "webhook", webhook(program, arguments), missing=missing("webhook")),
    Case("one", "sonoran-pushd", action(1)),
    Case("four", "sonoran-pushd, parallel: 4", action(4)),
]


def started(server):
    """When the program for an event began, by its call's id. The event that the server was asked first has another."""
    file = server.folder / "started"
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return {int(number): int(ns) for number, ns in map(str.split, lines) if int(number) < FIRST_ID + BURST + CALM}


def wait_started(server, n):
    end = time.monotonic() + PATIENCE_S
    while len(times := started(server)) < n:
        if time.monotonic() > end:
            raise BenchError(f"{server.case.name}: {len(times)} of {n} programs began within {PATIENCE_S} s\n{server.said()}")
        time.sleep(0.05)
    return times


def post(server, ids, each_s=None):
    """When the answer to each was there, and how long it took."""
    event = json.loads(BODY.read_text())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.connect()
    answered, took, began = {}, [], time.monotonic()
    for i, number in enumerate(ids):
        if each_s:
            time.sleep(max(0, began + i / each_s - time.monotonic()))
        event["data"]["call"]["callId"] = number
        sent = time.monotonic_ns()
        connection.request("POST", PATH, json.dumps(event), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if (answer.status, answer.read()) != (200, b"ok"):
            raise BenchError(f"{server.case.name}: answered {answer.status}")
        answered[number] = time.monotonic_ns()
        took.append((answered[number] - sent) / 1e6)
    connection.close()
    return answered, took


def burst(server):
    """Programs a second, from the first to the last of them."""
    ids = range(FIRST_ID, FIRST_ID + BURST)
    senders = [threading.Thread(target=post, args=(server, ids[i::SENDERS])) for i in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    times = wait_started(server, BURST).values()
    return (BURST - 1) * 1e9 / (max(times) - min(times))


def calm(server):
    """How long behind its answer each program began, and how long the answer took, in ms."""
    ids = range(FIRST_ID + BURST, FIRST_ID + BURST + CALM)
    answered, took = post(server, ids, EACH_S)
    times = wait_started(server, BURST + CALM)
    return [(times[number] - answered[number]) / 1e6 for number in ids], took


def p99(values):
    return sorted(values)[len(values) * 99 // 100]


def measure(case, build, cpu):
    with Server(case, build, cpu) as server:
        rate = burst(server)
        behind, took = calm(server)
    return {"rate": rate, "p50": statistics.median(behind), "p99": p99(behind), "answer": statistics.median(took)}


def row(case, rounds, webhook_rate):
    middle = {name: statistics.median(result[name] for result in rounds) for name in rounds[0]}
    ratio = f"{middle['rate'] / webhook_rate:.2f}" if webhook_rate else "-"
    return [case.what, ratio, f"{middle['rate']:,.0f}", f"{middle['p50']:.2f}", f"{middle['p99']:.2f}", f"{middle['answer']:.2f}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=lambda name: Path(name).resolve(), required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cpu, _ = choose_cpus()
    cases = [case for case in CASES if not case.missing(options.build)]
    rounds = {case.name: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            rounds[case.name].append(measure(case, options.build, cpu))
    base = statistics.median(result["rate"] for result in rounds["webhook"]) if "webhook" in rounds else None
    print(f"\nprograms started: {BURST} events at once, then {EACH_S} a second; ms of the latter")
    print_columns([["", "rate/webhook", "programs/s", "p50 behind answer", "p99 behind answer", "p50 of answer"],
                   *(row(case, rounds[case.name], base) for case in cases)])


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"tests/bench/run: {error}")
