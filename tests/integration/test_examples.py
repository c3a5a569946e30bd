"""The samples of config/examples are what people begin with: each is sound as it stands."""

import shutil

import harness
import pytest

EXAMPLES = harness.REPOSITORY / "config" / "examples"


@pytest.fixture
def folder(tmp_path):
    """What the samples need beside them, and the program that they run."""
    for name, content in {
        "api-key": harness.KEY,
        "discord-url": "https://discord.com/api/webhooks/1/secret-part",
        "bot-secret": "a secret of the bot",
        "slack-url": "https://hooks.slack.com/services/secret-part",
        "redis-password": "a secret of the server",
        "ha-headers": "Authorization: Bearer secret-part",
    }.items():
        harness.write_private(tmp_path / name, content)
    shutil.copy(EXAMPLES / "siren", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_example(folder, name):
    text = (EXAMPLES / name).read_text().replace("/usr/local/bin", str(folder))
    harness.write_private(folder / "pushd.yaml", text)
    result = harness.run("-c", folder / "pushd.yaml", "--check")
    assert result.returncode == 0, result.output
    lines = [line for line in result.output.splitlines() if "PrivateTmp=yes" not in line]  # tests live in /tmp
    assert lines == [f"{folder / 'pushd.yaml'}: ok"]


def test_there_are_examples():
    assert len(list(EXAMPLES.glob("*.yaml"))) >= 5
