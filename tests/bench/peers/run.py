#!/usr/bin/env python3
"""Measures Daybook against what a user would take instead, and prints the ratios.

    tests/bench/peers/run.py BUILD_DIR [--only PEER,...]

The peers are not part of this project: PEERS, or ../shared/peers beside it, is the folder
that has them, and its README says how they are installed. Each is started, loaded and
measured as that folder does it, and so is Daybook, in turn, on the same machine and disk.
What is not installed is left out, and said.
"""

import argparse
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
sys.path.insert(0, os.path.dirname(HERE))

import machine
from borrowed import Peers, missing
from ours import ours
from parts.persons import persons
from report import Failure, Row, table, write_json
from world import World

# A load of ours, one of theirs, with so many connections each, and the least ratio.
POST = "POST /events"
AGAINST = {
    ("pgapi", "fastify-batch-props"): ("fastify, gathering into multi-row INSERTs", [
        ("post", "post", 1, 1.8), ("post", "post", 32, 1.4), ("post", "post", 128, 1.8)]),
    ("umadb", "default"): ("UmaDB", [
        ("post", "append", 1, 1.7), ("post", "append", 32, 1.5),
        ("post", "append", 128, 2.2), ("batch", "batch", 32, 6)]),
    ("redis", "always"): ("Redis stream, appendfsync always", [
        ("post", "xadd", 1, 1.0), ("post", "xadd", 32, 0.6), ("post", "xadd", 128, 0.6)]),
    ("pgapi", "fastify"): ("fastify, pipelined pg", [
        ("get", "get", 32, 2.5), ("get", "get", 128, 2.5), ("person", "person", 32, 1.6),
        ("person", "person", 128, 1.6), ("list", "list", 32, 1.6),
        ("list", "list", 128, 1.6)]),
}
WORK = {"post": POST, "batch": "POST /events/batch of 100, events",
        "get": "GET /events/{id}", "person": "GET /persons/{id}, ten events",
        "list": "GET /events?person_id=, ten events"}
READS = ("get", "person", "list")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="where the release build is")
    parser.add_argument("--peers", default=os.environ.get("PEERS") or
                        os.path.join(PROJECT, "..", "shared", "peers"),
                        help="the folder with the peers (PEERS, or ../shared/peers)")
    parser.add_argument("--only", help="of pgapi, umadb, redis, postgres")
    parser.add_argument("--seconds", type=float, default=4, help="of each load (4)")
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison (3)")
    parser.add_argument("--work-dir", default=os.environ.get("BENCH_DIR", "/var/tmp"))
    parser.add_argument("--log-level", default="warn", help="of serve (warn)")
    parser.add_argument("--json", help="where the table goes (BUILD_DIR/bench-peers.json)")
    return parser.parse_args()


class Contest:
    """Our server and another one, both up, under the same load in turn."""

    def __init__(self, world, peers, theirs, variant, against):
        self.world, self.peers, self.against = world, peers, against
        self.sides = {"ours": (ours(world, peers), "default"), "theirs": (theirs, variant)}

    def start(self):
        for peer, variant in self.sides.values():
            peer.start(variant)

    def close(self):
        for peer, _ in self.sides.values():
            peer.stop()
            peer.cleanup()

    def rate(self, side, what, conns):
        peer, variant = self.sides[side]
        found = self.peers.lib.measured(peer, variant, what, conns, self.world.seconds)
        if found["errors"]:
            raise Failure(f"{peer.name} did not answer {what} well: {found['errors']}")
        return found["rows"] / found["secs"] if what == "batch" else found["rps"]

    def row(self, what, theirs, conns, target):
        if what in READS:
            for peer, variant in self.sides.values():
                peer.before(variant, what)
        found = self.world.rounds(ours=lambda: self.rate("ours", what, conns),
                                  theirs=lambda: self.rate("theirs", theirs, conns))
        return Row(f"{WORK[what]}, {conns} connection{'s' if conns > 1 else ''}", "/s",
                   found["ours"], found["theirs"], self.against, target=target)


def contest_rows(world, peers, name, variant, against, works):
    theirs = peers.load(name)
    lacks = missing(theirs)
    if lacks:
        world.say(f"{against} is LEFT OUT, for {lacks} is not there: see the peers' README")
        return []
    contest = world.keep(Contest(world, peers, theirs, variant, against))
    contest.start()
    rows = [contest.row(*work) for work in works]
    world.drop(contest)
    return rows


def slower_with_more(rows):
    """By id 128 connections must get no fewer answers than 32."""
    rates = [row for row in rows if row.work.startswith(WORK["get"])]
    return [Row(f"{WORK['get']}, 128 connections", "/s", rates[1].figures,
                rates[0].figures, "32 connections", target=1.0)] if len(rates) == 2 else []


def measure(world, peers, only):
    rows, failed = [], []
    plans = [(name, lambda name=name, variant=variant, against=against, works=works:
              contest_rows(world, peers, name, variant, against, works))
             for (name, variant), (against, works) in AGAINST.items()]
    plans.append(("postgres", lambda: persons(world)))
    for name, plan in plans:
        if only and name not in only:
            continue
        try:
            found = plan()
            rows += found + slower_with_more(found)
        except (Exception, SystemExit) as failure:  # the peers' way to fail, too
            world.say(f"{name} FAILED: {failure}")
            failed.append(name)
        world.close_open()
    return rows, failed


def interrupted(*_):
    raise KeyboardInterrupt  # so that what is open is closed


def main():
    options = arguments()
    directory = os.path.abspath(options.peers)
    if not os.path.exists(os.path.join(directory, "stores", "lib.py")):
        print(f"There are no peers in {directory}, so nothing was measured; PEERS=DIR "
              "names another folder.")
        return
    signal.signal(signal.SIGTERM, interrupted)
    world = World(options)
    try:
        rows, failed = measure(world, Peers(directory),
                               options.only and options.only.split(","))
        described = machine.describe(world)
        print(machine.sentence(described))
        print(table(rows), flush=True)
        write_json(options.json or os.path.join(world.build, "bench-peers.json"),
                   described, vars(options), {}, rows)
    except KeyboardInterrupt:
        sys.exit("bench-peers: interrupted")
    finally:
        world.close()
    if failed:
        sys.exit(f"bench-peers: {', '.join(failed)} failed; the figures are not whole")


if __name__ == "__main__":
    main()
