"""What it costs to keep the tables while nobody reads them."""

import load
import processor
import sql
from report import Row
from served import Server

WRITERS = 32


def projection(world):
    """processor time that projecting takes, a record, while 32 write and nobody reads"""
    server = Server(world).start()
    bodies = load.post_lines(world, load.people(server, 1000))
    load.posted(world, server, WRITERS, bodies, seconds=1)  # warm

    def round_(connections):
        return cost(world, server, bodies, connections)

    found = world.rounds(many=lambda: round_(WRITERS), one=lambda: round_(1))
    server.verify(tables=True)
    world.drop(server)
    return [Row("projection, 32 writers and no reader, processor a record", "µs",
                found["many"]),
            Row("projection, 1 writer and no reader, processor a record", "µs",
                found["one"])]


def cost(world, server, bodies, connections):
    """Microseconds a record, with what a checkpoint writes of it."""
    quiet(server)
    before, head = processor.projection(server), server.head()
    load.posted(world, server, connections, bodies)
    quiet(server)
    return (processor.projection(server) - before) / (server.head() - head)


def quiet(server):
    server.settle()
    sql.psql(server, "checkpoint;")
