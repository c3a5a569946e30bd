"""A browser with a board in it: what is seen there, and what can be done."""

import base64
import contextlib

from harness import config, event, free_port, wait_for

EXPECTED_IN_LOG = ("net::ERR_", "Failed to load resource", "Password forms should have")  # cuts, refusals
WITHOUT_AGE = "row => row.innerText.replace(row.querySelector('.age')?.innerText ?? '', '')"


def settings(port, **changes):
    """Of a daemon whose board is at this port."""
    return config(admin={"address": f"127.0.0.1:{port}"}, **changes)


def start_board(start, env=None, **changes):
    """(daemon, address of its board)."""
    port = free_port()
    return start(settings(port, **changes), env=env), f"http://127.0.0.1:{port}/"


def login(id_=4127, number="3-L-27", name="Mara Ellison", status=2, **unit):
    data = {"unitNum": number, "name": name, "department": "Calder County Sheriff", "group": "", "page": 0, "apiIds": []}
    unit = {"id": id_, "accId": f"acc-{id_}", "status": status, "isPanic": False, "location": "Pier Rd", "data": data, **unit}
    return event("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False, "selfDispatch": False})


def status(id_, status):
    return event("EVENT_UNIT_STATUS", {"identIds": [id_], "status": status})


def panic(id_=4127, on=True):
    return event("EVENT_UNIT_PANIC", {"identIds": [id_], "isPanic": on})


def call(id_=55120, title="Structure Fire", units=(), **more):
    dispatch = {"callId": id_, "origin": 0, "status": 1, "priority": 2, "block": "100", "address": "118 Lantern St",
                "postal": "7042", "title": title, "code": "10-70", "description": "Attic fire", "notes": [],
                "idents": list(units), "metaData": {}, **more}
    return event("EVENT_DISPATCH_NEW", {"dispatch": dispatch})


def call911(id_=90417, description="Smoke from the attic", **more):
    return event("EVENT_911", {"call": {"callId": id_, "isEmergency": True, "caller": "John Doe",
                                        "location": "118 Lantern St", "description": description, **more}})


def post(daemon, *bodies):
    for body in bodies:
        answer = daemon.post(body)
        assert answer.status == 200, answer


class Browser:
    def __init__(self, driver):
        self.driver = driver
        self.script = driver.execute_script
        self.size(1280, 720)
        self.clean()

    def clean(self):
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get_log("browser")

    def finish(self):
        log = [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]
        self.clean()
        wrong = [line for line in log if not any(words in line for words in EXPECTED_IN_LOG)]
        assert not wrong, wrong

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def open(self, address, state="live"):
        self.driver.get(address)
        self.script("localStorage.clear()")
        self.driver.get(address)
        if state:
            self.wait_state(state)
        return self

    @contextlib.contextmanager
    def before_each_page(self, script):
        """Runs the script in each page before its own."""
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    # What is seen

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def rows(self, pane):
        """The text of each row, in one line and without its age, which ticks."""
        return [" ".join(text.split()) for text in self.script(
            f"return [...document.querySelectorAll(`#pane-${{arguments[0]}} .row`)].map({WITHOUT_AGE})", pane)]

    def row(self, pane, *words):
        """The first row that has all of the words, as soon as there is one."""
        return wait_for(lambda: next((row for row in self.rows(pane) if all(word in row for word in words)), None),
                        f"{words} in {pane}")

    def event_ids(self):
        """Newest first."""
        return self.script("return [...document.querySelectorAll('#pane-feed .event')].map(line => Number(line.dataset.id))")

    def focused(self):
        return " ".join(self.script(f"return ({WITHOUT_AGE})(document.activeElement)").split())

    def wait_state(self, *words):
        return wait_for(lambda: self.text("#link-word") in words and self.text("#link-word"), f"the link {words}")

    def wait_gone(self, pane, *words):
        wait_for(lambda: not any(all(word in row for word in words) for row in self.rows(pane)), f"no {words} in {pane}")

    # What is done

    def keys(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def picture(self, file):
        png = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
        file.write_bytes(base64.b64decode(png))
