"""One event, one person."""

import json

import ceilings
import load
import logs
import sql
from report import Failure, Row
from served import Server

CONNECTIONS = 32
IDS = 20000


def get(world):
    """GET of one event and one person by id against pgbench's select by primary key"""
    server = Server(world, logs.log_of(world, world.options.events)).start()
    server.settle()
    sql.prepare_selects(server)
    rows = by_id(world, server, "event") + by_id(world, server, "person")
    world.drop(server)
    return rows


def by_id(world, server, table):
    ids = sql.sample(server, table, IDS)
    paths = load.write_lines(world, table, (f"/{table}s/{each}" for each in ids))
    count = sql.count(server, table)
    check(server, table, ids[:100])
    sql.check_select(server, table, count)
    load.wrk(world, server.port, CONNECTIONS, "GET", paths, seconds=1)  # warm
    constant = ceilings.HttpCeiling(world, "constant")
    found = world.rounds(
        get=lambda: load.wrk(world, server.port, CONNECTIONS, "GET", paths)["per_s"],
        pgbench=lambda: sql.pgbench(server, table, count, CONNECTIONS),
        constant=lambda: load.wrk(world, constant.port, CONNECTIONS, "GET",
                                  paths)["per_s"])
    world.drop(constant)
    work = f"GET /{table}s/{{id}}, {CONNECTIONS} connections"
    return [Row(work, "/s", found["get"], found["pgbench"], "pgbench select by id",
                target=1.0),
            Row(work, "/s", found["get"], found["constant"], "a constant answer")]


def check(server, table, ids):
    """What is answered is what the table has."""
    column = "event_type" if table == "event" else "email"
    among = ",".join(f"'{each}'" for each in ids)
    for line in sql.psql(server, f"select id, {column} from {sql.SCHEMA}.{table} "
                                 f"where id in ({among});"):
        one, value = line.split("|", 1)
        answer = server.data(f"/{table}s/{one}")
        if (answer["id"], answer[column]) != (one, value):
            raise Failure(f"GET /{table}s/{one} answered {json.dumps(answer)[:200]}")
