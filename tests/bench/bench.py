"""bench.py - measures HTTP servers side by side and prints one table. Started by `run`, which builds them.

The servers are the rows of CASES (servers.py); the columns are the rows of COLUMNS (table.py). A round measures each case
once, for `--seconds`; the table shows the median of the rounds. The server has one CPU, wrk another.
"""
import argparse
import signal
import sys
from pathlib import Path

from meters import BODY, BenchError, Meter, choose_cpus, disk_us, machine, positive, rss_kib, wrk
from servers import CASES, Server
from table import DISTURBED, Result, Summary, print_table

WARM_UP_SECONDS = 1
TRIES = 3  # to measure undisturbed


def measure(case, options, server_cpu, wrk_cpu):
    connections = case.connections or options.connections
    with Server(case, options.build, server_cpu) as server:
        wrk(server.port, WARM_UP_SECONDS, connections, wrk_cpu)
        with Meter(server.pid, {server_cpu, wrk_cpu}) as used:
            load = wrk(server.port, options.seconds, connections, wrk_cpu)
        rss = rss_kib(server.pid)
    requests, seconds = load["requests"], load["seconds"]
    if requests == 0:
        raise BenchError(f"{case.name}: not one answer in {options.seconds} s")
    return Result(rate=requests / seconds, cpu_us=used.server * 1e6 / requests, p50_us=load["p50_us"],
                  p99_us=load["p99_us"], rss_kib=rss, not_ok=load["not_ok"], socket_errors=load["socket_errors"],
                  server_busy=used.server / seconds, programs_busy=used.programs / seconds,
                  wrk_busy=used.wrk / seconds, others_busy=used.others / seconds)


def measure_calmly(case, options, server_cpu, wrk_cpu):
    """The first undisturbed result, or the least disturbed of all tries."""
    results = []
    for _ in range(TRIES):
        results.append(measure(case, options, server_cpu, wrk_cpu))
        if results[-1].others_busy <= DISTURBED:
            break
    return min(results, key=lambda result: result.others_busy)


# -- the command -----------------------------------------------------------------------------------------------------

def parse_options():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures the daemon beside other servers.")
    parser.add_argument("--seconds", type=positive, default=8, help="of load for each server and round (default 8)")
    parser.add_argument("--rounds", type=positive, default=3, help="interleaved; medians are shown (default 3)")
    parser.add_argument("--connections", type=positive, default=64, help="kept alive by wrk (default 64)")
    parser.add_argument("--only", metavar="NAME", action="append", choices=[case.name for case in CASES],
                        help="only this server, may be repeated: " + ", ".join(case.name for case in CASES))
    parser.add_argument("--build", type=lambda name: Path(name).resolve(), required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def present(case, build):
    why = case.missing(build)
    if why:
        print(f"left out: {case.what}: {why}", file=sys.stderr)
    return not why


def run(options):
    server_cpu, wrk_cpu = choose_cpus()
    wanted = [case for case in CASES if not options.only or case.name in options.only]
    cases = [case for case in wanted if present(case, options.build)]
    results = {case.name: [] for case in cases}
    for number in range(1, options.rounds + 1):
        for case in cases:
            result = measure_calmly(case, options, server_cpu, wrk_cpu)
            results[case.name].append(result)
            print(f"round {number}/{options.rounds}  {case.what}: {result.rate:,.0f}/s at "
                  f"{result.cpu_us:.2f} us CPU, others {result.others_busy:.0%}", file=sys.stderr, flush=True)

    print()
    summaries = {name: Summary(rounds) for name, rounds in results.items()}
    print_table(cases, summaries)
    print(f"\nPOST of {BODY.stat().st_size} bytes, {options.connections} connections, {options.rounds} x "
          f"{options.seconds} s (medians), server on CPU {server_cpu}, wrk on CPU {wrk_cpu}")
    print(f"{machine()}: tests/bench/run {' '.join(sys.argv[3:])}")
    print(f"append and fdatasync of {BODY.stat().st_size} bytes here: {disk_us():.0f} us (median of 2000)")
    if not all(summary.calm for summary in summaries.values()):
        print("\nother processes used these CPUs all the time: rows with calm 0 say little", file=sys.stderr)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped on the way out
    try:
        run(parse_options())
    except BenchError as error:
        sys.exit(f"tests/bench/run: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
