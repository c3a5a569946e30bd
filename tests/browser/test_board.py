"""The board in a browser: what it shows of the real daemon, and what it does not let happen."""

import pytest
from board import call, call911, login, panic, post, settings, start_board, status
from harness import KEY, WRONG_KEY, config, event, free_port, wait_for
from selenium_keys import Keys

HOSTILE = ["<script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">", "\"quoted\" & <b>bold</b>",
           "abc \u202egnihtemos desrever", "W" * 10_000, "🚨👩‍🚒🇩🇪 ünïcödé", "نص عربي"]


PLAYED = """window.played = []; const old = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { played.push(1); return old.call(this); }"""


def test_empty(start, browser):
    _, address = start_board(start)
    browser.open(address)
    assert "sonoran-pushctl play --demo" in browser.text("#pane-feed .empty")
    assert browser.text("#pane-calls .empty") == "No call is open."
    assert browser.script("return document.documentElement.scrollWidth <= innerWidth")


def test_live_rows(start, browser):
    daemon, address = start_board(start)
    post(daemon, login())
    browser.open(address)
    assert "AVL" in browser.row("units", "3-L-27", "Mara Ellison")  # was there before
    post(daemon, call911())
    browser.row("911", "EMERGENCY", "Smoke from the attic", "118 Lantern St", "John Doe")
    post(daemon, call())
    browser.row("calls", "P2", "Structure Fire", "NO UNIT")
    post(daemon, event("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "idents": [4127]}), status(4127, 3))
    browser.row("calls", "Structure Fire", "3-L-27", "ENR")
    browser.row("units", "ENR", "3-L-27", "55120")
    post(daemon, event("EVENT_REMOVE_911", {"callIds": [90417]}), event("EVENT_DISPATCH_CLOSED", {"callIds": [55120]}))
    browser.wait_gone("911", "Smoke")
    browser.wait_gone("calls", "Structure Fire")
    post(daemon, event("EVENT_UNIT_LOGOUT", {"units": [4127]}))
    browser.wait_gone("units", "3-L-27")
    assert len(browser.event_ids()) == 8


def test_ages_tick(start, browser):
    daemon, address = start_board(start)
    post(daemon, login())
    browser.open(address)
    first = wait_for(lambda: browser.text("#pane-units .age"), "an age")
    wait_for(lambda: browser.text("#pane-units .age") not in ("", first), "another age")


def test_filter(start, browser):
    daemon, address = start_board(start)
    post(daemon, login(), login(4133, "E-12", "Tobias Renner"), call(units=[4133]), call(55121, "Burglary"))
    browser.open(address)
    browser.row("units", "E-12")
    browser.keys("/", "renner")
    browser.wait_gone("units", "3-L-27")
    assert browser.row("units", "E-12") and browser.row("calls", "Structure Fire")  # by the unit that it has
    browser.wait_gone("calls", "Burglary")
    browser.keys(" nobody")
    wait_for(lambda: browser.text("#pane-units .empty") == "Nothing that the filter lets through.", "the sentence")
    browser.keys(Keys.ESCAPE)
    browser.row("units", "3-L-27")
    browser.row("calls", "Burglary")


def test_community(start, browser):
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    daemon, address = start_board(start, communities=communities)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    post(daemon, {**login(), "key": "KEY-OF-THE-NORTH"}, {**login(4127, "S-9", "Ada Bell"), "key": "KEY-OF-THE-SOUTH"})
    browser.open(address)
    assert "north" in browser.row("units", "3-L-27") and "south" in browser.row("units", "S-9")
    browser.open(f"{address}?community=south")
    browser.row("units", "S-9")
    assert len(browser.rows("units")) == 1 and browser.text("#name") == "south"
    assert "Events of the last hour: 1," in browser.script("return document.querySelector('#rate').title")
    post(daemon, {**login(4128, "S-10", "Rui Bell"), "key": "KEY-OF-THE-SOUTH"})
    browser.row("units", "S-10")


CUT = """return [...document.querySelectorAll(arguments[0])].filter(element => element.scrollWidth > element.clientWidth + 1)
    .map(element => element.innerText)"""


def test_nothing_cut(start, browser):
    """Beside a title that is too long a row still says whose it is; on a phone a story needs no scrolling sideways."""
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    daemon, address = start_board(start, communities=communities)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    bodies = [login(name="Hannelore Schmitt-Wessendorf"), call911(description="Two cars and a truck, the road is blocked in both directions"),
              call(title="Traffic collision with several injured people", units=[4127])]
    post(daemon, *[{**body, "key": "KEY-OF-THE-NORTH"} for body in bodies])
    browser.open(address)
    for width, height in (1280, 720), (390, 844):
        browser.size(width, height)
        browser.row("units", "3-L-27", "north")
        assert len(browser.script("return [...document.querySelectorAll('.row .mark')]")) == 3
        assert browser.script(CUT, ".row .mark") == []
        assert browser.script(CUT, "body") == []
    browser.script("document.querySelector('#pane-calls .row').click()")
    wait_for(lambda: browser.text(".timeline"), "the story")
    assert browser.script(CUT, "#story-inside, .times") == []


CHOOSE = """const select = document.querySelector('#community');
    select.value = arguments[0]; select.dispatchEvent(new Event('change'))"""


def test_rate_of_community(start, browser, tmp_path):
    """The line of the last hour is that of the community that is chosen, and goes on with its events."""
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    port, path = free_port(), str(tmp_path / "events.db")
    text = settings(port, communities=communities, store={"path": path})
    daemon = start(text)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    north = [{**login(i), "key": "KEY-OF-THE-NORTH"} for i in range(1, 6)]
    south = [{**login(i), "key": "KEY-OF-THE-SOUTH"} for i in range(1, 5)]
    post(daemon, *north[:3], *south[:1])
    browser.open(f"http://127.0.0.1:{port}/")

    def wait_rate(n):
        title = f"Events of the last hour: {n},"
        wait_for(lambda: title in browser.script("return document.querySelector('#rate').title"), title)

    wait_rate(4)
    browser.script(CHOOSE, "south")
    wait_rate(1)
    post(daemon, *south[1:3], north[3])
    wait_rate(3)
    browser.script(CHOOSE, "north")
    wait_rate(4)
    browser.script(CHOOSE, "")
    wait_rate(7)
    browser.script(CHOOSE, "south")  # known by now, and counted on meanwhile
    wait_rate(3)
    daemon.stop()
    browser.wait_state("no link", "stale")
    daemon = start(text)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    post(daemon, south[3])
    wait_rate(4)


def test_panic(start, browser):
    daemon, address = start_board(start)
    post(daemon, login())
    browser.open(address)
    browser.row("units", "3-L-27")
    post(daemon, panic())
    wait_for(lambda: "Mara Ellison" in browser.text(".panic:not(.heard)"), "the banner")
    assert "PANIC" in browser.row("units", "3-L-27")
    wait_for(lambda: "PANIC" in browser.driver.title, "the title")
    browser.keys("/", "nothing of that kind")  # a filter does not hide it
    wait_for(lambda: not browser.rows("units"), "the filter")
    assert browser.text(".panic:not(.heard)")
    browser.keys(Keys.ESCAPE, "a")
    wait_for(lambda: "acknowledged" in browser.text(".panic.heard"), "the acknowledgement")
    browser.driver.refresh()
    browser.wait_state("live")
    wait_for(lambda: browser.text(".panic.heard"), "that it is kept")
    post(daemon, panic(on=False))
    wait_for(lambda: not browser.text("#panics"), "its end")
    post(daemon, panic())
    wait_for(lambda: browser.text(".panic:not(.heard)"), "another one, not acknowledged")


def test_acknowledged_elsewhere(start, browser):
    """A tab that is for another community leaves alone what was acknowledged in this one."""
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    daemon, address = start_board(start, communities=communities)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    post(daemon, *[{**body, "key": "KEY-OF-THE-NORTH"} for body in (login(), panic())])
    browser.open(address)
    wait_for(lambda: browser.text(".panic:not(.heard)"), "the banner")
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(f"{address}?community=south")
    browser.wait_state("live")
    second = browser.driver.current_window_handle
    browser.driver.switch_to.window(first)
    browser.keys("a")
    wait_for(lambda: browser.text(".panic.heard"), "the acknowledgement")
    browser.script(CHOOSE, "south")
    wait_for(lambda: not browser.text("#panics"), "the other community")
    browser.driver.switch_to.window(second)
    post(daemon, {**login(4127, "S-9", "Ada Bell"), "key": "KEY-OF-THE-SOUTH"})
    browser.row("units", "S-9")
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.driver.refresh()
    wait_for(lambda: browser.text(".panic"), "the banner")
    assert browser.text(".panic.heard")
    post(daemon, {**panic(on=False), "key": "KEY-OF-THE-NORTH"})
    wait_for(lambda: not browser.text("#panics"), "its end")
    assert browser.script("return localStorage.getItem('board.acknowledged')") == "[]"


def test_many_panics(start, browser):
    """A key acknowledges what has a banner; those for which there was no room come then, and wait."""
    daemon, address = start_board(start)
    for i in range(7):
        post(daemon, login(4200 + i, f"U-{i}", f"Unit {i}"), panic(4200 + i))
    browser.open(address)
    wait_for(lambda: "and 3 more in panic" in browser.text("#panics"), "those that have no room")
    browser.keys("a")
    count = "return document.querySelectorAll('.panic:not(.heard)').length"
    wait_for(lambda: browser.script(count) == 3, "the other three")
    browser.keys("a")
    wait_for(lambda: browser.script(count) == 0, "nothing more")


def test_sound_911(start, browser):
    """A new 911 call sounds, whatever the filter lets through; an old one that it shows again does not."""
    daemon, address = start_board(start)
    post(daemon, call911())
    browser.open(address)
    browser.row("911", "Smoke")
    browser.script(PLAYED)
    browser.keys("m", "m")
    assert browser.text("#sound") == "Sound: panic, 911"
    wait_for(lambda: browser.script("return played.length") == 2, "the sounds of the button")
    browser.keys("/", "nothing of that kind")
    browser.wait_gone("911", "Smoke")
    browser.keys(Keys.ESCAPE)
    browser.row("911", "Smoke")
    assert browser.script("return played.length") == 2
    browser.keys("/", "nothing of that kind")
    browser.wait_gone("911", "Smoke")
    post(daemon, call911(90418, "Loud music"))
    wait_for(lambda: browser.script("return played.length") == 3, "the sound")


def test_dispatched(start, browser):
    """A 911 call that a dispatch call was made from waits for nobody."""
    daemon, address = start_board(start)
    post(daemon, call911(), call911(90418, "Loud music"), call(metaData={"createdFromId": "90417"}))
    browser.open(address)
    browser.row("911", "Smoke", "› 55120")
    assert len(browser.rows("911")) == 2
    assert browser.text("#pane-911 .count") == "1" and browser.driver.title == "(1) default"
    assert "Smoke" in browser.text("#pane-911 .row.done")
    post(daemon, event("EVENT_REMOVE_911", {"callIds": [90418]}))
    wait_for(lambda: browser.driver.title == "default", "nothing that waits")


# As where the page may store nothing; turn.js.
REFUSED = """for (const name of ["request", "query"])
    LockManager.prototype[name] = () => Promise.reject(new DOMException("no", "SecurityError"));"""


@pytest.mark.parametrize("before", ["", REFUSED], ids=["", "no-locks"])
def test_sound(start, browser, before):
    """Each panic sounds, and the word on the button says whether it can."""
    daemon, address = start_board(start)
    post(daemon, login())
    with browser.before_each_page(before):
        browser.open(address)
    browser.row("units", "3-L-27")
    browser.script(PLAYED)
    browser.keys("m")
    assert browser.text("#sound") == "Sound: panic"
    wait_for(lambda: browser.script("return played.length") >= 1, "the sound of the button")
    before = browser.script("return played.length")
    post(daemon, panic())
    wait_for(lambda: browser.script("return played.length") > before, "the alarm")


TURNS = """const done = arguments[0];
    navigator.locks.query().then(({ held, pending }) => done([held, pending].map(
        locks => locks.filter(({ name }) => name.startsWith('board sound')).length)))"""


def test_sound_in_two_windows(start, browser):
    """One of them sounds; when that is closed the other does, for a panic that nobody has acknowledged."""
    daemon, address = start_board(start)
    post(daemon, login())

    def turns(*expected):
        wait_for(lambda: browser.driver.execute_async_script(TURNS) == list(expected), f"turns {expected}")

    def played():
        return browser.script("return played.length")

    browser.open(address)
    browser.script(PLAYED)
    browser.keys("m")
    turns(1, 0)
    of_button = wait_for(played, "the sound of the button")
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    second = browser.driver.current_window_handle
    browser.driver.get(address)
    browser.wait_state("live")
    browser.script(PLAYED)
    assert browser.text("#sound") == "Sound: panic"
    turns(1, 1)
    post(daemon, panic())
    wait_for(lambda: browser.text(".panic:not(.heard)"), "the banner")
    browser.driver.switch_to.window(first)
    wait_for(lambda: played() == of_button + 1, "the alarm")
    browser.driver.switch_to.window(second)
    assert played() == 0
    browser.driver.switch_to.window(first)
    browser.driver.close()
    browser.driver.switch_to.window(second)
    wait_for(lambda: played() == 1, "the alarm")
    turns(1, 0)
    browser.keys("m", "m")  # off
    turns(0, 0)


def test_sound_of_all(start, browser):
    """A window that shows all communities sounds for each, and one that shows the same one stays quiet; off is off in both."""
    communities = [{"name": "north", "api_key": "KEY-OF-THE-NORTH"}, {"name": "south", "api_key": "KEY-OF-THE-SOUTH"}]
    daemon, address = start_board(start, communities=communities)
    daemon.secrets |= {"KEY-OF-THE-NORTH", "KEY-OF-THE-SOUTH"}
    north = [{**body, "key": "KEY-OF-THE-NORTH"} for body in (login(), panic())]
    post(daemon, north[0])
    browser.open(address)
    browser.script(PLAYED)
    browser.keys("m")
    of_button = wait_for(lambda: browser.script("return played.length"), "the sound of the button")
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    second = browser.driver.current_window_handle
    browser.driver.get(f"{address}?community=north")
    browser.wait_state("live")
    browser.script(PLAYED)
    wait_for(lambda: browser.driver.execute_async_script(TURNS) == [2, 0], "a turn in each")
    post(daemon, north[1])
    wait_for(lambda: browser.text(".panic:not(.heard)"), "the banner")
    browser.driver.switch_to.window(first)
    wait_for(lambda: browser.script("return played.length") == of_button + 1, "the alarm")
    browser.driver.switch_to.window(second)
    assert browser.script("return played.length") == 0
    browser.driver.switch_to.window(first)
    browser.keys("m", "m")
    assert browser.text("#sound") == "Sound off"
    browser.driver.switch_to.window(second)
    wait_for(lambda: browser.text("#sound") == "Sound off", "off in the other")
    browser.driver.close()
    browser.driver.switch_to.window(first)


WAKE = """window.asked = []; const old = WakeLock.prototype.request;
    WakeLock.prototype.request = function (...of) { const lock = old.apply(this, of); asked.push([of[0], lock]); return lock; }"""
HELD = """const done = arguments[0];
    Promise.all(asked.map(([, lock]) => lock)).then(locks => done(locks.map(lock => !lock.released)), problem => done(String(problem)))"""


def test_screen_stays_on(start, browser):
    """In kiosk mode alone, and again when somebody looks again: a browser lets go of it when the page is hidden."""
    _, address = start_board(start)
    with browser.before_each_page(WAKE):
        browser.open(address)
        assert browser.script("return asked.length") == 0
        browser.open(f"{address}?kiosk")
        wait_for(lambda: browser.script("return asked.map(([what]) => what)") == ["screen"], "that it is asked for")
        assert browser.driver.execute_async_script(HELD) == [True]
        browser.script("asked[0][1].then(lock => lock.release())")
        browser.script(HIDE.replace("HIDDEN", "true"))
        assert browser.script("return asked.length") == 1
        browser.script(HIDE.replace("HIDDEN", "false"))
        wait_for(lambda: browser.script("return asked.length") == 2, "that it is asked for again")
        assert browser.driver.execute_async_script(HELD) == [False, True]


def test_keyboard(start, browser):
    """Enough for everything: along a list, to the next, into a call and back, to the keys."""
    daemon, address = start_board(start)
    post(daemon, call911(), call(), call(55121, "Burglary"), login())
    browser.open(address)
    browser.row("units", "3-L-27")
    browser.row("calls", "Burglary")
    browser.keys(Keys.ARROW_DOWN)
    assert "Smoke" in browser.focused()
    browser.keys(Keys.ARROW_RIGHT)
    first = browser.focused()
    browser.keys(Keys.ARROW_DOWN)
    assert browser.focused() != first and browser.focused() in browser.rows("calls")
    browser.keys(Keys.HOME)
    assert browser.focused() == first
    assert browser.script("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    browser.keys(Keys.ENTER)
    wait_for(lambda: browser.script("return document.querySelector('#story').open"), "the story")
    wait_for(lambda: "answered after" in browser.text("#story-inside"), "its figures")
    assert "118 Lantern St" in browser.text("#story-inside")
    browser.keys(Keys.ESCAPE)
    assert not browser.script("return document.querySelector('#story').open") and browser.focused() == first
    browser.keys("?")
    assert browser.script("return document.querySelector('#keys').open")
    browser.keys(Keys.ESCAPE, "t")
    assert browser.script("return document.documentElement.dataset.theme") == "dark"
    browser.script("document.querySelector('#pane-feed .list').focus()")
    browser.keys("t")
    assert browser.script("return document.documentElement.dataset.theme") == "light"
    browser.keys("/")
    assert browser.script("return document.activeElement.id") == "filter"


def test_no_storage(start, browser):
    """A browser that keeps nothing: preferences hold as long as the page."""
    _, address = start_board(start)
    with browser.before_each_page("Storage.prototype.setItem = () => { throw new Error('full') }"):
        browser.open(address)
        seen = []
        for _ in range(3):
            browser.keys("t")
            seen.append(browser.text("#theme"))
        assert seen == ["Dark", "Light", "System"]


def test_restart(start, browser, tmp_path):
    """Over a restart, and over the time without a daemon: no event missing, none twice, the board as it is."""
    port, path = free_port(), str(tmp_path / "events.db")
    daemon = start(settings(port, store={"path": path}))
    browser.open(f"http://127.0.0.1:{port}/")
    post(daemon, login(), *[call911(90400 + i) for i in range(5)])
    wait_for(lambda: len(browser.event_ids()) == 6, "the events before")
    daemon.stop()
    browser.wait_state("no link", "stale")
    daemon = start(settings(port, store={"path": path}))
    post(daemon, *[call911(90500 + i) for i in range(5)], status(4127, 4))
    browser.row("units", "SCN", "3-L-27")
    wait_for(lambda: len(browser.event_ids()) == 12, "the events after")
    browser.wait_state("live")
    assert browser.event_ids() == list(range(12, 0, -1))
    assert len(browser.rows("911")) == 10


def test_other_log(start, browser):
    """Another daemon with another log in its place: the board begins anew."""
    port = free_port()
    daemon = start(settings(port))
    post(daemon, login(), call())
    browser.open(f"http://127.0.0.1:{port}/")
    browser.row("units", "3-L-27")
    daemon.stop()
    other = start(settings(port))
    post(other, login(4133, "E-12", "Tobias Renner"))
    browser.row("units", "E-12")
    assert len(browser.rows("units")) == 1 and not browser.rows("calls")
    assert browser.event_ids() == [1]


def test_one_stream(start, browser):
    """Of two tabs one has the stream, both show all, and the second goes on when the first is closed."""
    daemon, address = start_board(start)
    browser.open(address)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(address)
    browser.wait_state("live")
    post(daemon, login())
    browser.row("units", "3-L-27")
    locks = browser.driver.execute_async_script(
        "const done = arguments[0]; navigator.locks.query().then(l => done([l.held.length, l.pending.length]))")
    assert locks == [1, 1]
    second = browser.driver.current_window_handle
    browser.driver.switch_to.window(first)
    browser.row("units", "3-L-27")
    browser.driver.close()
    browser.driver.switch_to.window(second)
    post(daemon, login(4133, "E-12", "Tobias Renner"), login(4134, "M-4", "Ada Bell"))
    browser.row("units", "M-4")
    assert sorted(browser.event_ids()) == [1, 2, 3]


def test_hostile(start, browser):
    """Texts stay texts, in rows, in the banner and in a dialog; none of them makes the page wider or turns it round."""
    daemon, address = start_board(start)
    browser.open(address)
    for i, text in enumerate(HOSTILE):
        post(daemon, login(4200 + i, text[:200], text), call(55200 + i, text, [4200 + i], address=text, description=text),
             call911(90500 + i, text, caller=text, location=text))
    post(daemon, panic(4200), panic(4201))
    wait_for(lambda: len(browser.rows("units")) == len(HOSTILE) and browser.text(".panic"), "the rows")
    browser.row("calls", "<script>document.title='owned'</script>")
    browser.row("911", '<img src=x onerror="document.title=\'owned\'">')
    for width, height in [(1920, 1080), (1280, 720), (390, 844)]:
        browser.size(width, height)
        assert browser.script("return document.documentElement.scrollWidth <= innerWidth"), width
    assert browser.script("return document.querySelectorAll('main img, main script, main b:not(.count)').length") == 0
    browser.script("document.querySelector('#pane-calls .row').click()")
    wait_for(lambda: "answered after" in browser.text("#story-inside"), "its story")
    assert browser.script("return document.querySelectorAll('#story img, #story script').length") == 0
    assert browser.script("return [...document.querySelectorAll('.row bdi')].every(e => getComputedStyle(e).unicodeBidi === 'isolate')")
    assert "owned" not in browser.driver.title.replace(HOSTILE[0], "")


def test_policy(start, browser):
    """What would get in all the same is not run: the policy stands behind the rest."""
    _, address = start_board(start)
    browser.open(address)
    # A script of the page itself; what the driver injects is above the policy.
    result = browser.script("""
        const script = document.createElement('script');
        let thrown = '';
        try { script.textContent = 'window.owned = 1'; document.body.append(script); } catch (error) { thrown = error.name; }
        try { document.body.innerHTML = '<b>'; } catch (error) { thrown += ' ' + error.name; }
        return [thrown, window.owned ?? null]""")
    assert result == ["TypeError TypeError", None]
    blocked = browser.driver.execute_async_script("""
        const done = arguments[0];
        fetch('http://127.0.0.1:9/').then(() => done('asked'), () => done('no'));""")
    assert blocked == "no"
    browser.driver.get_log("browser")  # those complaints are what was wanted


def test_kiosk(start, browser):
    daemon, address = start_board(start)
    post(daemon, login())
    browser.open(f"{address}?kiosk&panes=units,calls")
    browser.row("units", "3-L-27")
    assert not browser.script("return document.querySelector('.tools').offsetParent")
    shown = browser.script("return [...document.querySelectorAll('.pane')].filter(p => p.offsetParent).map(p => p.dataset.pane)")
    assert shown == ["calls", "units"]


def test_phone(start, browser):
    """One column, nothing beside it; lists fold."""
    daemon, address = start_board(start)
    post(daemon, login(), call(units=[4127]), call911(), panic())
    browser.size(390, 844)
    browser.open(address)
    browser.row("units", "3-L-27")
    assert browser.script("return document.documentElement.scrollWidth") == 390
    browser.script("document.querySelector('#title-calls').click()")
    assert not browser.script("return document.querySelector('#pane-calls .row').offsetParent")
    assert browser.script("return document.querySelector('#title-calls').getAttribute('aria-expanded')") == "false"


VEILED = "return !document.querySelector('#veil').hidden"
HIDE = """Object.defineProperty(document, 'hidden', { configurable: true, get: () => HIDDEN });
    document.dispatchEvent(new Event('visibilitychange'));"""


def test_hidden(start, browser):
    """A tab that nobody looks at lets go of its stream, and has all again when somebody does."""
    daemon, address = start_board(start)
    no_wait = "const old = setTimeout; window.setTimeout = (f, ms, ...rest) => old(f, ms === 60000 ? 1 : ms, ...rest)"
    with browser.before_each_page(no_wait):
        browser.open(address)
        browser.script(HIDE.replace("HIDDEN", "true"))
        browser.wait_state("paused")
        assert "Paused" in browser.text("#veil-text")
        post(daemon, login(), call911())
        browser.script(HIDE.replace("HIDDEN", "false"))
        browser.row("units", "3-L-27")
        browser.wait_state("live")
        assert browser.event_ids() == [2, 1] and browser.script(VEILED) is False


def test_hidden_from_the_start(start, browser):
    """One that was opened in the background holds no stream either."""
    daemon, address = start_board(start)
    hidden = """const old = setTimeout; window.setTimeout = (f, ms, ...rest) => old(f, ms === 60000 ? 1 : ms, ...rest);
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });"""
    with browser.before_each_page(hidden):
        browser.open(address, "paused")
        post(daemon, login())
        browser.script(HIDE.replace("HIDDEN", "false"))
        browser.row("units", "3-L-27")
        browser.wait_state("live")


def test_between_the_answers(start, browser):
    """What is stored while the page loads is in its list."""
    daemon, address = start_board(start)
    post(daemon, login())
    slow = """const old = window.fetch, opened = new Promise(resolve => { window.openState = resolve; });
        window.fetch = async (url, ...rest) => {
          if (String(url).startsWith('api/state')) { window.asked = true; await opened; }
          return old(url, ...rest);
        }"""
    with browser.before_each_page(slow):
        browser.open(address, None)
        wait_for(lambda: browser.script("return window.asked"), "the question")
        answered = "fetch('api/events').then(answer => answer.text()).then(arguments[0])"
        assert "EVENT_UNIT_LOGIN" in browser.driver.execute_async_script(answered)  # and so is whatever was asked before
        post(daemon, call911())
        browser.script("window.openState()")
        browser.row("911", "Smoke")
        wait_for(lambda: browser.event_ids() == [2, 1], "both events")


def test_minutes(start, browser):
    """After a cut events count in the minutes in which they came, and one that is ahead counts now."""
    _, address = start_board(start)
    browser.open(address)
    minutes = browser.driver.execute_async_script("""
        const done = arguments[0], minute = 60_000, now = 600 * minute;
        import('./model.js').then(({ Model }) => {
          const model = new Model();
          model.takeSeries({ minutes: new Array(60).fill(0) }, now);
          for (const ago of [2, 2, 0, -1, 60]) model.countEvent({ community: 'main' }, now - ago * minute, now);
          done(model.minutesOf('', now));
        })""")
    assert minutes == [0] * 57 + [2, 0, 2]


def test_server_clock(start, browser):
    """A server whose clock was set is no silent one."""
    daemon, address = start_board(start)
    post(daemon, login())
    script = """const old = window.fetch;
        window.fetch = async (url, ...rest) => {
          const answer = await old(url, ...rest);
          if (!String(url).startsWith('api/state')) return answer;
          const state = await answer.json();
          return new Response(JSON.stringify({ ...state, time: '2020-01-01T00:00:00Z' }));
        };
        document.addEventListener('DOMContentLoaded', () => {
          window.states = new Set();
          new MutationObserver(() => states.add(document.querySelector('#link').dataset.state))
            .observe(document.querySelector('#link'), { attributes: true });
        });"""
    with browser.before_each_page(script):
        browser.open(address)
        for id_ in (1, 2):  # by then it has looked at the link again
            clock = browser.text("#clock")
            wait_for(lambda before=clock: browser.text("#clock") != before, "a second")
            post(daemon, call911(id_))
            browser.row("911", f"#{id_}")
        assert "stale" not in browser.script("return [...states]")


def test_stale(start, browser):
    """After 40 seconds without a word a veil says that all of it is old, until there is one."""
    daemon, address = start_board(start)
    post(daemon, login())
    other_clock = "window.skew = 0; const old = performance.now.bind(performance); performance.now = () => old() + skew"
    with browser.before_each_page(other_clock):
        browser.open(address)
        browser.row("units", "3-L-27")
        with daemon.stopped():
            browser.script("window.skew = 41000")
            browser.wait_state("stale")
            assert "what you see is old" in browser.text("#veil-text") and browser.rows("units")
        browser.wait_state("live")
        wait_for(lambda: browser.script(VEILED) is False, "the veil gone")
        post(daemon, call911())
        browser.row("911", "Smoke")


def test_token(start, browser):
    """The form, a wrong token, the right one; the cookie holds over a reload. The link's token leaves the address."""
    port, token = free_port(), "a-token-of-forty-characters-and-no-less-x"
    daemon = start(config(admin={"address": f"127.0.0.1:{port}", "token_file": "admin-token"}), files={"admin-token": token + "\n"})
    daemon.secrets.add(token)
    address = f"http://127.0.0.1:{port}/"
    post(daemon, login())
    browser.open(address, None)
    wait_for(lambda: browser.script("return document.querySelector('#sign-in').open"), "the form")
    browser.keys("not-the-token-of-this-daemon", Keys.ENTER)
    wait_for(lambda: browser.text("#sign-in-problem") == "That is not the token.", "the refusal")
    browser.keys(token, Keys.ENTER)
    browser.row("units", "3-L-27")
    browser.driver.refresh()
    browser.row("units", "3-L-27")
    assert token not in browser.script("return document.cookie + location.href + JSON.stringify(localStorage)")
    browser.driver.delete_all_cookies()
    browser.driver.get("about:blank")
    browser.driver.get(f"{address}?kiosk#token={token}")
    browser.row("units", "3-L-27")
    assert browser.driver.current_url == f"{address}?kiosk"
    browser.clean()
    browser.driver.get(address)
    wait_for(lambda: browser.script("return document.querySelector('#sign-in').open"), "the form")
    browser.script("location.hash = 'token=not-the-token-of-this-daemon'")  # as who pastes the link into that tab
    wait_for(lambda: browser.text("#sign-in-problem") == "That is not the token.", "the refusal")
    browser.script("location.hash = arguments[0]", f"token={token}")
    browser.row("units", "3-L-27")
    assert browser.driver.current_url == address and not browser.script("return document.querySelector('#sign-in').open")


def test_cut_session(start, browser):
    """It stands below the header, with its age, until it is open; only where its community is shown."""
    session = {"community_id": "x", "community": "west", "url": f"http://127.0.0.1:{free_port()}/hub"}
    both = [{"name": "default", "api_key": KEY}, {"name": "west", "api_key": WRONG_KEY}]
    daemon, address = start_board(start, communities=both, sessions=[{"name": "city", **session}])
    browser.open(address)
    wait_for(lambda: "session city: no connection to the CAD, events may be missing" in browser.text("#cuts"), "the cut")
    wait_for(lambda: any(c.isdigit() for c in browser.text("#cuts .age")), "its age")
    assert browser.script("return document.documentElement.scrollWidth <= innerWidth")
    browser.open(f"{address}?community=default")
    assert browser.text("#cuts") == ""
    browser.open(address)
    wait_for(lambda: "session city" in browser.text("#cuts"), "the cut")
    daemon.reload(settings(address.rsplit(":", 1)[1].strip("/"), communities=both))
    wait_for(lambda: browser.text("#cuts") == "", "its end")
