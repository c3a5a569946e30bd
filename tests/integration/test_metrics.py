"""GET /metrics: both formats, to a strict reader's content; what is counted, and that it never goes back."""

import http.client
import re
import socket
from contextlib import closing

import pytest
from ctl_tools import ctl, store_of
from disk import NO_SPACE
from harness import KEY, PATIENCE_S, REPOSITORY, WRONG_KEY, call911, config, event, refusing_port, wait_for

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
PROMETHEUS_2_42 = ("application/openmetrics-text; version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                   "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
SAMPLE = re.compile(r'([a-z_0-9]+)(?:\{([^}]*)\})? (\S+)')


class OnSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


def scrape(daemon, accept=None, method="GET"):
    """(headers, text)"""
    with closing(OnSocket(f"{store_of(daemon)}.control")) as connection:
        connection.request(method, "/metrics", headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers, answer.read().decode()


def samples(text):
    """{'name{labels}': number}, of either format."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def counted(daemon):
    return samples(scrape(daemon)[1])


def with_prefix(name):
    return name if name.startswith("process_") else f"sonoran_pushd_{name}"


def value(daemon, name):
    return counted(daemon)[with_prefix(name)]


def counters(all_samples):
    return {name: n for name, n in all_samples.items() if re.match(r"[a-z_0-9]+_(total|bucket|count|sum)(\{|$)", name)}


# The formats


@pytest.mark.parametrize("accept, type_", [(None, TEXT), ("*/*", TEXT), ("text/plain", TEXT),
                                           ("application/openmetrics-text", OPENMETRICS),
                                           (PROMETHEUS_2_42, OPENMETRICS)])
def test_content_type(daemon, accept, type_):
    headers, text = scrape(daemon, accept)
    assert (headers["Content-Type"], headers["Cache-Control"]) == (type_, "no-store")
    assert text.endswith("# EOF\n") == (type_ == OPENMETRICS)
    assert scrape(daemon, accept, "HEAD")[0]["Content-Type"] == type_


def test_strict_readers(daemon):
    """Of Prometheus' own library for Python."""
    pytest.importorskip("prometheus_client", reason="python3-prometheus-client is not installed")
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as of_openmetrics
    from prometheus_client.parser import text_string_to_metric_families as of_text

    assert daemon.post(call911()).status == 200
    openmetrics = {family.name: family for family in of_openmetrics(scrape(daemon, OPENMETRICS)[1])}
    text = {family.name: family for family in of_text(scrape(daemon)[1])}
    for name, family in openmetrics.items():
        assert family.documentation.endswith("."), name
        older = text.get(name) or text[f"{name}_info"]
        assert older.documentation == family.documentation
        assert {(sample.name, *sorted(sample.labels.items())) for sample in older.samples} == {
            (sample.name, *sorted(sample.labels.items())) for sample in family.samples}, name
        assert older.type == {"stateset": "gauge", "info": "gauge"}.get(family.type, family.type), name
    assert len(text) == len(openmetrics)


MANUAL = REPOSITORY / "packaging/man/sonoran-pushd.8"


def test_manual(start, redis):
    """It lists them all, with their labels, and no other."""
    nowhere = "http://127.0.0.1:1/x"
    daemon = start(actions=[{"name": "bot", "type": "forward", "url": nowhere}],
                   sessions=[{"name": "city", "community_id": "x", "url": nowhere}],
                   streams=[{"name": "edges", "url": redis().url, "keys": ["cad:events:edge1"]}])
    text = wait_for(lambda: "stream_gaps" in (one := scrape(daemon)[1]) and one, "the stream")
    there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    section = MANUAL.read_text(encoding="utf-8").split(".Sh METRICS\n")[1].split("\n.Sh ")[0]
    told = dict(re.findall(r"^\.It Va (\w+)(?: Pq (.*))?$", section, re.M))
    assert set(told) == there
    for name, labels in told.items():
        samples_ = re.findall(rf"^{name}(?:_bucket)?(?:\{{(.*)\}})? ", text, re.M)
        found = {label for sample in samples_ for label in re.findall(r'(\w+)="', sample)} - {"le"}
        assert found == set(labels.replace(",", "").split()), name


# What is counted


def test_requests(daemon):
    assert daemon.post(call911()).status == 200
    assert daemon.post(event(key=WRONG_KEY)).status == 400
    assert daemon.post("{").status == 400
    told = counted(daemon)
    results = {name: n for name, n in told.items() if name.startswith("sonoran_pushd_requests_total")}
    assert {re.search(r'result="(\w+)"', name).group(1): n for name, n in results.items() if n} == {
        "accepted": 1, "wrong_key": 1, "malformed": 1}


def test_listeners(start):
    """Each counts for itself, also one that goes and comes back."""
    listeners = [{"name": name, "address": "127.0.0.1:0"} for name in ("main", "edge")]
    daemon = start(listeners_ready=2, listeners=listeners)
    accepted = 'sonoran_pushd_requests_total{listener="%s",result="accepted"}'
    assert counted(daemon)[accepted % "edge"] == 0
    assert daemon.post(call911()).status == 200
    assert (counted(daemon)[accepted % "main"], counted(daemon)[accepted % "edge"]) == (1, 0)
    daemon.reload(config(listeners=listeners[1:]))
    daemon.reload(config(listeners=listeners))
    assert (counted(daemon)[accepted % "main"], counted(daemon)[accepted % "edge"]) == (1, 0)


def test_listeners_measured(start):
    """How long requests took and what is open, of each by itself; what was measured stays when it goes."""
    listeners = [{"name": name, "address": "127.0.0.1:0"} for name in ("main", "edge")]
    daemon = start(listeners_ready=2, listeners=listeners)
    took, is_open = 'request_seconds_count{listener="%s"}', 'http_connections{listener="%s"}'
    wait_for(lambda: value(daemon, is_open % "main") == 0, "that nobody is connected")
    assert daemon.post(call911()).status == 200
    assert (value(daemon, took % "main"), value(daemon, took % "edge")) == (1, 0)
    with daemon.connect():
        wait_for(lambda: value(daemon, is_open % "main") == 1, "a connection to main")
        assert value(daemon, is_open % "edge") == 0
        daemon.reload(config(listeners=listeners[1:]))
        assert value(daemon, is_open % "main") == 1
    wait_for(lambda: value(daemon, is_open % "main") == 0, "that it has gone")
    assert value(daemon, took % "main") == 1


def test_process(daemon):
    told = counted(daemon)
    assert told["process_open_fds"] >= 5 and told["process_threads"] >= 4
    assert told["process_resident_memory_bytes"] < told["process_virtual_memory_bytes"]
    assert told["process_max_fds"] >= told["process_open_fds"] and told["process_start_time_seconds"] > 1.7e9
    assert counted(daemon)["process_cpu_seconds_total"] >= told["process_cpu_seconds_total"] > 0


def test_reload(daemon):
    """What is counted never goes back; that one is refused is seen."""
    assert daemon.post(call911()).status == 200
    before = counted(daemon)
    taken = before["sonoran_pushd_config_last_reload_success_timestamp_seconds"]
    assert before["sonoran_pushd_config_last_reload_successful"] == 1
    daemon.reload("nonsense: [")
    refused = counted(daemon)
    assert refused["sonoran_pushd_config_last_reload_successful"] == 0
    assert refused["sonoran_pushd_config_last_reload_success_timestamp_seconds"] == taken
    daemon.reload(config(log={"level": "debug"}))
    after = counted(daemon)
    assert after["sonoran_pushd_config_last_reload_successful"] == 1
    assert after["sonoran_pushd_config_last_reload_success_timestamp_seconds"] > taken
    for name, n in counters(before).items():
        assert n <= refused[name] <= after[name], name


def test_no_label_of_a_sender(daemon):
    hostile = 'EVENT_"}\n# EOF\nx{y="'
    before = set(counted(daemon))
    assert daemon.post(event(hostile)).status == 400
    assert daemon.post(event(hostile.upper(), key=WRONG_KEY)).status == 400
    assert daemon.post(call911(caller=hostile, location=hostile)).status == 200
    assert daemon.post(event(), path=f"/{KEY}%22%7d").status == 404
    assert set(counted(daemon)) == before
    assert KEY not in scrape(daemon, OPENMETRICS)[1]


def test_log(start):
    daemon = start(log={"level": "warning"})
    before = counted(daemon)
    daemon.reload("nonsense: [")
    wait_for(lambda: counted(daemon)['sonoran_pushd_log_lines_total{level="err"}'] >
             before['sonoran_pushd_log_lines_total{level="err"}'], "a line at err")
    assert counted(daemon)["sonoran_pushd_log_dropped_lines_total"] == 0


def test_events(daemon):
    assert daemon.post(call911()).status == 200
    assert daemon.post(event(data={})).status == 400
    assert daemon.post(event("EVENT_FUTURE_THING")).status == 400
    events = {name: n for name, n in counted(daemon).items() if name.startswith("sonoran_pushd_events_total") and n}
    assert events == {'sonoran_pushd_events_total{type="EVENT_911",verdict="accepted"}': 1,
                      'sonoran_pushd_events_total{type="EVENT_REMOVE_911",verdict="invalid"}': 1,
                      'sonoran_pushd_events_total{type="other",verdict="unknown"}': 1}


def test_store(daemon):
    daemon.post(call911(1))
    daemon.post(call911(2))
    told = counted(daemon)
    assert told["sonoran_pushd_store_commit_seconds_count"] == told["sonoran_pushd_store_batch_events_count"] == 2
    assert told["sonoran_pushd_store_batch_events_sum"] == told["sonoran_pushd_store_newest_event_id"] == 2
    assert told['sonoran_pushd_store_batch_events_bucket{le="1.0"}'] == 2
    assert told["sonoran_pushd_store_writable"] == 1 and told["sonoran_pushd_store_filesystem_free_bytes"] > 0
    assert told["sonoran_pushd_queue_events"] == told["sonoran_pushd_queue_bytes"] == 0
    assert told['sonoran_pushd_request_seconds_count{listener="main"}'] == 2
    assert told["sonoran_pushd_request_body_bytes_count"] == 2


def test_disk_full(start, disk):
    daemon = start(env=disk.env)
    assert daemon.post(call911()).status == 200
    disk.begin(NO_SPACE)
    assert daemon.post(call911(2)).status == 503
    told = counted(daemon)
    assert told["sonoran_pushd_store_writable"] == 0
    assert told['sonoran_pushd_store_failures_total{error="nospace"}'] >= 1
    assert told['sonoran_pushd_requests_total{listener="main",result="not_stored"}'] == 1
    assert told["sonoran_pushd_store_commit_seconds_count"] == 1
    disk.end()
    wait_for(lambda: value(daemon, "store_writable") == 1, "that it is over")


def test_action(start):
    with refusing_port() as port:
        daemon = start(actions=[{"name": "bot", "type": "forward", "url": f"http://127.0.0.1:{port}/x"}])
        assert value(daemon, 'action_state{action="bot",sonoran_pushd_action_state="idle"}') == 1
        assert daemon.post(call911()).status == 200
        wait_for(lambda: value(daemon, 'action_state{action="bot",sonoran_pushd_action_state="failing"}'), "failing")
        told = counted(daemon)
    assert told['sonoran_pushd_action_state{action="bot",sonoran_pushd_action_state="idle"}'] == 0
    assert told['sonoran_pushd_action_lag_events{action="bot"}'] == 1
    assert told['sonoran_pushd_action_lag_seconds{action="bot"}'] > 0
    assert told['sonoran_pushd_action_attempts_total{action="bot"}'] >= 1
    assert told['sonoran_pushd_action_seconds_count{action="bot"}'] >= 1


def test_failed_events(start):
    """What is on the list, until it is delivered after all."""
    name = 'action_failed_events{action="siren"}'
    siren = {"name": "siren", "type": "exec", "command": ["/bin/false"]}
    daemon = start(actions=[siren])
    assert value(daemon, name) == 0
    for number in range(3):
        assert daemon.post(call911(number + 1)).status == 200
    wait_for(lambda: value(daemon, name) == 3, "three on the list")
    daemon.reload(config(actions=[siren | {"command": ["/bin/true"]}]))
    assert value(daemon, name) == 3
    assert ctl("retry", "siren", "all", "--store", store_of(daemon)).returncode == 0
    wait_for(lambda: value(daemon, name) == 0, "that they are delivered")


def test_cad(start):
    """Of each community its own; what test events make up wakes nobody."""
    other = "OTHER-API-KEY-0000"
    daemon = start(communities=[{"name": "default", "api_key": KEY}, {"name": "sands", "api_key": other}])
    daemon.secrets.add(other)
    unit = {"id": 7, "status": 4, "isPanic": True, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
    assert daemon.post(event("EVENT_UNIT_LOGIN", {"unit": unit})).status == 200
    assert daemon.post(event("EVENT_UNIT_LOGIN", {"unit": {**unit, "id": 8}}, test=True)).status == 200
    assert daemon.post(call911(1)).status == 200
    assert daemon.post(call911(2) | {"key": other}).status == 200
    assert daemon.post(call911(3, test=True) | {"test": True}).status == 200
    told = counted(daemon)
    assert told['sonoran_pushd_state_entries{community="default",kind="unit"}'] == 2
    assert told['sonoran_pushd_units{community="default",status="on_scene"}'] == 1
    assert told['sonoran_pushd_units{community="sands",status="on_scene"}'] == 0
    assert told['sonoran_pushd_panics{community="default"}'] == 1
    assert told['sonoran_pushd_calls911_waiting{community="default"}'] == 1
    assert told['sonoran_pushd_calls911_waiting{community="sands"}'] == 1
    assert told['sonoran_pushd_calls911_oldest_timestamp_seconds{community="sands"}'] > 1.7e9


def test_last_event(on):
    """Of each community its own, also what was stored and refused; the next start knows it."""
    other = "OTHER-API-KEY-0000"
    two = [{"name": "default", "api_key": KEY}, {"name": "sands", "api_key": other}]
    daemon = on(communities=two)
    daemon.secrets.add(other)
    names = [f'sonoran_pushd_last_event_timestamp_seconds{{community="{name}"}}' for name in ("default", "sands")]
    assert [counted(daemon)[name] for name in names] == [0, 0]
    assert daemon.post(call911()).status == 200
    first = [counted(daemon)[name] for name in names]
    assert first[0] > 1.7e9 and first[1] == 0
    assert daemon.post(event("EVENT_FUTURE_THING") | {"key": other}).status == 400
    second = [counted(daemon)[name] for name in names]
    assert second[0] == first[0] and second[1] > first[0]
    daemon.stop()
    daemon = on(communities=two)
    daemon.secrets.add(other)
    assert [counted(daemon)[name] for name in names] == second
