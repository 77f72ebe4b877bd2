"""PostgreSQL asked without the product: psql, pgbench, \\copy."""

import os
import re

from report import Failure
from world import HERE

SCHEMA = "daybook"
PERSONS = os.path.join(HERE, "parts", "persons.sql")


def environment(server):
    return {"PATH": os.environ["PATH"], "PGHOST": server.socket_dir,
            "PGDATABASE": "postgres", "PGUSER": "daybook"}


def psql(server, text):
    """Run statements and psql's own commands; returns the rows, columns by |."""
    path = server.world.path("sql")
    with open(path, "w") as file:
        file.write(text)
    out = server.world.run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-f", path,
                           env=environment(server))
    return out.splitlines()


def sample(server, table, count):
    """Ids of rows, spread over the table."""
    return psql(server, f"select id from {SCHEMA}.{table} order by md5(id::text) "
                        f"limit {count};")


def prepare_selects(server):
    """Copies of the tables whose ids can be computed from a number: pgbench has no other
    way to a random id without asking for it first. Rows and columns are the same."""
    psql(server, open(os.path.join(HERE, "selects.sql")).read())


def check_select(server, table, count):
    """The select is answered by the primary key, and finds its row."""
    script = _script(table, count).split("\n", 1)[1].replace(":n", str(count // 2))
    plan = psql(server, "explain " + script)
    if not any("Index Scan using" in line and "_pkey" in line for line in plan):
        raise Failure(f"pgbench's select is not by primary key: {plan}")
    if len(psql(server, script)) != 1:
        raise Failure("pgbench's select does not find its row")


def pgbench(server, table, count, clients):
    """Selects a second by primary key, prepared."""
    path = server.world.path("select")
    with open(path, "w") as file:
        file.write(_script(table, count))
    return pgbench_script(server, path, clients, server.world.seconds)


def pgbench_script(server, path, clients, seconds):
    """How often a second the script in this file is run."""
    out = server.world.run(
        "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", min(2, clients), "-T",
        max(1, round(seconds)), "-f", path, env=environment(server))
    return float(re.search(r"^tps = ([\d.]+)", out, re.M)[1])


def _script(table, count):
    return (f"\\set n random(1, {count})\n"
            f"select * from bench.{table} where id = lpad(to_hex(:n::bigint), 32, '0')"
            "::uuid;\n")


def count(server, table):
    return int(psql(server, f"select count(*) from {SCHEMA}.{table};")[0])
