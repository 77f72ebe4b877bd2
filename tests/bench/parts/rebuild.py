"""Rebuild of the tables."""

import os
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
    peaks = []

    def ours():
        taken, peak = measured(server)
        peaks.append(peak)
        return rows / taken

    found = world.rounds(
        rebuild=ours,
        copy=lambda: rows / copying.seconds_indexed_after(world, server, files))
    check(server, rows)
    world.drop(server)
    return [Row("rebuild, rows", "/s", found["rebuild"], found["copy"],
                "COPY binary, indexes after", target=0.8),
            Row("rebuild, peak memory with mapped pages", "MiB", peaks)]


def measured(server):
    """Seconds, and the most memory that was resident, in MiB."""
    begin = time.monotonic()
    process = server.popen("rebuild")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status != 0:
        raise Failure(f"rebuild ended {process.returncode}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def seconds(server):
    return measured(server)[0]


def check(server, rows):
    now = sum(sql.count(server, table) for table in copying.TABLES)
    if now != rows:
        raise Failure(f"{rows} rows before the rebuild, {now} after it")
    server.verify(tables=True)
