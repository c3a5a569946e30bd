"""Who may speak: the keys of several communities, and addresses that guess."""

import re
import sqlite3

import pytest
from ctl_tools import ctl, store_of
from harness import KEY, OTHER_CLIENT, WRONG_KEY, call911, config, event, request, run, wait_for

GUESSER = "127.0.0.2"
KEYS = {"default": KEY, "calder-rp": "Calder-key-1234567890", "night_shift.2": 'with "quotes" \\ and Zoë'}


@pytest.fixture
def several(start):
    daemon = start(communities=[{"name": name, "api_key": key} for name, key in KEYS.items()])
    daemon.secrets.update(KEYS.values())
    return daemon


def test_communities(several):
    """Each key speaks for its own community."""
    for key in KEYS.values():
        for spelled in key, key.upper(), key.lower():
            assert several.post(event(key=spelled.replace("Ë", "ë"))).text == "ok"
    assert several.post(event(key=KEY + KEYS["calder-rp"])).status == 400
    communities = [e["community"] for e in several.stop().events()]
    assert communities == [name for name in KEYS for _ in range(3)]


def test_several_keys_of_a_community(start):
    """While the panel changes it: both are right, and a reload takes the old one out."""
    old, new = "Old-key-1234567890", "New-key-1234567890"
    both = [{"name": "default", "api_key": [new, old]}]
    daemon = start(communities=both)
    daemon.secrets.update((old, new))
    assert [daemon.post(event(key=key)).status for key in (old, new, old.lower(), KEY, old + new)] == [200, 200, 200, 400, 400]
    assert "community default: 2 keys" in run("--check", "-c", daemon.file).stdout
    daemon.reload(config(communities=[{"name": "default", "api_key": new}]))
    assert [daemon.post(event(key=key)).status for key in (old, new)] == [400, 200]
    assert {e["community"] for e in daemon.stop().events() if "community" in e} == {"default"}


def test_case_of_other_letters_counts(several):
    answer = several.post(event(key=KEYS["night_shift.2"].replace("ë", "Ë")))
    assert answer.text == "Authentication Key Failed!"


def test_a_refusal_names_no_community(several):
    several.post(event(key=WRONG_KEY))
    refusals = [r for r in several.stop().records() if "reason" in r or "verdict" in r]
    assert refusals and not any("community" in r for r in refusals)


def test_keys_in_wrong_places(daemon):
    """In the path, as the type, both swapped: no line, no verb and no row has it (each daemon's end looks at the lines)."""
    in_hex = "".join(f"%{byte:02x}" for byte in KEY.encode())
    paths = f"/{KEY}", f"/sonorancad/{KEY.lower()}", f"/{in_hex}"
    assert [daemon.post(call911(), path=path).status for path in paths] == [404, 404, 404]
    status = ctl("status", "--store", store_of(daemon)).stdout
    assert "Wrong path: " in status and "127.0.0.1: /[key]" in status
    assert daemon.post(event(KEY)).text == "Invalid Type"
    assert daemon.post(event(KEY.lower() + "?")).text == "Invalid Type"
    assert daemon.post(event(KEY, key="EVENT_911")).text == "Authentication Key Failed!"
    events = ctl("events", "--json", "--store", store_of(daemon))
    assert events.returncode == 0 and "[KEY]" in events.stdout
    daemon.stop()
    with sqlite3.connect(store_of(daemon)) as log:
        rows = log.execute("SELECT type, type_sent, summary, extra FROM events").fetchall()
    log.close()
    assert [row[0] for row in rows] == ["[KEY]", "[KEY]?"] and KEY.lower() not in str(rows).lower()
    told = [r["message"] for r in daemon.records() if "refused" in r["message"]]
    assert any("wrong key, for [KEY]" in message for message in told), told


def limited(start, failures=3, window="1h"):
    return start(limits={"failed_keys": failures, "failed_keys_window": window})


def guess(daemon, times, source=GUESSER):
    for _ in range(times):
        answer = daemon.post(event(key=WRONG_KEY), source=source)
        assert (answer.status, answer.text) == (400, "Authentication Key Failed!")


def test_too_many_wrong_keys(start):
    """Then 429, also with the right key, before the body is looked at. Other addresses do not notice."""
    daemon = limited(start)
    guess(daemon, 3)
    for body in event(key=WRONG_KEY), event(), "{ no JSON", b"\xff", "":
        answer = daemon.post(body, source=GUESSER)
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert daemon.serves(OTHER_CLIENT)
    assert {e["from"] for e in daemon.stop().events()} == {OTHER_CLIENT}


