"""load.py KEY FIRST STOP RESULT - posts 911 calls numbered from FIRST on, each on a connection of its own, from four
threads, until the file STOP is there; then writes what became of them to RESULT. Runs inside the container."""

import http.client
import itertools
import json
import os
import sys
import threading

PORT, THREADS, PATIENCE_S = 30120, 4, 180
key, first, stop, result = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
numbers = itertools.count(first)
outcome = {"ok": [], "refused": 0, "unanswered": 0, "other": {}}
lock = threading.Lock()


def post(number):
    body = json.dumps({"key": key, "type": "EVENT_911", "data": {"call": {
        "callId": number, "isEmergency": False, "caller": "load", "location": "here", "description": "load"}}})
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE_S)
    try:
        connection.connect()
    except OSError as error:
        return "refused", str(error)
    try:
        connection.request("POST", "/sonorancad/event", body)
        answer = connection.getresponse()
        return ("ok", None) if answer.status == 200 and answer.read() == b"ok" else ("other", str(answer.status))
    except (OSError, http.client.HTTPException) as error:
        return "unanswered", type(error).__name__
    finally:
        connection.close()


def work():
    while not os.path.exists(stop):
        number = next(numbers)
        what, detail = post(number)
        with lock:
            if what == "ok":
                outcome["ok"].append(number)
            elif what == "other":
                outcome["other"][detail] = outcome["other"].get(detail, 0) + 1
            else:
                outcome[what] += 1


threads = [threading.Thread(target=work) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(result + ".new", "w", encoding="ascii") as file:
    json.dump(outcome, file)
os.rename(result + ".new", result)
