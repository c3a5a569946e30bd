"""Who may speak: the keys of several communities, and addresses that guess."""

import pytest
from harness import KEY, OTHER_CLIENT, WRONG_KEY, event, request, wait_for

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


def test_case_of_other_letters_counts(several):
    answer = several.post(event(key=KEYS["night_shift.2"].replace("ë", "Ë")))
    assert answer.text == "Authentication Key Failed!"


def test_a_refusal_names_no_community(several):
    several.post(event(key=WRONG_KEY))
    refusals = [r for r in several.stop().records() if "reason" in r or "verdict" in r]
    assert refusals and not any("community" in r for r in refusals)


def limited(start, failures=3, window="1min"):
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
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert daemon.serves(OTHER_CLIENT)
    assert {e["from"] for e in daemon.stop().events()} == {OTHER_CLIENT}


def test_fewer_wrong_keys(start):
    daemon = limited(start)
    guess(daemon, 2)
    assert daemon.serves(GUESSER)


def test_right_keys_are_not_counted(start):
    daemon = limited(start)
    for _ in range(20):
        assert daemon.serves(GUESSER)
    guess(daemon, 3)


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
        assert client.ask(request(event())).status == 200
        guess(daemon, 3)
        assert client.ask(request(event())).status == 429
