#!/usr/bin/env python3
"""Measures Daybook against the parts underneath it, and prints the ratios.

    tests/bench/run.py BUILD_DIR [PART ...]

Without PART all are run. Nothing leaves this machine; what is started is stopped, and the
directory it worked in is removed. docs/performance.md defines every figure.
"""

import argparse
import os
import shutil
import signal
import sys
import time
import traceback

import docs
import machine
import parts
from report import Failure, table, write_json
from world import World


def arguments():
    parser = argparse.ArgumentParser(
        description="Measures Daybook against the parts underneath it.",
        epilog="parts: " + "; ".join(f"{name}: {part.__doc__.splitlines()[0]}"
                                     for name, part in parts.ALL.items()))
    parser.add_argument("build", help="where the release build is")
    parser.add_argument("parts", nargs="*", metavar="PART", help="those to run; all")
    parser.add_argument("--seconds", type=float, default=4, help="of each load (4)")
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison (3)")
    parser.add_argument("--events", type=int, default=1000000,
                        help="events in the logs that are read (1000000)")
    parser.add_argument("--growth", type=int,
                        default=int(os.environ.get("BENCH_GROWTH") or 1000000),
                        help="largest log of the parts growth and start (BENCH_GROWTH, "
                             "or 1000000)")
    parser.add_argument("--work-dir", default=os.environ.get("BENCH_DIR", "/var/tmp"),
                        help="on the disk to measure (BENCH_DIR, or /var/tmp)")
    parser.add_argument("--log-level", default="warn",
                        help="of serve; info logs each request (warn)")
    parser.add_argument("--json", help="where the table goes (BUILD_DIR/bench.json)")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the table and the plot into docs")
    options = parser.parse_args()
    for name in options.parts:
        if name not in parts.ALL:
            parser.error(f"no part {name}: there are {', '.join(parts.ALL)}")
    return options


def check_programs(world):
    for program in ("wrk", "pgbench", "psql"):
        if not shutil.which(program):
            raise Failure(f"{program} is missing: make bench installs it")
    for program in ("ceiling_http", "ceiling_log", "ceiling_store", "probe",
                    "generate"):
        if not os.access(world.program(program), os.X_OK):
            raise Failure(f"{program} is not built: cmake --build {world.build} "
                          "--target bench")


def run_parts(world, names):
    """The rows of all parts, and how many parts failed: one does not end the others."""
    rows, failed = [], 0
    for name in names:
        begin = time.monotonic()
        world.say(f"part {name}")
        try:
            rows += parts.ALL[name](world)
        except Exception as failure:  # of the part; the others may be well
            if not isinstance(failure, Failure):
                traceback.print_exc()
            world.say(f"part {name} FAILED: {failure}")
            failed += 1
        world.close_open()
        world.say(f"part {name} took {time.monotonic() - begin:.0f} s")
    return rows, failed


def publish(world, described, rows):
    options = world.options
    print(machine.sentence(described))
    print(table(rows), flush=True)
    write_json(options.json or os.path.join(world.build, "bench.json"), described,
               vars(options), world.growth, rows)
    if options.write_docs:
        docs.write(world, described, rows)


def interrupted(*_):
    sys.exit("bench: interrupted")  # so that what is open is closed


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, interrupted)
    world = World(options)
    try:
        check_programs(world)
        described = machine.describe(world)
        rows, failed = run_parts(world, options.parts or list(parts.ALL))
        publish(world, described, rows)
    except (Failure, KeyboardInterrupt) as failure:
        sys.exit(f"bench: {failure or 'interrupted'}")
    finally:
        world.close()
    if failed:
        sys.exit(f"bench: {failed} of the parts failed; the figures are not whole")


if __name__ == "__main__":
    main()
