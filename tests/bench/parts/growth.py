"""The same work at 0.1, 1 and 10 million events."""

import load
import logs
import sql
from parts.export import seconds as export_seconds
from parts.rebuild import seconds as rebuild_seconds
from report import Failure, Row, median
from served import Server

SMALLEST = 100000
KINDS = {  # what is measured -> (unit's name, least ratio of the largest to the smallest)
    "append": ("POST /events, 32 connections", 0.7),
    "get": ("GET /events/{id}, 32 connections", 0.7),
    "list": ("GET /events?person_id=, 100 rows, 32 connections", None),
    "export": ("export, records", 0.8),
    "rebuild": ("rebuild, rows", 0.8),
}


def sizes(most):
    size, found = SMALLEST, []
    while size <= most:
        found.append(size)
        size *= 10
    return found


def growth(world):
    """append, read by id, list, export and rebuild as the log grows"""
    of = {size: at(world, size) for size in sizes(world.options.growth)}
    world.growth = {size: {kind: median(values) for kind, values in found.items()}
                    for size, found in of.items()}
    smallest, largest = min(of), max(of)
    if smallest == largest:
        raise Failure(f"growth needs at least {10 * SMALLEST} events")
    return [Row(f"{work}, at {largest:,} events", "/s", of[largest][kind],
                of[smallest][kind], f"at {smallest:,} events", target=least)
            for kind, (work, least) in KINDS.items()]


def at(world, events):
    world.say(f"growth: {events:,} events")
    server = Server(world, logs.log_of(world, events)).build().start()
    server.settle()
    ids = load.people(server, 40)
    found = reads(world, server, ids)
    found.update(whole(world, server))
    found.update(world.rounds(append=lambda: append(world, server, ids)))
    server.settle()
    server.verify()
    world.drop(server)
    return found


def reads(world, server, ids):
    with open(load.batch_lines(world, ids)) as bodies:  # lists of persons with many events
        for body in bodies:
            server.ask("POST", "/events/batch", body.strip())
    server.settle()
    events = load.write_lines(world, "events", (
        f"/events/{each}" for each in sql.sample(server, "event", 20000)))
    lists = load.write_lines(world, "lists", (
        f"/events?person_id={each}&limit=100" for each in ids))
    load.wrk(world, server.port, 32, "GET", events, seconds=1)  # warm
    return world.rounds(
        get=lambda: load.wrk(world, server.port, 32, "GET", events)["per_s"],
        list=lambda: load.wrk(world, server.port, 32, "GET", lists)["per_s"])


def whole(world, server):
    head = server.head()
    rows = sql.count(server, "person") + sql.count(server, "event")
    return world.rounds(export=lambda: head / export_seconds(server),
                        rebuild=lambda: rows / rebuild_seconds(server))


def append(world, server, ids):
    server.settle()
    return load.posted(world, server, 32, load.post_lines(world, ids))["per_s"]
