"""What the CAD says in its own words may have a key in it, wherever these are cut: none of it is shown."""

import pytest
from ctl_tools import ctl
from harness import KEY, config, write_private

AROUND = [0, 1, 5, 9, len(KEY) - 1]  # so many letters of the key are before the cut
LONG, SHORT = 200, 60  # where sentences and words of a refusal are cut
WAYS = {
    "login": lambda words: {"login": {"result": {"success": False, "error": words}}},
    "completion": lambda words: {"login": {"error": words}},
    "handshake": lambda words: {"handshake": {"text": f'{{"error":"{words}"}}\x1e'}},
    "close": lambda words: {"login": {"end": {"error": words}}},
}


def ways():
    long = [way("x" * (LONG - n) + KEY.lower() + " y" * 100) for way in WAYS.values() for n in AROUND]
    statuses = [f"{status} " + "x" * (SHORT - n) + KEY for status in ("403", "302") for n in AROUND]
    full = ["403 xx" + KEY * 20]
    return long + [{"upgrade": {"status": s, "headers": {"Server": s[4:]}}} for s in statuses + full]


def assert_no_key(text, ways):
    for n in range(5, len(KEY)):
        assert KEY[:n].lower() not in text.lower(), ways


def test_lines(many):
    hub, daemon = many(len(ways()), ways())
    told = [daemon.wait_line(f"session s{i}: ") for i, _ in enumerate(ways(), 1)]
    for line, way in zip(told, ways()):
        assert_no_key(line, way)
    assert sum("[key]" in line or "…" in line for line in told) >= len(WAYS) * len(AROUND)


@pytest.mark.parametrize("i", range(0, len(ways()), 3))
def test_probe(cad, tmp_path, i):
    hub = cad(**ways()[i])
    file = tmp_path / "probe.yaml"
    write_private(file, config(sessions=[hub.session()]))
    done = ctl("-c", file, "probe", "--json")
    assert done.returncode == 1
    assert_no_key(done.stdout + done.stderr, ways()[i])


def test_probe_of_what_it_misses(cad, tmp_path):
    """The name of an event, and what the REST interface calls the community."""
    from_here = "x" * (SHORT - 5) + KEY
    hub = cad(rest={"/v2/general/info": {"body": f'{{"comId":"mycad","name":"{from_here}"}}'}, "/v2/general/servers": {"body": '{"servers":[]}'}})
    file = tmp_path / "probe.yaml"
    write_private(file, config(sessions=[hub.session()]))
    done = ctl("-c", file, "probe", "--json")
    assert "x" * 20 in done.stdout
    assert_no_key(done.stdout + done.stderr, from_here)
