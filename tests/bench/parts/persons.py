"""A page of persons with their events."""

import json

import load
import processor
import sql
from report import Failure, Row
from served import Server

PERSONS = 100
EVENTS = 10  # of each
PATH = f"/persons?limit={PERSONS}"


def persons(world):
    """GET /persons, 100 with ten events each, against PostgreSQL's own time for the rows"""
    server = Server(world).start()
    give_events(server, load.people(server, 2 * PERSONS))
    server.settle()
    sql.psql(server, f"vacuum analyze {sql.SCHEMA}.person, {sql.SCHEMA}.event;")
    check(server)
    costs = {"page": [], "sql": []}
    paths = load.write_lines(world, "persons", [PATH])

    def page():
        return costing(server, costs["page"], lambda: load.wrk(
            world, server.port, 1, "GET", paths)["per_s"], processor.server)

    def rows():
        return costing(server, costs["sql"], lambda: sql.pgbench_script(
            server, sql.PERSONS, 1, world.seconds), processor.of_postgres)

    found = world.rounds(page=page, sql=rows)
    world.drop(server)
    work = f"GET /persons, {PERSONS} with {EVENTS} events each, 1 connection"
    alone = "PostgreSQL alone, the same rows"
    return [Row(work, "/s", found["page"], found["sql"], alone, target=0.7),
            Row(f"{work}, processor each", "ms", costs["page"], costs["sql"], alone)]


def costing(server, costs, run, spent):
    """A load's answers a second; and milliseconds of processor that each took."""
    before = spent(server)
    per_s = run()
    costs.append((spent(server) - before) / 1e3 / (per_s * server.world.seconds))
    return per_s


def give_events(server, ids):
    for each in ids:
        events = ",".join(load.event_body(each, 10000 + i) for i in range(EVENTS - 1))
        server.ask("POST", "/events/batch", f"[{events}]")  # one it has since it was created


def check(server):
    """The page is whole, and each on it has its events."""
    page = json.loads(server.ask("GET", PATH)[1])["data"]
    if len(page) != PERSONS or any(len(each["events"]) != EVENTS for each in page):
        raise Failure(f"GET {PATH} answered {len(page)} persons with "
                      f"{sum(len(each['events']) for each in page)} events")
