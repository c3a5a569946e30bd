"""Options of actions, as somebody uses them who has just read of them: what goes over the wire, what is said when not."""

import json
import shutil
import ssl
import subprocess

import harness
import pytest
from ctl_tools import ctl
from harness import call911, event, wait_for
from targets import Discord, Target


@pytest.fixture
def target():
    targets = []

    def target(kind=Target, **more):
        targets.append(kind(**more))
        return targets[-1]

    yield target
    for each in targets:
        each.close()


def forward(target, **more):
    return {"name": "bot", "type": "forward", "url": target.url, "timeout": "20s", **more}


def panic(*units, on=True):
    return event("EVENT_UNIT_PANIC", {"identIds": list(units), "isPanic": on})


def dispatch(type_, call_id, **more):
    data = {"callId": call_id, **more} if type_.endswith("NOTE") else {"dispatch": {"callId": call_id, **more}}
    return event(type_, data)


# ca_file


class Secure(Target):
    """With a certificate of an authority that nobody knows."""

    def __init__(self, folder):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        super().__init__()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/x"

    def serve(self, connection, number):
        try:
            secure = self.context.wrap_socket(connection, server_side=True)
        except (OSError, ValueError):
            return  # who does not believe it
        super().serve(secure, number)


@pytest.fixture
def authority(tmp_path):
    """A folder with ca.pem, server.pem and server.key."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    new = ["-newkey", "rsa:2048", "-nodes"]
    (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Our own")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bot")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "server.pem", "-days", "2", "-extfile", "names")
    return tmp_path


def test_ca_file(start, authority):
    bot = Secure(authority)
    try:
        daemon = start(actions=[forward(bot)])
        assert daemon.post(call911(1)).status == 200
        assert ": certificate problem" in daemon.wait_line("event 1 not delivered") and not bot.tried
        daemon.reload(harness.config(actions=[forward(bot, ca_file=str(authority / "ca.pem"))]))
        assert bot.wait_got(1)[0].json["data"]["call"]["callId"] == 1
    finally:
        bot.close()


@pytest.mark.parametrize(
    "file, said",
    [("nowhere.pem", "No such file or directory"), ("pushd.yaml", "has no certificate in it: expected -----BEGIN")],
)
def test_ca_file_that_is_none(start, target, tmp_path, file, said):
    """The daemon runs, the action is off; --check calls it a mistake."""
    path = tmp_path / "daemon0" / file
    daemon = start(actions=[forward(target(), url="https://127.0.0.1/", ca_file=str(path))])
    assert f"ca_file: {path}" in (line := daemon.wait_line("switched off, tried again every minute")) and said in line
    check = harness.run("-c", daemon.file, "--check")
    assert check.returncode == 78 and said in check.output


# cooldown


def test_cooldown(start, target):
    """For each unit, each call and each 911 call; what is urgent in another way is told."""
    bot = target()
    action = forward(bot, body="record", cooldown="1h")
    daemon = start(actions=[action])
    told = [panic(1), panic(2), panic(1, 3), panic(1, on=False), call911(7), call911(8),
            dispatch("EVENT_DISPATCH_NEW", 7, title="Fire"), dispatch("EVENT_DISPATCH_NOTE", 7, note="one")]
    left_out = [panic(1), panic(2, 3), call911(7), dispatch("EVENT_DISPATCH_NEW", 7, title="Fire"),
                dispatch("EVENT_DISPATCH_NOTE", 7, note="two")]
    for body in [*told, *left_out, event("EVENT_TONE", {"url": "https://x.example/a.mp3"})]:
        assert daemon.post(body).status == 200
    wait_for(lambda: json.loads(ctl("actions", "-c", daemon.file, "--json").stdout)["actions"][0]["lag"] == 0, "all")
    last = len(told) + len(left_out) + 1
    assert [request.json["id"] for request in bot.got] == [*range(1, len(told) + 1), last]
    assert f"left out: {len(left_out)} by cooldown" in ctl("actions", "-c", daemon.file).stdout


# headers, template


@pytest.mark.parametrize("in_file", [False, True], ids=["headers", "headers_file"])
def test_headers_on_the_wire(start, target, in_file):
    bot = target()
    headers = ["X-Priority: 5", "X-Words: a  b: c", "Authorization: Bearer abc", "X-Umlaut: \u00c4rger"]
    setting = {"headers_file": "more"} if in_file else {"headers": headers}
    daemon = start(actions=[forward(bot, **setting)], files={"more": "\r\n".join(headers) + "\r\n\r\n"})
    assert daemon.post(call911(1)).status == 200
    (request,) = bot.wait_got(1)
    for header in headers:
        name, value = header.split(": ", 1)
        assert request.headers[name.lower()] == value


@pytest.mark.parametrize(
    "content_type, template, body",
    [
        ("text/plain", "{caller}: {summary}", 'Ann "x" & co.: 911 call 7 from Ann "x" & co.'),
        ("application/json", '{"text": "{caller}", "id": {id}}', '{"text": "Ann \\"x\\" & co.", "id": 1}'),
        ("application/x-www-form-urlencoded", "who={caller}&id={id}", "who=Ann%20%22x%22%20%26%20co.&id=1"),
    ],
)
def test_template_of_each_kind(start, target, content_type, template, body):
    bot = target()
    daemon = start(actions=[forward(bot, body="template", template=template, content_type=content_type)])
    assert daemon.post(call911(7, caller='Ann "x"\n& co.')).status == 200
    (request,) = bot.wait_got(1)
    assert request.body.decode() == body and request.headers["content-type"] == content_type


# Discord


def test_mentions(start, target):
    """Who is configured is pinged, and nobody else, whatever a player writes."""
    channel = target(kind=Discord)
    action = {"name": "channel", "type": "discord", "url": channel.url, "mention": "here", "mention_users": ["77"],
              "mention_roles": ["88"], "message": "{caller}: {summary}"}
    daemon = start(actions=[action])
    assert daemon.post(call911(7, caller="@everyone <@99> <@&98>")).status == 200
    message = channel.wait_got(1)[0].json
    assert message["content"].startswith("@here <@&88> <@77> ")
    rest = message["content"][len("@here <@&88> <@77> "):]
    assert "@everyone" not in rest and "@here" not in rest and "<@9" not in rest and "<@&9" not in rest
    assert message["allowed_mentions"] == {"parse": ["everyone"], "roles": ["88"], "users": ["77"]}
