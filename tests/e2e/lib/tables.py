"""The read tables as they lie in PostgreSQL, by psql."""

import os
import subprocess

from postgres import programs


def query(server, sql):
    """Run SQL with the server's settings, its schema first; the rows as text. As one transaction:
    again where a server that posts meanwhile holds what it waits for."""
    env = dict(server.env, PGOPTIONS=f"-c search_path={server.env['DB_SCHEMA']}")
    done = subprocess.run(
        [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-v",
         "ON_ERROR_STOP=1", "-h", env["DB_HOST"], "-U", env["DB_USER"], "-d",
         env["DB_NAME"], "-c", sql],
        env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120, check=False)
    if "deadlock detected" in done.stderr:
        return query(server, sql)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refuse_bad(server, table="person", bad="first_name = 'bad'"):
    """From now on PostgreSQL refuses such rows, so that the projector sets them aside."""
    take_bad(server, table)
    query(server, f"alter table {table} add constraint no_bad check (not ({bad})) not valid")


def take_bad(server, table="person"):
    """No more: what was set aside can be tried again."""
    query(server, "set client_min_messages = warning; "
                  f"alter table {table} drop constraint if exists no_bad")


class Held:
    """What a statement takes in a transaction of its own, until the end of the block."""

    def __init__(self, server, statement):
        self.process = subprocess.Popen(
            [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-v",
             "ON_ERROR_STOP=1", "-h", server.env["DB_HOST"], "-U", server.env["DB_USER"],
             "-d", server.env["DB_NAME"]],
            env=server.env, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.process.stdin.write(
            f"begin; {statement};\nselect 'held', pg_backend_pid();\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while line and not line.startswith("held|"):  # rows of the statement's own
            line = self.process.stdout.readline()
        assert line, f"psql ended: {statement}"
        self.pid = int(line.split("|")[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def release(self):
        if self.process.poll() is None:
            self.process.communicate("rollback;\n", timeout=60)


class Locked(Held):
    """A table of the server's that nobody else can read, or with another mode can write."""

    def __init__(self, server, table, mode="access exclusive"):
        schema = server.env["DB_SCHEMA"]
        super().__init__(server, f"lock table {schema}.{table} in {mode} mode")


def waiting_for(server, held):
    """How many sessions wait for what is held."""
    return int(query(server, "select count(*) from pg_stat_activity "
                             f"where {held.pid} = any(pg_blocking_pids(pid))"))


def rows(server):
    """Every row of both tables, whole, in one order."""
    return (query(server, "select person from person order by id"),
            query(server, "select event from event order by id"))


def schemas(server):
    """The schemas there are of this server's, and of what belongs to it."""
    name = server.env["DB_SCHEMA"]
    return query(server, "select nspname from pg_namespace where nspname like "
                         f"'{name}%' order by 1").split()


def drop_schemas(server):
    for name in schemas(server):
        query(server, f'set client_min_messages = warning; drop schema "{name}" cascade')
