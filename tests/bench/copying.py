"""The rows of the tables given to PostgreSQL by \\copy: what loading costs at the least."""

import os
import time

import sql

TABLES = ("person", "event")


def _columns(server, table):
    return sql.psql(server, f"""
        select string_agg(attname, ', ' order by attnum) from pg_attribute
        where attrelid = '{sql.SCHEMA}.{table}'::regclass and attnum > 0
            and attgenerated = '' and not attisdropped;""")[0]


def rows(world, server):
    """Write the tables' rows to files, in binary; returns table -> (columns, file)."""
    files = {}
    for table in TABLES:
        columns, path = _columns(server, table), world.path(f"{table}.copy")
        sql.psql(server, f"\\copy (select {columns} from {sql.SCHEMA}.{table} "
                         f"order by sequence) to '{path}' (format binary)")
        files[table] = (columns, path)
    return files


def forget(files):
    for _, path in files.values():
        os.unlink(path)


def _make(server, including):
    statements = ["set client_min_messages = warning;",
                  "drop schema if exists copied cascade; create schema copied;"]
    statements += [f"create table copied.{table} (like {sql.SCHEMA}.{table} {including});"
                   for table in TABLES]
    sql.psql(server, "\n".join(statements))


def _timed(server, statements):
    begin = time.monotonic()
    sql.psql(server, "\n".join(statements))
    seconds = time.monotonic() - begin
    sql.psql(server, "drop schema copied cascade;")
    return seconds


def _copies(files):
    return [f"\\copy copied.{table} ({columns}) from '{path}' (format binary)"
            for table, (columns, path) in files.items()]


def seconds_indexed(world, server):
    """Into tables that have their indexes."""
    files = rows(world, server)
    _make(server, "including all")
    try:
        return _timed(server, _copies(files))
    finally:
        forget(files)


def seconds_indexed_after(world, server, files):
    """Into bare tables, then the same indexes, then statistics."""
    indexes = sql.psql(server, f"""
        select pg_get_indexdef(indexrelid) || ';' from pg_index
        where indrelid in ('{sql.SCHEMA}.person'::regclass, '{sql.SCHEMA}.event'::regclass);
        """)
    _make(server, "including generated")
    return _timed(server, _copies(files) +
                  [index.replace(f" {sql.SCHEMA}.", " copied.") for index in indexes] +
                  [f"analyze copied.{table};" for table in TABLES])
