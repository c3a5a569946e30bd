#!/usr/bin/python3
"""group.py URL GROUP NAME KEY... - tells each event that nodes of sonoran-pushd publish to streams of Redis, and shares
them with the others of its GROUP, each of which has a NAME of its own. What one was given and did not acknowledge comes
again when it is started again: so an event may come twice, and its log and id tell. What a bot does with one goes into
handle(). With Debian's python3-redis."""

import json, sys, time, redis

url, group, name, *keys = sys.argv[1:]
server = redis.Redis.from_url(url, decode_responses=True, socket_timeout=20)


def handle(event):
    print(event["log"], event["id"], event["type"], event["summary"], flush=True)


def read(place):
    """What comes, up to 10 s: place ">" is what nobody has had, "0" what we were given and did not acknowledge."""
    came = False
    for key, entries in server.xreadgroup(group, name, dict.fromkeys(keys, place), count=100, block=10000) or []:
        for entry, members in entries:
            if members:  # else the stream has forgotten it
                handle(json.loads(members["record"]))
            server.xack(key, group, entry)
            came = True
    return came


def make_groups():
    for key in keys:
        try:
            server.xgroup_create(key, group, "0", mkstream=True)
        except redis.ResponseError as problem:
            if "BUSYGROUP" not in str(problem):  # it is there
                raise


while True:
    try:
        make_groups()  # also after the server has lost them
        while read("0"):
            pass
        while True:
            read(">")
    except redis.RedisError as problem:
        print("again in 2 s:", problem, file=sys.stderr)
        time.sleep(2)
