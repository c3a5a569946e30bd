#!/usr/bin/python3
"""follow.py WHERE PLACE - tells each event of sonoran-pushd as it comes, and misses none: how far it is stands in the
file PLACE, over restarts of either side. WHERE is http://127.0.0.1:30121 with the token in $TOKEN, or the path of the
control socket. Python without packages; what a bot does with an event goes into handle()."""

import http.client, json, os, socket, sys, time

where, file = sys.argv[1:]
headers = {"Authorization": "Bearer " + os.environ["TOKEN"]} if "TOKEN" in os.environ else {}
place = json.load(open(file)) if os.path.exists(file) else None  # None: begins with the next event


def handle(event):
    print(event["id"], event["type"], event["summary"], flush=True)


def connect():
    if where.startswith("http"):
        return http.client.HTTPConnection(where.split("/")[2], timeout=40)
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(40)
    connection.sock.connect(where)
    return connection


def follow():
    global place
    connection, log, fields = connect(), None, {}
    connection.request("GET", "/api/stream" + (f"?from={place['id']}&log={place['log']}" if place else ""), headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        print("status", answer.status, file=sys.stderr)
    while (line := answer.readline().decode()).endswith("\n") and answer.status == 200:
        name, _, value = line.rstrip("\n").partition(": ")
        if name:
            fields[name] = value
            continue
        data, number = json.loads(fields.get("data", "null")), fields.get("id")
        if fields.get("event") == "hello":
            log = data["log"]
        elif fields.get("event") == "log":
            handle(data)
        elif fields.get("event") == "reset":
            print("events may be missing:", data["why"], file=sys.stderr)
        if number:
            place = {"id": int(number), "log": log}
            with open(file + ".new", "w") as new:
                json.dump(place, new)
            os.replace(file + ".new", file)
        fields = {}


while True:
    try:
        follow()
    except (OSError, http.client.HTTPException, ValueError) as problem:
        print("again in 2 s:", problem, file=sys.stderr)
    time.sleep(2)
