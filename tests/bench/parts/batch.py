"""POST /events/batch of 1,000 events."""

import ceilings
import load
from report import Row
from served import Server

CONNECTIONS = 4


def batch(world):
    """POST /events/batch of 1,000 on 4 connections against in-process append"""
    server = Server(world).start()
    ids = load.people(server)
    bodies = load.batch_lines(world, ids)
    load.posted(world, server, CONNECTIONS, bodies, "/events/batch", load.BATCH, 1)
    counts = []

    def ours():
        server.settle()
        found = load.posted(world, server, CONNECTIONS, bodies, "/events/batch",
                            load.BATCH)
        counts.append(found["requests"] * load.BATCH)
        return found["per_s"] * load.BATCH

    def append():
        server.settle()
        return ceilings.append_rate(world, counts[-1])

    def store():
        server.settle()
        return ceilings.store_rate(world, counts[-1])

    found = world.rounds(batch=ours, append=append, store=store)
    server.settle()
    server.verify()
    world.drop(server)
    work = "POST /events/batch of 1,000, 4 connections, events"
    return [Row(work, "/s", found["batch"], found["append"], "append in process",
                target=0.5),
            Row(work, "/s", found["batch"], found["store"], "the store in process"),
            Row(work, "/s", found["batch"], target=100000)]
