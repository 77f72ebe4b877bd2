"""Lists of 100 rows."""

import ceilings
import json
import load
import logs
import sql
from report import Failure, Row
from served import Server

CONNECTIONS = 32
LIMIT = 100


def lists(world):
    """GET /events?person_id= and keyword=, 100 rows, against the same bytes from memory"""
    server = Server(world, logs.log_of(world, world.options.events)).start()
    give_events(world, server)
    server.settle()
    rows = [measure(world, server, "person_id", persons_with_many(server)),
            measure(world, server, "keyword", keyword_pages(server))]
    world.drop(server)
    return rows


def give_events(world, server):
    """The generated persons have some 20 events each: make some who have more."""
    with open(load.batch_lines(world, load.people(server, 40))) as bodies:
        for body in bodies:
            server.ask("POST", "/events/batch", body.strip())


def persons_with_many(server):
    ids = sql.psql(server, f"select person_id from {sql.SCHEMA}.event group by 1 "
                           f"having count(*) >= {LIMIT} limit 1000;")
    return [f"/events?person_id={each}&limit={LIMIT}" for each in ids]


def keyword_pages(server):
    """Pages all over the log."""
    head = server.head()
    return [f"/events?keyword={word}&limit={LIMIT}&after={head * i // 60}"
            for i in range(50) for word in ("click", "view", "page_edit", "purchase")]


def measure(world, server, filter_by, paths):
    file = load.write_lines(world, filter_by, paths)
    answer = check(server, paths)
    bytes_path = world.path("answer")
    with open(bytes_path, "wb") as out:
        out.write(answer)
    memory = ceilings.HttpCeiling(world, "memory", bytes_path)
    load.wrk(world, server.port, CONNECTIONS, "GET", file, seconds=1)  # warm
    found = world.rounds(
        list=lambda: load.wrk(world, server.port, CONNECTIONS, "GET", file)["per_s"],
        memory=lambda: load.wrk(world, memory.port, CONNECTIONS, "GET", file)["per_s"])
    world.drop(memory)
    return Row(f"GET /events?{filter_by}=, {LIMIT} rows, {CONNECTIONS} connections", "/s",
               found["list"], found["memory"], "the same bytes from memory", target=0.15)


def check(server, paths):
    """Each of some pages is full and in order; returns the one of median length."""
    answers = []
    for path in paths[:20]:
        answer = server.ask("GET", path)[1]
        events = json.loads(answer)["data"]
        if len(events) != LIMIT or len({event["id"] for event in events}) != LIMIT:
            raise Failure(f"GET {path} answered {len(events)} events")
        answers.append(answer)
    return sorted(answers, key=len)[len(answers) // 2]