def test_fewer_wrong_keys(start):
    daemon = limited(start)
    guess(daemon, 2)
    assert daemon.serves(GUESSER)


def test_who_had_a_right_key_is_never_refused_unread(start):
    """Behind one address may be many: whoever guesses there silences nobody. The guesses are counted and told."""
    daemon = limited(start)
    guess(daemon, 2)
    assert daemon.serves(GUESSER)
    guess(daemon, 20)
    assert daemon.serves(GUESSER)
    records = daemon.stop().records()
    assert any("wrong key" in r["message"] and r.get("from") == GUESSER for r in records)
    told = sum(int(n) for r in records for n in re.findall(r"refused (\d+) more .*wrong key", r["message"]))
    assert told + len([r for r in records if "refused a request" in r["message"]]) == 22


def test_a_refused_event_had_a_right_key_too(start):
    daemon = limited(start)
    for body in event("EVENT_UNHEARD_OF"), event("EVENT_911", {}):
        assert daemon.post(body, source=GUESSER).status == 400
    guess(daemon, 5)
    assert daemon.serves(GUESSER)


def test_who_is_known_is_known_after_a_restart(start):
    """From the log; those who only guessed are no more known than before."""
    first = limited(start)
    path = first.file.parent / "events.db"
    assert first.serves("127.0.6.1")
    guess(first, 1, "127.0.6.2")
    first.stop()
    daemon = start(limits={"failed_keys": 3}, store={"path": str(path)})
    guess(daemon, 5, "127.0.6.1")
    assert daemon.serves("127.0.6.1")
    guess(daemon, 3, "127.0.6.2")
    assert daemon.post(event(), source="127.0.6.2").status == 429


def test_a_day_later_nobody_is_known(start):
    """What the log has from a day ago tells of nobody who sends today."""
    first = start()
    path = first.file.parent / "events.db"
    assert first.serves("127.0.6.1") and first.serves("127.0.6.2")
    first.stop()
    with sqlite3.connect(path) as log:
        log.execute("UPDATE events SET received_at = received_at - 24 * 3600 * 1000000 WHERE peer = '127.0.6.1'")
    log.close()
    daemon = start(limits={"failed_keys": 3}, store={"path": str(path)})
    for address, status in ("127.0.6.1", 429), ("127.0.6.2", 200):
        guess(daemon, 3, address)
        assert daemon.post(event(), source=address).status == status


def test_strangers_push_nobody_out(start):
    """However many addresses guess, who had a right key stays known."""
    daemon = limited(start)
    assert daemon.serves(GUESSER)
    for i in range(1500):
        guess(daemon, 1, f"127.{10 + i // 250}.0.{i % 250 + 1}")
    guess(daemon, 5)
    assert daemon.serves(GUESSER)


def test_each_address_counts_for_itself(start):
    daemon = limited(start)
    for i in range(100):
        guess(daemon, 2, f"127.0.3.{i + 1}")
    for i in range(100):
        assert daemon.serves(f"127.0.3.{i + 1}")


def test_the_guesses_of_others_change_nothing(start):
    """Whoever guessed before many others is not forgotten for them."""
    daemon = limited(start)
    guess(daemon, 2)
    for i in range(60):
        guess(daemon, 1, f"127.0.4.{i + 1}")
    guess(daemon, 1)
    assert daemon.post(event(), source=GUESSER).status == 429
    assert daemon.serves(OTHER_CLIENT)


def test_guesses_by_turns(start):
    """Neighbours who take turns push none of them out of the count."""
    daemon = limited(start)
    neighbours = [f"127.0.5.{i + 1}" for i in range(50)]
    for _ in range(3):
        for neighbour in neighbours:
            guess(daemon, 1, neighbour)
    assert [daemon.post(event(), source=neighbour).status for neighbour in neighbours] == [429] * len(neighbours)


def test_window_over(start):
    daemon = limited(start, window="1s")
    guess(daemon, 3)
    wait_for(lambda: daemon.serves(GUESSER), "service after the window")
    guess(daemon, 3)


def test_no_limit(start):
    daemon = limited(start, failures=0)
    guess(daemon, 200)
    assert daemon.serves(GUESSER)


def test_open_connections_are_locked_out_too(start):
    """The address counts, not the connection."""
    daemon = limited(start)
    with daemon.connect(GUESSER) as client:
        assert client.ask(request(method="GET")).status == 200
        guess(daemon, 3)
        assert client.ask(request(event())).status == 429
