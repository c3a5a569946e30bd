"""sonoran-pushctl types: every type with its facts, without a daemon or a configuration."""

import json

import pytest
from ctl_tools import USAGE, ctl
from harness import KEY


def types(*words):
    result = ctl("types", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def described(*words):
    return json.loads(types(*words, "--json"))


def test_all():
    said = types()
    for each in described()["types"]:
        assert f"\n{each['type']} " in said and each["about"] in said and each["about"]
        assert each["facts"] and each["summary"] and each["family"]
        assert each.get("alias", "") in said
    assert len(described()["types"]) == 31
    assert {"dispatchers", "on_duty", "level", "test", "summary"} <= set(described()["of_every_event"])


@pytest.mark.parametrize(
    ("word", "type_"),
    [("EVENT_911", "EVENT_911"), ("911", "EVENT_911"), ("panic", "EVENT_UNIT_PANIC"), ("unit-status", "EVENT_UNIT_STATUS"),
     ("toggle_bodycam", "EVENT_DISPATCH_TOGGLE_BODYCAM"), ("get_logs", "GET_LOGS"), ("unit_attach", "EVENT_DISPATCH_UNIT_ATTACH")],
)
def test_one(word, type_):
    said = types(word)
    assert said.startswith(f"{type_}: ") and "IN THE EXAMPLE" in said and "Every event has as well: dispatchers" in said
    only, = described(word)["types"]
    assert only["type"] == type_
    for fact in only["facts"]:
        assert f"\n{fact['name']} " in said and fact["kind"] in ("text", "number", "flag", "word")


def test_several_and_none():
    assert "EVENT_UNIT_GROUP_ADD" in types("group") and "EVENT_911" not in types("group")
    result = ctl("types", "EVENT_UNIT_PANNIC")
    assert result.returncode == USAGE and "did you mean EVENT_UNIT_PANIC?" in result.stderr
    result = ctl("types", "\x1b[31mx")
    assert result.returncode == USAGE and "\x1b" not in result.stderr


def test_the_example_is_what_the_facts_say():
    only, = described("EVENT_UNIT_STATUS")["types"]
    facts = {fact["name"]: fact for fact in only["facts"]}
    assert facts["status"]["example"] == "en route" and facts["status"]["words"]["3"] == "en route"
    assert facts["unit"]["several"] and facts["unit"]["example"] == "T-1 Test Unit"
    assert only["data"] == {"identIds": [990001], "status": 3} and KEY not in json.dumps(only)


def test_what_it_names_is_taken(start, tmp_path):
    """Every fact of every type is a condition, a placeholder and, where the event has it, a variable."""
    names = sorted({fact["name"] for each in described()["types"] for fact in each["facts"]} | set(described()["of_every_event"]))
    action = {"name": "a", "type": "exec", "command": ["/bin/true", "--", *(f"{{{name}}}" for name in names)],
              "when": [f"{name} exists" for name in names]}
    start(actions=[action])


def test_one_that_no_action_gets():
    result = ctl("types", "STATE_PRIMED")
    assert result.returncode == USAGE and "is made by sonoran-pushd itself" in result.stderr and "goes to no action" in result.stderr
