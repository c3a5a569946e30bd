"""The alerts and the dashboard, and a real Prometheus that scrapes the daemon. Without promtool or prometheus (the
Debian package; it need not be installed, PATH is enough) what needs them is skipped."""

import contextlib
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest
from harness import PATIENCE_S, REPOSITORY, call911, free_port, wait_for
from test_metrics import TEXT, scrape

ALERTS = REPOSITORY / "packaging/prometheus/alerts.yml"
ALERT_TESTS = REPOSITORY / "packaging/prometheus/alerts.test.yml"
DASHBOARD = REPOSITORY / "packaging/grafana/sonoran-pushd.json"
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*", "$community": ".*"}
SCRAPES = 10
SERIES = 270
ACTIONS = [{"name": "bot", "type": "forward", "url": "http://127.0.0.1:1/x"}]  # else there are no metrics of actions


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (package prometheus)")


def promtool(*args, text=None):
    result = subprocess.run(["promtool", *map(str, args)], input=text, capture_output=True, text=True,
                            timeout=PATIENCE_S)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def expressions_of_alerts():
    """Of each alert, one or more lines."""
    text = ALERTS.read_text(encoding="utf-8")
    return re.findall(r"expr: (?:\|\n)?(.*?)\n\s*(?:for|labels):", text, re.S)


def panels(panel):
    yield panel
    for inner in panel.get("panels", []):
        yield from panels(inner)


def expressions_of_dashboard():
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [target["expr"] for panel in panels(board) for target in panel.get("targets", [])]
    for name, word in VARIABLES.items():
        found = [expression.replace(name, word) for expression in found]
    return found


def names_in(expression):
    """Of metrics, as samples have them; not of labels, which stand in braces or behind by and on."""
    without_labels = re.sub(r"\{[^}]*\}|\b(by|on) \([^)]*\)", "", re.sub(r'"[^"]*"', "", expression))
    return set(re.findall(r"\b(?:sonoran_pushd|process)_[a-z0-9_]+\b", without_labels))


def labels_in(expression):
    """As samples have them, of those that are neither the configuration's nor Prometheus's own."""
    matchers = re.findall(r'(\w+)=~?"([^"]*)"', expression)
    return {f'{name}="{word}"' for name, words in matchers for word in words.split("|")
            if name not in ("job", "instance", "community")}


def away():
    """A session that finds nobody."""
    return {"name": "city", "community_id": "x", "url": f"http://127.0.0.1:{free_port()}/hub"}


def test_they_name_what_there_is(start):
    """Each metric of the alerts and of the dashboard, and the words of labels that are ours."""
    daemon = start(actions=ACTIONS, sessions=[away()])
    daemon.wait_line("session city: ")
    text = scrape(daemon)[1]
    there = {re.match(r"\w+", line).group(0) for line in text.splitlines() if not line.startswith("#")}
    alerts, dashboard = expressions_of_alerts(), expressions_of_dashboard()
    assert len(alerts) >= 10 and len(dashboard) >= 50
    for expression in [*alerts, *dashboard]:
        assert not names_in(expression) - there, expression
        assert names_in(expression) or "up{" in expression
        assert not {label for label in labels_in(expression) if label not in text}, expression


@needs("promtool")
def test_alerts():
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", ALERT_TESTS)


@needs("promtool")
def test_each_alert_is_tested():
    tests = ALERT_TESTS.read_text(encoding="utf-8")
    for name in re.findall(r"alert: (\w+)", ALERTS.read_text(encoding="utf-8")):
        assert f"alertname: {name} " in tests and f'alertname="{name}"' in tests, name


@needs("promtool")
def test_metrics_are_as_promtool_wants_them(start):
    """Also what it only advises. It knows the older format alone."""
    headers, text = scrape(start(actions=ACTIONS))
    assert headers["Content-Type"] == TEXT
    said = promtool("check", "metrics", text=text)
    assert said == "", said


# A real one


@contextlib.contextmanager
def prometheus(folder, target_port):
    """Gives a function: (path, query) of its API, answered."""
    port = free_port()
    (folder / "prometheus.yml").write_text(
        "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
        f"rule_files: [ {ALERTS} ]\n"
        f'scrape_configs: [ {{ job_name: sonoran-pushd, static_configs: [ {{ targets: [ "127.0.0.1:{target_port}" ] }} ] }} ]\n',
        encoding="utf-8")
    with open(folder / "prometheus.log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(path, **query):
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return json.load(answer)["data"]

    def answers():
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        with contextlib.suppress(OSError):
            return bool(ask("status/buildinfo"))
        return False

    try:
        wait_for(answers, "Prometheus")
        yield ask
    finally:
        process.kill()
        process.wait()


@needs("prometheus")
def test_prometheus_scrapes(start, tmp_path):
    port = free_port()
    daemon = start(admin={"address": f"127.0.0.1:{port}"}, actions=ACTIONS, sessions=[away()])
    assert daemon.post(call911()).status == 200
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with prometheus(folder, port) as ask:

        def value(query):
            found = ask("query", query=query)["result"]
            return float(found[0]["value"][1]) if found else None

        wait_for(lambda: (value("sum_over_time(up[5m])") or 0) >= SCRAPES, f"{SCRAPES} scrapes")
        assert value("scrape_samples_scraped") >= SERIES
        assert value('sonoran_pushd_events_total{type="EVENT_911",verdict="accepted"}') == 1
        assert value('sonoran_pushd_action_state{action="bot",sonoran_pushd_action_state="off"}') == 0
        (state,) = (each for each in expressions_of_dashboard() if "session_state" in each)
        assert value(state) < 2  # it is not open
        metadata = ask("targets/metadata", metric="sonoran_pushd_action_state", limit=1)
        assert metadata[0]["type"] == "stateset"  # OpenMetrics it is
        for expression in expressions_of_dashboard():
            ask("query", query=expression)
        (group,) = ask("rules")["groups"]
        assert len(group["rules"]) == len(expressions_of_alerts())
        wait_for(lambda: all(rule["health"] == "ok" for rule in ask("rules")["groups"][0]["rules"]),
                 "the health of all rules")
