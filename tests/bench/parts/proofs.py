"""What is proven: hashing a log, a proof, a tile, and what the notary costs who write."""

import os
import random
import shutil
import time

import load
import logs
from report import Failure, Row
from served import Server

HASHED = 2000000  # records a second
PROOF, TILE = 1000, 300  # µs
POSTED, BATCHED = 0.97, 0.93  # of what is written without a notary
PATHS = 2000
NOWHERE = {"DB_HOST": "/nowhere"}  # no tables are followed meanwhile


def proofs(world):
    """hashing a log from its start, a proof, a tile; writes with a notary and without"""
    log = logs.log_of(world, world.options.events)
    return hashing(world, log) + asking(world, log) + beside_writers(world)


def hashing(world, log):
    """By `audit checkpoint`, which begins without a tree; the start of it counts, too."""
    server = Server(world, log, settings=NOWHERE)
    audit, records = os.path.join(server.data_dir, "audit"), []

    def hashed():
        shutil.rmtree(audit, ignore_errors=True)
        begin = time.monotonic()
        note = server.run("audit", "checkpoint")
        seconds = time.monotonic() - begin
        records.append(int(note.splitlines()[1]))
        return records[-1] / seconds

    found = world.rounds(hashed=hashed)
    world.drop(server)
    return [Row(f"hash a log of {records[-1]:,} records from its start, records", "/s",
                found["hashed"], target=HASHED)]


def asking(world, log):
    server = Server(world, log, settings=NOWHERE).start()
    server.until(lambda: is_signed(server), "a checkpoint of all")
    size, rng = signed(server), random.Random(1)
    files = {
        "proof": load.write_lines(world, "proofs", (
            f"/log/{rng.randrange(size) + 1}/proof" for _ in range(PATHS))),
        "tile": load.write_lines(world, "tiles", (
            "/tile/0/" + number(rng.randrange(size // 256)) for _ in range(PATHS))),
    }
    for file in files.values():
        load.wrk(world, server.port, 1, "GET", file, seconds=1)  # warm
    found = world.rounds(**{
        name: lambda file=file: load.wrk(world, server.port, 1, "GET", file)["p50_us"]
        for name, file in files.items()})
    world.drop(server)
    return [Row(f"GET {path}, 1 connection, p50", "µs", found[name], target=target,
                most=True)
            for path, name, target in (("/log/{sequence}/proof", "proof", PROOF),
                                       ("/tile/0/{n}", "tile", TILE))]


def number(n):
    """As C2SP's tlog-tiles has it: groups of three digits."""
    text = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03}/{text}"
    return text


def signed(server):
    """How many records the newest checkpoint has; 0: there is none yet."""
    answer, text = server.ask("GET", "/checkpoint", status=(200, 503))
    return int(text.splitlines()[1]) if answer.status == 200 else 0


def is_signed(server):
    return signed(server) >= server.health()["head"]


def beside_writers(world):
    servers = {audit: Server(world, settings={"AUDIT": audit}).start()
               for audit in ("true", "false")}
    bodies = {audit: load.people(server) for audit, server in servers.items()}
    rows = []
    for work, target, path, each, lines in (
            ("POST /events, 32 connections", POSTED, "/events", 1, load.post_lines),
            ("POST /events/batch of 1,000, 32 connections, events", BATCHED,
             "/events/batch", load.BATCH, load.batch_lines)):
        files = {audit: lines(world, ids) for audit, ids in bodies.items()}

        def written(audit, files=files, path=path, each=each):
            servers[audit].settle()
            return load.posted(world, servers[audit], 32, files[audit], path,
                               each)["per_s"] * each

        for audit in servers:
            written(audit)  # warm
        found = world.rounds(signed=lambda: written("true"),
                             unsigned=lambda: written("false"))
        rows.append(Row(work, "/s", found["signed"], found["unsigned"],
                        "without a notary (AUDIT=false)", target=target))
    servers["true"].until(lambda: is_signed(servers["true"]), "a checkpoint of all")
    if signed(servers["false"]):
        raise Failure("AUDIT=false signs")
    for server in servers.values():
        server.verify()
        world.drop(server)
    return rows
