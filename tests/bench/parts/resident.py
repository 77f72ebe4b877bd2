"""Memory of serve."""

import load
import logs
import memory
import sql
from report import Row
from served import Server

TARGET = 150  # MiB
ROUNDS = 24  # of all kinds of load; what the first few take is kept, the rest adds nothing
HALF = ROUNDS // 2


def resident(world):
    """memory of serve beside LMDB's mapped pages, over rounds of mixed load"""
    server = Server(world, logs.log_of(world, world.options.growth)).build().start()
    server.settle()
    loads = mixed(world, server)
    sizes = [size(world, server, "before")]
    for number in range(ROUNDS):
        for run in loads:
            run()
        server.settle()
        sizes.append(size(world, server, f"round {number + 1}"))
    server.verify()
    world.drop(server)
    work = f"memory of serve, {world.options.growth:,} events"
    return [Row(f"{work}, before the load", "MiB", sizes[:1]),
            Row(f"{work}, after it", "MiB", sizes[-1:], target=TARGET, most=True),
            Row(f"{work}, grown since half of it", "MiB", sizes[-1:],
                sizes[HALF:HALF + 1], "at half of it", target=1.1, most=True)]


def mixed(world, server):
    ids = load.people(server)
    bodies, batches = load.post_lines(world, ids), load.batch_lines(world, ids)
    paths = load.write_lines(world, "paths", (
        [f"/events/{each}" for each in sql.sample(server, "event", 2000)] +
        [f"/persons/{each}" for each in sql.sample(server, "person", 2000)]))
    lists = load.write_lines(world, "lists", [
        f"/events?{query}&limit={limit}" for limit in (100, 1000)
        for query in ("keyword=click", "keyword=view", f"person_id={ids[0]}")])
    return [lambda: load.posted(world, server, 128, bodies),
            lambda: load.posted(world, server, 4, batches, "/events/batch", load.BATCH,
                                1),  # it fills the disk
            server.settle,
            lambda: load.wrk(world, server.port, 128, "GET", paths),
            lambda: load.wrk(world, server.port, 32, "GET", lists)]


def size(world, server, when):
    own, mapped = memory.resident_mib(server.process.pid)
    world.say(f"{when}: {own:.1f} MiB, and {mapped:.1f} MiB of the log's pages")
    return own
