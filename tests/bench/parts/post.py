"""POST /events at 1, 32 and 128 connections."""

import ceilings
import load
from report import Failure, Row
from served import Server


def post(world):
    """POST /events against group commit, naive commits and one raw commit"""
    server = Server(world).start()
    ids = load.people(server)
    bodies = load.post_lines(world, ids)
    load.posted(world, server, 32, bodies, seconds=1)  # warm
    rows = []
    for connections in (1, 32, 128):
        rows += throughput(world, server, bodies, connections)
    rows.append(latency(world, server, ids[0]))
    check(server, ids)
    world.drop(server)
    return rows


def throughput(world, server, bodies, connections):
    def ours():
        server.settle()
        return load.posted(world, server, connections, bodies)["per_s"]

    def ceiling(mode):
        server.settle()
        return post_ceiling(world, mode, bodies, connections)

    found = world.rounds(post=ours, group=lambda: ceiling("group"),
                         naive=lambda: ceiling("naive"))
    work = f"POST /events, {connections} connection{'s' if connections > 1 else ''}"
    return [Row(work, "/s", found["post"], found["group"], "group commit",
                target=0.8 if connections > 1 else None),
            Row(work, "/s", found["post"], found["naive"], "a commit each",
                target={32: 6, 128: 8}.get(connections))]


def post_ceiling(world, mode, bodies, connections):
    """Requests a second of ceiling_http; it, too, must hold what it acknowledged."""
    server = ceilings.HttpCeiling(world, mode, world.new_dir(mode))
    warm = load.wrk(world, server.port, connections, "POST", bodies, "/events", 1)
    found = load.wrk(world, server.port, connections, "POST", bodies, "/events")
    load.check_growth(warm["requests"] + found["requests"], 2 * connections,
                      server.finish())
    return found["per_s"]


def latency(world, server, person_id):
    def ours():
        server.settle()
        return load.probe(world, "post", server.port, person_id)["p50_us"]

    def commit():
        server.settle()
        return ceilings.commit(world)["p50_us"]

    found = world.rounds(post=ours, commit=commit)
    return Row("POST /events, 1 connection, p50", "µs", found["post"], found["commit"],
               "a raw commit", target=1.3, most=True)


def check(server, ids):
    """The log is whole, the tables are what it says, and an event reads as it was sent."""
    server.settle()
    event = server.data(f"/events?person_id={ids[0]}&limit=1&keyword=page_edit")[0]
    if (event["person_id"], event["properties"]["rank"]) != (ids[0], 17):
        raise Failure(f"not what was written: {event}")
    server.verify()
