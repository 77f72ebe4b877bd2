"""Runs the tests that take minutes: make torture.

    run.py BUILD [--seed N] [--rounds N] [--hours N] [PART...]

A part is tests/torture/torture_PART.py, a unittest module that may use what tests/e2e
has. It gets the seed as DAYBOOK_SEED and, where given, DAYBOOK_ROUNDS; and what ctest
gives e2e tests: DAYBOOK, DAYBOOK_GENERATE, DAYBOOK_FULL_DISK, and a PostgreSQL in
DAYBOOK_TEST_PG.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
CLUSTER = os.path.join(TESTS, "cluster")
POSTGRES = os.path.join(TESTS, "postgres.sh")
ROOMS = ("lib", "model", "faults", "operators", "connection")  # whose tests the parts repeat


def parts():
    begin, end = "torture_", ".py"
    return sorted(name[len(begin):-len(end)] for name in os.listdir(HERE)
                  if name.startswith(begin) and name.endswith(end))


def arguments():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("build", help="where the program was built")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000,
                        help="what chance begins with; printed, so that a run can be repeated")
    parser.add_argument("--rounds", type=int, help="how often; default: each part's own")
    parser.add_argument("--hours", type=float, default=1, help="that none takes longer than")
    parser.add_argument("part", nargs="*", metavar="PART",
                        help=f"default: all of {', '.join(parts())}")
    options = parser.parse_intermixed_args()
    for part in options.part:
        if part not in parts():
            parser.error(f"there is no part {part}, only {', '.join(parts())}")
    return options


def environment(options, postgres):
    build = os.path.abspath(options.build)
    found = dict(os.environ, DAYBOOK=os.path.join(build, "daybook"),
                 DAYBOOK_GENERATE=os.path.join(build, "tests/generate/generate"),
                 DAYBOOK_DISK_SHIM=os.path.join(build, "tests/faults/libdaybook_disk.so"),
                 DAYBOOK_CLOCK_SHIM=os.path.join(build, "tests/e2e/libclock.so"),
                 DAYBOOK_LOOK=os.path.join(build, "tests/faults/look_at_logs"),
                 DAYBOOK_FULL_DISK=os.path.join(build, "tests/e2e/full_disk.so"),
                 DAYBOOK_TEST_PG=postgres, DAYBOOK_SEED=str(options.seed),
                 PYTHONPATH=os.pathsep.join([HERE, CLUSTER] + [os.path.join(TESTS, "e2e", room)
                                                   for room in ROOMS]))
    if options.rounds is not None:
        found["DAYBOOK_ROUNDS"] = str(options.rounds)
    return found


def run(part, env, hours):
    began = time.monotonic()
    print(f"== {part}, seed {env['DAYBOOK_SEED']}", flush=True)
    try:
        done = subprocess.run([sys.executable, "-B", "-m", "unittest", "-v",
                               f"torture_{part}"], cwd=HERE, env=env, check=False,
                              timeout=hours * 3600).returncode
    except subprocess.TimeoutExpired:
        done = 1
    print(f"== {part}: {'passed' if done == 0 else 'FAILED'} after "
          f"{time.monotonic() - began:.0f} s", flush=True)
    return done == 0


def main():
    options = arguments()
    wanted = options.part or parts()
    # Short, for a socket's path is bounded.
    with tempfile.TemporaryDirectory(prefix="daybook-torture-", dir="/tmp") as home:
        os.chmod(home, 0o755)  # PostgreSQL has another user where we are root
        postgres = os.path.join(home, "pg")
        subprocess.run([POSTGRES, "start", postgres], check=True)
        try:
            failed = [part for part in wanted
                      if not run(part, environment(options, postgres), options.hours)]
        finally:
            subprocess.run([POSTGRES, "stop", postgres], check=True)
    print(f"torture: {len(wanted) - len(failed)} of {len(wanted)} parts passed"
          + (f"; FAILED: {' '.join(failed)}; again: make torture SEED={options.seed}"
             if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
