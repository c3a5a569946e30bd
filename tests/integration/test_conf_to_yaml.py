"""The converter for configurations in libconfig's syntax, which an upgrade runs: the same settings, in YAML."""

import os
import re
import shutil
import subprocess

import harness
import pytest

PROGRAM = harness.REPOSITORY / "packaging" / "migrate" / "conf-to-yaml"
FIXTURES = harness.REPOSITORY / "tests" / "fixtures" / "config"
SECRETS = "key-good", "url-good"


def convert(file):
    return subprocess.run([PROGRAM, file], capture_output=True, text=True, timeout=harness.PATIENCE_S, check=False)


@pytest.fixture
def settings(tmp_path):
    """What the daemon understands of a configuration."""
    for name in SECRETS:
        shutil.copy(FIXTURES / name, tmp_path / name)

    def settings(text):
        harness.write_private(tmp_path / "pushd.yaml", text)
        result = subprocess.run([harness.BINARY, "-c", tmp_path / "pushd.yaml", "--print-config"], capture_output=True,
                                text=True, timeout=harness.PATIENCE_S, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return settings


@pytest.mark.parametrize("name", ["full", "actions"])
def test_same_settings(settings, name):
    result = convert(FIXTURES / "old" / f"{name}.conf")
    assert result.returncode == 0, result.stderr
    assert settings(result.stdout) == settings((FIXTURES / f"{name}.yaml").read_text())


def test_what_is_included_stands_in_its_place(settings):
    """Beside the file that names it, wherever the converter runs."""
    printed = settings(convert(os.path.relpath(FIXTURES / "old" / "include.conf")).stdout)
    assert re.search(r"^  body: 2M$", printed, re.M) and re.search(r"^  connections: 10$", printed, re.M), printed
    assert re.search("api_key_file: .*key-good", printed), printed


def test_files_lie_beside_the_first(tmp_path):
    """As the daemon of before read them, whichever file names them."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "pushd.conf").write_text('@include "conf.d/a.conf"')
    (tmp_path / "conf.d" / "a.conf").write_text('@include "conf.d/b.conf"')
    (tmp_path / "conf.d" / "b.conf").write_text('log = { level = "debug" }')
    result = convert(tmp_path / "pushd.conf")
    assert result.returncode == 0 and "debug" in result.stdout, result.stderr


@pytest.mark.parametrize("first, second, fits", [
    (0o644, 0o640, False), (0o640, 0o600, False), (0o644, 0o644, True), (0o640, 0o644, True), (0o600, 0o640, True),
], ids=str)
def test_a_key_is_shown_to_nobody_else(tmp_path, first, second, fits):
    """What is made has the readers of the first file."""
    (tmp_path / "pushd.conf").write_text('@include "keys.conf"')
    (tmp_path / "keys.conf").write_text('communities = ( { name = "a", api_key = "SECRET" } )')
    (tmp_path / "pushd.conf").chmod(first)
    (tmp_path / "keys.conf").chmod(second)
    result = convert(tmp_path / "pushd.conf")
    assert result.returncode == (0 if fits else 1)
    assert ("SECRET" in result.stdout) == fits
    assert fits or f"fewer may read {tmp_path}/keys.conf than" in result.stderr


def test_texts_stay_what_they_are():
    """Read by another reader of YAML."""
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(convert(FIXTURES / "old" / "texts.conf").stdout)
    assert read["communities"] == [{"name": "true", "api_key": "no"}]
    assert read["log"] == {"silence": "0s", "payload": "4K"}
    [action] = read["actions"]
    assert action.pop("command") == [
        "/bin/true", "# no comment", "a: b", "- c", "~", "null", "0x1f", "1e3", "", " blanks ", "tab\tand\nline",
        'back\\slash "quoted"', "'", "{id}", "Zoë", "%percent", "@at", "10:30"]
    assert action == {"name": "12", "type": "exec", "events": [], "late": True, "parallel": 2}


@pytest.mark.parametrize("text, place, sentence", [
    ('a = 1\nb = "SECRET\n', ":2", "not understood from here on"),
    ('a = {\n  b = "SECRET"\n', ":3", "the file ends too early: expected a name"),
    ('a = [ "SECRET"\n  "SECRET" 1 ]', ":2", "expected a ,"),
    ('a = SECRET', ":1", "expected a value"),
    ('a = 12SECRET', ":1", "not understood from here on"),
    ('\n@include "pushd.conf"', ":2", "too many files include each other"),
    ('@include "none.conf"', ":1", "cannot read .*none.conf"),
], ids=["text", "end", "list", "word", "unit", "loop", "missing"])
def test_mistakes(tmp_path, text, place, sentence):
    """Are told with their place, and nothing comes out. No value is shown: it may be a key."""
    (tmp_path / "pushd.conf").write_text(text)
    result = convert(tmp_path / "pushd.conf")
    assert result.returncode == 1 and result.stdout == ""
    assert re.fullmatch(rf"{tmp_path}/pushd.conf{place}: {sentence}.*\n", result.stderr), result.stderr
    assert "SECRET" not in result.stderr
