"""Export of a whole log."""

import json
import time

import ceilings
import logs
from report import Failure, Row
from served import Server


def export(world):
    """export of NDJSON to /dev/null against a bare scan that decodes"""
    server = Server(world, logs.log_of(world, world.options.events)).start()
    server.settle()
    row = measure(world, server)
    world.drop(server)
    return [row]


def measure(world, server):
    head = server.head()
    check(server, head)
    found = world.rounds(export=lambda: head / seconds(server),
                         scan=lambda: ceilings.scan(world, server.log_dir)[1])
    return Row("export of NDJSON to /dev/null, records", "/s", found["export"],
               found["scan"], "a scan that decodes", target=0.5)


def seconds(server):
    begin = time.monotonic()
    with open("/dev/null", "wb") as nowhere:
        server.run("export", "-", stdout=nowhere)
    return time.monotonic() - begin


def check(server, head):
    """A file of it has every record, and says so; the scan sees as many."""
    path = server.world.path("export.ndjson")
    about = json.loads(server.run("export", path, "--json"))["export"]
    with open(path, "rb") as file:
        lines = sum(1 for line in file if b'"sequence"' in line)
    server.world.run("rm", path)
    scanned = ceilings.scan(server.world, server.log_dir)[0]
    if not (about["records"] == lines == scanned == head):
        raise Failure(f"the log has {head} records, {lines} were exported, {scanned} "
                      f"scanned; {about}")
