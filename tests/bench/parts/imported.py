"""Import of files."""

import time

import ceilings
import imports
from report import Failure, Row
from served import Server


def imported(world):
    """import of events beside a server, and without one, against in-process append"""
    events = world.options.events
    files = imports.write(world, events)
    found = world.rounds(beside=lambda: beside(world, files, events),
                         alone=lambda: alone(world, files, events),
                         append=lambda: ceilings.append_rate(world, events, "import"),
                         store=lambda: ceilings.store_rate(world, events))
    work = f"import of {events:,} events"
    return [Row(work, "/s", found["beside"], found["append"], "append in process",
                target=0.5),
            Row(work, "/s", found["beside"], found["store"], "the store in process"),
            Row(f"{work}, no server running", "/s", found["alone"], found["append"],
                "append in process")]


def beside(world, files, events):
    """Its server projects what is imported while it is imported."""
    server = Server(world).start()
    server.settle()
    rate = timed(server, files, events)
    if server.head() != imports.records(events):
        raise Failure(f"{server.head()} records after an import of {events} events")
    server.settle()
    server.verify()
    world.drop(server)
    return rate


def alone(world, files, events):
    server = Server(world)
    rate = timed(server, files, events)
    world.drop(server)
    return rate


def timed(server, files, events):
    begin = time.monotonic()
    server.run("import", *files)
    return events / (time.monotonic() - begin)
