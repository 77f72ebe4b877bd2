"""From the start of the process to the first answer."""

import http.client
import time

import load
import logs
from report import Failure, Row
from served import Server

TARGET = 2  # seconds


def start(world):
    """start on a long log, after a clean stop and after a kill under load"""
    events = world.options.growth
    server = Server(world, logs.log_of(world, events)).build().start()
    server.settle()
    ids = load.people(server, 10)
    bodies = load.post_lines(world, ids)
    path = "/events/" + server.data("/events?limit=1")[0]["id"]
    server.settle()
    found = world.rounds(stopped=lambda: after_stop(server, path),
                         killed=lambda: after_kill(world, server, bodies, path))
    server.settle()
    server.verify()
    world.drop(server)
    return [Row(f"start with {events:,} events, after a {how}", "s", found[name],
                target=TARGET, most=True)
            for how, name in (("clean stop", "stopped"), ("kill under load", "killed"))]


def after_stop(server, path):
    server.settle()
    server.stop()
    return first_answer(server, path)


def after_kill(world, server, bodies, path):
    """What was acknowledged before the kill must be there after it."""
    writers = load.Background(world, server.port, 32, 30, "POST", bodies, "/events")
    time.sleep(1.5)
    acknowledged = server.head()  # all before it was committed
    server.kill()
    writers.process.kill()
    writers.process.communicate()
    world.open.remove(writers)
    seconds = first_answer(server, path)
    if server.head() < acknowledged:
        raise Failure(f"the log ends at {server.head()}, {acknowledged} was acknowledged")
    return seconds


def first_answer(server, path):
    """Seconds until GET of an event is answered with it."""
    begin = time.monotonic()
    server.spawn()
    server.wait_ready()
    while True:
        try:
            server.ask("GET", path)
            return time.monotonic() - begin
        except (OSError, http.client.HTTPException, Failure):
            if time.monotonic() > begin + 60:
                raise
            time.sleep(0.005)
