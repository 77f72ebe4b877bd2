"""Three servers that are one, over three brokers, against one server alone."""

import json
import os
import statistics
import time

import load
from members import Members, Missing, Pauses
from report import Failure, Row
from served import Server

CATCH_UP = 300000  # records
READS = 1500
WARM = 15  # seconds: brokers begin as bytecode, and take half as long after some


def cluster(world):
    """Three servers over Kafka's brokers: POST /events, pauses, reads, catching up, relay"""
    try:
        members = Members(world)
    except Missing as missing:
        world.say(f"part cluster is LEFT OUT: {missing}")
        return []
    members.start()
    alone = Server(world).start()
    ids = load.people(members.leader())
    rows = posts(world, members, alone, ids)
    world.drop(alone)
    person = ids[0]
    rows += [pause(world, "leader killed", 3, lambda: killed(members, person)),
             pause(world, "leader handed over", 1, lambda: handed_over(members, person)),
             fresh(world, members, person), catch_up(world, members, ids)]
    members.settle()
    for server in members.all:
        server.verify(tables=True)
    rows += relay(world, members)
    members.close()
    return rows


def posts(world, members, alone, joined):
    rows, bodies, leader = [], {}, members.leader()
    ids = {leader: joined, alone: load.people(alone)}
    for server in (leader, alone):
        bodies[server] = load.post_lines(world, ids[server])
        load.posted(world, server, 32, bodies[server], seconds=WARM)

    def posted(server, connections):
        alone.settle()
        members.settle()
        return load.posted(world, server, connections, bodies[server])

    for connections in (32, 128):
        found = world.rounds(joined=lambda: posted(leader, connections),
                             alone=lambda: posted(alone, connections))
        work = f"cluster: POST /events, {connections} connections"
        rows += [Row(work, "/s", [one["per_s"] for one in found["joined"]],
                     [one["per_s"] for one in found["alone"]], "one server", target=0.3)]
        rows += [Row(f"{work}, {name}", "ms",
                     [one[f"{name}_us"] / 1e3 for one in found["joined"]],
                     [one[f"{name}_us"] / 1e3 for one in found["alone"]], "one server")
                 for name in ("p50", "p99")]

    def probe(server):
        alone.settle()
        members.settle()
        return load.probe(world, "post", server.port, ids[server][0])

    found = world.rounds(joined=lambda: probe(leader), alone=lambda: probe(alone))
    return rows + [Row(f"cluster: a commit (POST /events, 1 connection), {name}", "ms",
                       [one[f"{name}_us"] / 1e3 for one in found["joined"]],
                       [one[f"{name}_us"] / 1e3 for one in found["alone"]], "one server")
                   for name in ("p50", "p99")]


def pause(world, what, target, measure):
    found = world.rounds(pause=measure)["pause"]
    return Row(f"cluster: no write is acknowledged, {what}", "s", found, target=target,
               most=True)


def killed(members, person):
    members.settle()
    leader, pauses = members.leader(), Pauses(members, person)
    time.sleep(1)
    leader.kill()
    longest = pauses.longest(8)
    leader.start()
    return longest


def handed_over(members, person):
    members.settle()
    to, pauses = members.followers()[0], Pauses(members, person)
    time.sleep(1)
    members.leader().ask("POST", "/admin/cluster/hand-over",
                         {"node": to.settings["CLUSTER_NODE"]}, status=(200, 202, 204))
    return pauses.longest(5)


def fresh(world, members, person):
    """An event by id comes from the log: beside it the question to the brokers shows."""
    server = members.followers()[0]
    _, text = members.leader().ask("POST", "/events", load.event_body(person), status=201)
    path = f"/events/{json.loads(text)['data']['id']}"
    members.settle()

    def p50(headers):
        times = []
        for _ in range(READS):
            begun = time.monotonic()
            server.ask("GET", path, headers=headers)
            times.append(1e3 * (time.monotonic() - begun))
        return statistics.median(times)

    found = world.rounds(fresh=lambda: p50({}), known=lambda: p50({"Prefer": "wait=0"}))
    return Row("cluster: what a follower's read waits to be fresh, p50", "ms",
               [one - other for one, other in zip(found["fresh"], found["known"])],
               target=1, most=True)


def catch_up(world, members, ids):
    """Of the log alone: the tables of the one that catches up are nowhere."""
    def once():
        members.settle()
        leader, late = members.leader(), members.followers()[0]
        late.stop()
        batches = load.batch_lines(world, ids)
        wanted = leader.head() + CATCH_UP
        while leader.head() < wanted:
            load.posted(world, leader, 2, batches, "/events/batch", load.BATCH, 2)
        head, settings = leader.quiet_head(), dict(late.settings)
        late.settings["DB_HOST"] = "/nowhere"
        late.spawn()
        late.wait_ready()
        first = late.head()
        while late.head() == first:
            time.sleep(0.002)
        begun, first = time.monotonic(), late.head()
        late.until(lambda: late.head() >= head, "catching up", pause=0.005)
        took = time.monotonic() - begun
        late.stop()
        late.settings = settings
        late.start()
        if head - first < CATCH_UP / 2:
            raise Failure(f"only {head - first} records were seen to come")
        return (head - first) / took
    return Row("cluster: a follower catches up, records", "/s",
               world.rounds(catch_up=once)["catch_up"], target=200000)


def relay(world, members):
    """All of the log, a message a record, to a topic for others; the start included."""
    server = members.followers()[0]
    topic = os.path.join(world.build, "tests", "cluster", "topic")
    numbers = iter(range(100))

    def once():
        name = f"relayed.{next(numbers)}"
        world.run(topic, "make", members.brokers.bootstrap, name, 1, 3)
        begun = time.monotonic()
        server.run("relay", "--topic", name, "--quiet")
        return server.head() / (time.monotonic() - begun)
    return [Row("cluster: relay, records", "/s", world.rounds(relay=once)["relay"],
                target=50000)]
