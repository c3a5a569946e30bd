"""A flood: 500 events a second for 20 s, and the page keeps up and does not grow. A bench; BROWSER_BENCH=1 runs it."""

import http.client
import json
import os
import threading
import time

import pytest
from board import call, login, start_board, status
from harness import PATH, PATIENCE_S, wait_for

RATE, SECONDS, UNITS, SENDERS = 500, 20, 60, 4
HEAP_MAX_BYTES = 150 << 20

pytestmark = pytest.mark.skipif(not os.environ.get("BROWSER_BENCH"), reason="a bench: BROWSER_BENCH=1")


def send(daemon, sender, begun):
    connection = http.client.HTTPConnection(*daemon.address, timeout=PATIENCE_S)
    for i in range(sender, RATE * SECONDS, SENDERS):
        time.sleep(max(0, begun + i / RATE - time.monotonic()))
        connection.request("POST", PATH, json.dumps(status(4100 + i % UNITS, i // UNITS % 5)))
        assert connection.getresponse().read() == b"ok"
    connection.close()


def test_flood(start, browser):
    daemon, address = start_board(start, store={"durability": "normal"})
    for i in range(UNITS):
        daemon.post(login(4100 + i, f"1-A-{i}", f"Unit {i}"))
    for i in range(25):
        daemon.post(call(55100 + i, f"Call {i}", [4100 + i]))
    browser.size(1920, 1080)
    browser.open(address)
    begun = time.monotonic()
    threads = [threading.Thread(target=send, args=(daemon, sender, begun)) for sender in range(SENDERS)]
    for thread in threads:
        thread.start()
    behind = []
    while any(thread.is_alive() for thread in threads):
        behind.append(browser.script("const began = performance.now(); return [performance.memory.usedJSHeapSize, began]")[0])
        time.sleep(0.5)
    for thread in threads:
        thread.join()
    ended = time.monotonic()
    last = UNITS + 25 + RATE * SECONDS
    wait_for(lambda: browser.event_ids()[:1] == [last], "the last event")
    caught_up = time.monotonic() - ended
    heap = max(behind)
    print(f"sent in {ended - begun:.1f} s, the page had all {caught_up:.2f} s later, heap at most {heap >> 20} MB")
    assert browser.text("#link-word") == "live"
    assert heap < HEAP_MAX_BYTES
