"""The same work at 0.1, 1 and 10 million events, in turn: so that what else the machine does
is in all of them."""

import shutil
import time

import load
import logs
import memory
import processor
import sql
from parts.export import seconds as export_seconds
from parts.rebuild import seconds as rebuild_seconds
from parts.start import TARGET as START_TARGET, after_stop
from parts.resident import TARGET as MEMORY_TARGET
from report import Failure, Row, median
from served import Server

SMALLEST = 100000
PEOPLE = 40
READ = 5000  # events, all over the log
BATCHES = 20  # of load.BATCH events, between two backups
KINDS = {  # what is done so often a second -> (its name, least ratio of largest to smallest)
    "append": ("POST /events, 32 connections", 0.7),
    "get": ("GET /events/{id}, 32 connections", 0.7),
    "list": ("GET /events?person_id=, 100 rows, 32 connections", None),
    "export": ("export, records", 0.8),
    "rebuild": ("rebuild, rows", 0.8),
    "backup": (f"backup --incremental of {BATCHES * load.BATCH:,} more events", 0.7),
}
COSTS = ("append", "get", "list")  # whose processor time is told, too


def sizes(most):
    size, found = SMALLEST, []
    while size <= most:
        found.append(size)
        size *= 10
    return found


def growth(world):
    """append, read by id, list, export, rebuild, backup, start and memory as the log grows"""
    wanted = sizes(world.options.growth)
    if len(wanted) < 2:
        raise Failure(f"growth needs at least {10 * SMALLEST} events")
    grown = [Grown(world, size) for size in wanted]
    found = world.rounds(**{f"{kind} at {one.events:,}": getattr(one, kind)
                            for kind in (*KINDS, "memory", "start") for one in grown})
    costs = {one.events: one.costs for one in grown}
    for one in grown:
        one.end()

    def of(kind, size):
        return found[f"{kind} at {size:,}"]

    world.growth = {size: {kind: median(of(kind, size)) for kind in KINDS}
                    for size in wanted}
    return rows(of, costs, wanted[0], wanted[-1])


def rows(of, costs, smallest, largest):
    at, against = f"at {largest:,} events", f"at {smallest:,} events"
    told = [Row(f"{work}, {at}", "/s", of(kind, largest), of(kind, smallest), against,
                target=least) for kind, (work, least) in KINDS.items()]
    told += [Row(f"{KINDS[kind][0]}, {at}, processor each", "µs", costs[largest][kind],
                 costs[smallest][kind], against) for kind in COSTS]
    return told + [
        Row(f"start {at}, after a clean stop", "s", of("start", largest),
            of("start", smallest), against, target=START_TARGET, most=True,
            of_figure=True),
        Row(f"memory of serve {at}, after these loads", "MiB", of("memory", largest),
            of("memory", smallest), against, target=MEMORY_TARGET, most=True,
            of_figure=True)]


class Grown:
    """A server with so many events, and what is measured there."""

    def __init__(self, world, events):
        world.say(f"growth: {events:,} events")
        self.world, self.events = world, events
        self.costs = {kind: [] for kind in COSTS}
        self.server = server = Server(world, logs.log_of(world, events)).build().start()
        server.settle()
        ids = load.people(server, PEOPLE)
        self.bodies = load.post_lines(world, ids)
        with open(load.batch_lines(world, ids)) as file:  # some have many events, for lists
            self.batches = [line.strip() for line in file]
        self.post_batches(len(self.batches))
        server.settle()
        events = sql.sample(server, "event", READ)
        self.by_id = load.write_lines(world, "events", (f"/events/{id}" for id in events))
        self.lists = load.write_lines(world, "lists", (
            f"/events?person_id={id}&limit=100" for id in ids))
        self.kept = world.path("backup")
        self.run_backup()

    def post_batches(self, count):
        for number in range(count):
            self.server.ask("POST", "/events/batch",
                            self.batches[number % len(self.batches)])

    def costing(self, kind, run):
        """A load's answers a second; and what each cost serve and its PostgreSQL."""
        self.server.settle()
        before = processor.server(self.server)
        found = run()
        self.server.settle()
        spent = processor.server(self.server) - before
        self.costs[kind].append(spent / found["requests"])
        return found["per_s"]

    def append(self):
        return self.costing("append", lambda: load.posted(
            self.world, self.server, 32, self.bodies))

    def get(self):
        """With the pages mapped: it has been started anew, and each costs a fault."""
        self.read(self.by_id)
        return self.costing("get", lambda: self.read(self.by_id))

    def list(self):
        return self.costing("list", lambda: self.read(self.lists))

    def read(self, file):
        return load.wrk(self.world, self.server.port, 32, "GET", file)

    def export(self):
        return self.server.head() / export_seconds(self.server)

    def rebuild(self):
        rows = sum(sql.count(self.server, table) for table in ("person", "event"))
        return rows / rebuild_seconds(self.server)

    def backup(self):
        """Events a second, of as many as are new whatever the size. What was appended
        before is in the backup already."""
        self.run_backup()
        self.post_batches(BATCHES)
        return BATCHES * load.BATCH / self.run_backup()

    def run_backup(self):
        begin = time.monotonic()
        self.server.run("backup", "--incremental", self.kept, "--quiet")
        return time.monotonic() - begin

    def memory(self):
        return memory.resident_mib(self.server.process.pid)[0]

    def start(self):
        path = "/events/" + self.server.data("/events?limit=1")[0]["id"]
        return after_stop(self.server, path)

    def end(self):
        self.server.settle()
        self.server.verify()
        self.world.drop(self.server)
        shutil.rmtree(self.kept)
