"""The projection when it is behind."""

import time

import copying
import imports
import logs
from report import Row
from served import Server


def catchup(world):
    """projection catching up, from nothing and from behind, against COPY binary"""
    return [from_nothing(world), from_behind(world)]


def from_nothing(world):
    """A new PostgreSQL follows a log that is there."""
    log = logs.log_of(world, world.options.events)
    return measure(world, "a new PostgreSQL", lambda: Server(world, log, log_level="info"),
                   0)


def from_behind(world):
    """Tables that were at the head when a million events were appended."""
    server = Server(world).start()
    server.settle()
    files = imports.write(world, world.options.events)
    server.stop()
    server.run("import", *files)
    row = measure(world, "from behind",
                  lambda: Server(world, like=server.data_dir, log_level="info"), 0)
    world.drop(server)
    return row


def measure(world, work, make, before):
    records, servers = [], []

    def ours():
        while servers:
            world.drop(servers.pop())
        server = make()
        servers.append(server)
        seconds, head = caught_up(server)
        records.append(head - before)
        return records[-1] / seconds

    def copy():
        return records[-1] / copying.seconds_indexed(world, servers[-1])

    found = world.rounds(projected=ours, copy=copy)
    servers[-1].verify(tables=True)
    world.drop(servers.pop())
    return Row(f"projection catching up, {work}, records", "/s", found["projected"],
               found["copy"], "COPY binary, indexed", target=0.8)


def caught_up(server):
    """Seconds from the projector's start to the head, and the head."""
    server.spawn()
    server.until(lambda: "projector started" in server.said(), "the projector's start",
                 pause=0.002)
    begin = time.monotonic()
    server.wait_ready()
    while True:
        health = server.health()
        if health["projected"] >= health["head"] > 0:
            return time.monotonic() - begin, health["head"]
        time.sleep(0.01)
