"""What sealing costs."""

import itertools
import os

import load
from parts.rebuild import seconds
from report import Row
from served import Server

BATCH = 100
FILL = 1000  # events a request that fills the logs


def sealed(world):
    """A sealed log against one that is not: POST, batches, GET of a person, rebuild, bytes"""
    servers = {name: Server(world, settings={"SEALED": name}).start()
               for name in ("true", "false")}
    people = {name: load.people(server) for name, server in servers.items()}
    rows = [written(world, servers, people, connections) for connections in (32, 128)]
    rows.append(batches(world, servers, people))
    for name, server in servers.items():
        world.drop(server)
    return rows + read(world)


def compared(world, servers, measure):
    """measure(server, which) of both in turn, when neither has anything left to do: what
    one round leaves would be done, and weighed, in the next."""
    def of(name):
        def one():
            for server in servers.values():
                server.rest()
            return measure(servers[name], name)
        return one

    found = world.rounds(sealed=of("true"), plain=of("false"))
    return found["sealed"], found["plain"]


def written(world, servers, people, connections):
    lines = {name: load.post_lines(world, ids) for name, ids in people.items()}
    for name, server in servers.items():
        load.posted(world, server, connections, lines[name], seconds=1)  # warm
    ours, plain = compared(world, servers, lambda server, name: load.posted(
        world, server, connections, lines[name])["per_s"])
    return Row(f"POST /events, sealed, {connections} connections", "/s", ours, plain,
               "not sealed", target=0.95)


def batch_lines(world, ids):
    def batch(first):
        return "[" + ",".join(load.event_body(ids[i % len(ids)], 10000 + i)
                              for i in range(first, first + BATCH)) + "]"
    return load.write_lines(world, "batches", (batch(i * BATCH) for i in range(64)))


def batches(world, servers, people):
    lines = {name: batch_lines(world, ids) for name, ids in people.items()}
    ours, plain = compared(world, servers, lambda server, name: BATCH * load.posted(
        world, server, 4, lines[name], "/events/batch", BATCH)["per_s"])
    return Row(f"POST /events/batch of {BATCH}, sealed, 4 connections, events", "/s", ours,
               plain, "not sealed", target=0.8)


def read(world):
    """Of two logs that have the same in them."""
    servers = {name: filled(world, name) for name in ("true", "false")}
    lines = {name: load.write_lines(world, "person", (f"/persons/{each}" for each in ids))
             for name, (_, ids) in servers.items()}
    servers = {name: server for name, (server, _) in servers.items()}
    got, plain = compared(world, servers, lambda server, name: load.wrk(
        world, server.port, 32, "GET", lines[name])["per_s"])
    records = servers["true"].head()
    built, loaded = compared(world, servers, lambda server, name:
                             records / seconds(server))
    bytes_of = {name: [os.stat(os.path.join(server.log_dir, "data.mdb")).st_blocks * 512 /
                       server.head()] for name, server in servers.items()}
    for server in servers.values():
        server.verify()
        world.drop(server)
    return [Row("GET /persons/{id}, sealed, 32 connections", "/s", got, plain, "not sealed",
                target=0.95),
            Row("rebuild, sealed, records", "/s", built, loaded, "not sealed", target=0.85),
            Row("a record in the log, sealed", "B", bytes_of["true"], bytes_of["false"],
                "not sealed", target=1.2, most=True)]


def filled(world, name):
    """A server whose log has the events, of one person in a hundred of them; and who."""
    server = Server(world, settings={"SEALED": name}).start()
    ids = load.people(server, max(100, world.options.events // 100))
    numbers = itertools.count()
    for _ in range(max(1, world.options.events // FILL)):
        server.ask("POST", "/events/batch", "[" + ",".join(
            load.event_body(ids[n % len(ids)], n)
            for n in itertools.islice(numbers, FILL)) + "]")
    server.settle()
    return server, ids
