"""What axe-core finds wrong for those who do not see, or use no mouse: nothing.

It is not in Debian: .ci/run fetches it with npm and names it in AXE; without it this is skipped.
"""

import os
from pathlib import Path

import pytest
from board import call, call911, login, panic, post, start_board
from harness import free_port, wait_for

AXE = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))

pytestmark = pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here (AXE)")


def violations(browser):
    browser.script(AXE.read_text(encoding="utf-8"))
    found = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run(document).then(r => done(r.violations), e => done([{id: String(e), nodes: []}]))")
    return [(v["id"], [(n["html"][:160], n.get("failureSummary", "")[:300]) for n in v["nodes"]][:3]) for v in found]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["desk", "phone"])
def test_axe(start, browser, scheme, size):
    away = {"name": "city", "community_id": "x", "url": f"http://127.0.0.1:{free_port()}/hub"}
    daemon, address = start_board(start, sessions=[away])
    browser.scheme(scheme)
    browser.size(*size)
    browser.open(address)
    wait_for(lambda: browser.text(".cut"), "the session that is cut")
    browser.script("""const still = new CSSStyleSheet();
        still.replaceSync('* { animation-play-state: paused !important; }');
        document.adoptedStyleSheets.push(still);""")  # what is new stays marked as strongly as it ever is
    assert violations(browser) == []
    post(daemon, *[login(4100 + i, f"1-A-{i}", f"Unit {i}", i % 5) for i in range(6)], call(units=[4101, 4103]),
         call(55121, "Burglary", priority=1), call911(), panic(4102))
    browser.row("units", "1-A-5")
    assert browser.script("return document.querySelector('.fresh').getAnimations().some(a => a.currentTime === 0)")
    wait_for(lambda: browser.text(".panic"), "the banner")
    assert violations(browser) == []
    browser.script("document.querySelector('#pane-calls .row').click()")
    wait_for(lambda: "answered after" in browser.text("#story-inside"), "the story")
    assert violations(browser) == []
