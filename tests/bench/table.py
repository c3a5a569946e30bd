"""table.py - one line for each server, ratios first."""
import statistics
from dataclasses import dataclass

from servers import CASES

DISTURBED = 0.15  # of a CPU, used by others; up to 0.1 is the kernel's own, between two tasks

@dataclass(frozen=True)
class Result:
    rate: float
    cpu_us: float
    p50_us: int
    p99_us: int
    rss_kib: int
    not_ok: int
    socket_errors: int
    server_busy: float
    programs_busy: float  # that it started
    wrk_busy: float
    others_busy: float


class Summary:
    """The rounds of one case: medians of the undisturbed ones (of all, where none was), sums of what should be zero."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.calm = [result for result in rounds if result.others_busy <= DISTURBED]
        self.used = self.calm or rounds

    def median(self, field):
        return statistics.median(getattr(result, field) for result in self.used)

    def total(self, field):
        return sum(getattr(result, field) for result in self.rounds)

    def spread(self, field):
        values = [getattr(result, field) for result in self.used]
        return (max(values) - min(values)) / statistics.median(values)


def ours_to(field):
    """How many times its figure ours is, with the same work to do: that of the case that it is set against."""
    against = {case.name: case.against for case in CASES}

    def text(name, summaries):
        ours = summaries.get(against[name])
        return f"{ours.median(field) / summaries[name].median(field):.2f}" if ours and ours is not summaries[name] else "-"
    return text


def ratio(field, to):
    def text(name, summaries):
        base = summaries.get(to)
        return f"{summaries[name].median(field) / base.median(field):.2f}" if base else "-"
    return text


def of(text):
    return lambda name, summaries: text(summaries[name])


# Heading, and the text of a cell from the name of a case and everyone's summary.
COLUMNS = [
    ("ours x rate", ours_to("rate")),
    ("ours x CPU", ours_to("cpu_us")),
    ("rate/bare", ratio("rate", "bare")),
    ("rate/node", ratio("rate", "node")),
    ("requests/s", of(lambda s: f"{s.median('rate'):,.0f}")),
    ("spread", of(lambda s: f"{s.spread('rate'):.0%}")),
    ("CPU us", of(lambda s: f"{s.median('cpu_us'):.2f}")),
    ("p50 ms", of(lambda s: f"{s.median('p50_us') / 1e3:.2f}")),
    ("p99 ms", of(lambda s: f"{s.median('p99_us') / 1e3:.2f}")),
    ("RSS MiB", of(lambda s: f"{s.median('rss_kib') / 1024:.1f}")),
    ("non-200", of(lambda s: f"{s.total('not_ok')}")),
    ("sock err", of(lambda s: f"{s.total('socket_errors')}")),
    ("server", of(lambda s: f"{s.median('server_busy'):.0%}")),
    ("programs", of(lambda s: f"{s.median('programs_busy'):.0%}")),
    ("wrk", of(lambda s: f"{s.median('wrk_busy'):.0%}")),
    ("others", of(lambda s: f"{s.median('others_busy'):.0%}")),
    ("calm", of(lambda s: f"{len(s.calm)}/{len(s.rounds)}")),
]


def print_table(cases, summaries):
    lines = [["", *(heading for heading, _ in COLUMNS)]]
    for case in cases:
        lines.append([case.what, *(cell(case.name, summaries) for _, cell in COLUMNS)])
    print_columns(lines)


def print_columns(lines):
    """Lists of texts: the first of each to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    for first, *rest in lines:
        print("  ".join([first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(rest, widths[1:]))]))
