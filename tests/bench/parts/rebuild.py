"""Rebuild of the tables."""

import time

import copying
import logs
import sql
from report import Failure, Row
from served import Server


def rebuild(world):
    """rebuild beside a server against \\copy binary and indexes afterwards"""
    server = Server(world, logs.log_of(world, world.options.events)).start()
    server.settle()
    rows = sum(sql.count(server, table) for table in copying.TABLES)
    files = copying.rows(world, server)
    found = world.rounds(
        rebuild=lambda: rows / seconds(server),
        copy=lambda: rows / copying.seconds_indexed_after(world, server, files))
    check(server, rows)
    world.drop(server)
    return [Row("rebuild, rows", "/s", found["rebuild"], found["copy"],
                "COPY binary, indexes after", target=0.8)]


def seconds(server):
    begin = time.monotonic()
    server.run("rebuild")
    return time.monotonic() - begin


def check(server, rows):
    now = sum(sql.count(server, table) for table in copying.TABLES)
    if now != rows:
        raise Failure(f"{rows} rows before the rebuild, {now} after it")
    server.verify(tables=True)
