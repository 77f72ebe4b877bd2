"""The projection while it follows writers."""

import threading
import time

import load
from parts.lone import LoneReads, percentile
from report import Failure, Row
from served import Server

WRITERS = 32


def lag(world):
    """projection following 32 busy writers: written to read, and whether it keeps up"""
    server = Server(world).start()
    ids = load.people(server)
    bodies = load.post_lines(world, ids)
    load.posted(world, server, WRITERS, bodies, seconds=1)  # warm
    found = world.rounds(following=lambda: follow(world, server, bodies, ids[0]))
    server.settle()
    server.verify(tables=True)
    world.drop(server)
    rounds = found["following"]
    work = f"projection following {WRITERS} writers"
    return [Row(f"{work}, a read of what was just written, p50", "ms",
                [each["p50_ms"] for each in rounds]),
            Row(f"{work}, a read of what was just written, p99", "ms",
                [each["p99_ms"] for each in rounds], target=10, most=True),
            Row(f"{work}, a read that comes alone, p50", "ms",
                [each["lone_p50_ms"] for each in rounds]),
            Row(f"{work}, a read that comes alone, p99", "ms",
                [each["lone_p99_ms"] for each in rounds], target=10, most=True),
            Row(f"{work}, processor that it waits for, p50", "ms",
                [each["cost_p50_ms"] for each in rounds]),
            Row(f"{work}, processor that it waits for, p99", "ms",
                [each["cost_p99_ms"] for each in rounds], target=10, most=True),
            Row(f"{work}, records", "/s", [each["projected_per_s"] for each in rounds],
                [each["written_per_s"] for each in rounds], "records written",
                target=0.99),
            Row(f"{work}, behind at the end", "ms",
                [each["behind_ms"] for each in rounds], target=100, most=True)]


def follow(world, server, bodies, person_id):
    """One load with a probe beside it; two seconds more than the probe has."""
    server.settle()
    before, seconds = server.quiet_head(), 2 * world.seconds
    writers = load.Background(world, server.port, WRITERS, 2 * seconds + 2, "POST",
                              bodies, "/events")
    watch = Watch(server, writers)
    lone = alone(server, writers, person_id, seconds)
    time.sleep(0.5)
    probed = load.probe(world, "read", server.port, person_id, seconds)
    watch.join()
    written = writers.finish()
    world.open.remove(writers)
    load.check_growth(written["requests"] + probed["count"], WRITERS,
                      server.head() - before)
    return {"p50_ms": probed["p50_us"] / 1e3, "p99_ms": probed["p99_us"] / 1e3,
            **lone, **watch.rates()}


def alone(server, writers, person_id, seconds):
    """Before the probe, after which none is alone."""
    until = time.monotonic() + seconds
    reads = LoneReads(server, person_id,
                      lambda: writers.running() and time.monotonic() < until)
    reads.join()
    if reads.failed or not reads.waits:
        raise Failure(f"a lone read was not answered: {reads.failed}")
    return {"lone_p50_ms": percentile(reads.waits, 0.5),
            "lone_p99_ms": percentile(reads.waits, 0.99),
            "cost_p50_ms": percentile(reads.costs, 0.5),
            "cost_p99_ms": percentile(reads.costs, 0.99)}


class Watch(threading.Thread):
    """How far the log and the tables are, ten times a second, while there is load."""

    def __init__(self, server, writers):
        super().__init__(daemon=True)
        self.server, self.writers, self.seen = server, writers, []
        self.start()

    def run(self):
        while self.writers.running():
            health = self.server.health()
            self.seen.append((time.monotonic(), health["head"], health["projected"]))
            time.sleep(0.1)

    def rates(self):
        """From a second after the load began to the last look under load."""
        if len(self.seen) < 30:
            raise Failure("the load was too short to see whether the projection keeps up")
        (t0, head0, projected0), (t1, head1, projected1) = self.seen[10], self.seen[-3]
        written = (head1 - head0) / (t1 - t0)
        return {"written_per_s": written,
                "projected_per_s": (projected1 - projected0) / (t1 - t0),
                "behind_ms": 1e3 * (head1 - projected1) / written}
