"""Runs the fuzz targets, with libFuzzer: make fuzz.

    run.py BUILD [--seconds N] [--jobs N] [TARGET...]

BUILD is of the preset fuzz. Each target begins with tests/fuzz/corpus/TARGET and what
earlier runs found of interest, in BUILD/corpus/TARGET. Prints a line a target, and exits
with 1 where one has a finding: its input is kept in BUILD/findings, its report beside it.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INPUT_MAX = 8192  # bytes; as replay.c
INPUT_SECONDS = 60  # one that takes longer hangs
MEMORY_MIB = 2048


def targets():
    begin, end = "fuzz_", ".c"
    return sorted(name[len(begin):-len(end)] for name in os.listdir(HERE)
                  if name.startswith(begin) and name.endswith(end))


def arguments():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("build", help="where the targets were built")
    parser.add_argument("--seconds", type=int, default=600, help="for each target (600)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once (1)")
    parser.add_argument("target", nargs="*", metavar="TARGET",
                        help=f"default: all of {', '.join(targets())}")
    options = parser.parse_intermixed_args()
    for target in options.target:
        if target not in targets():
            parser.error(f"there is no target {target}, only {', '.join(targets())}")
    return options


def findings(folder, target):
    return sorted(name for name in os.listdir(folder)
                  if name.startswith(target + "-") and not name.endswith(".log"))


def figure(report, name):
    found = re.search(rf"(?m)^stat::{name}:\s+(\d+)$", report)
    return int(found.group(1)) if found else 0


def run(target, options):
    """True where nothing was found."""
    build = os.path.abspath(options.build)
    grown = os.path.join(build, "corpus", target)
    folder = os.path.join(build, "findings")
    os.makedirs(grown, exist_ok=True)
    os.makedirs(folder, exist_ok=True)
    before = findings(folder, target)
    path = os.path.join(folder, target + ".log")
    with open(path, "wb") as log:
        done = subprocess.run(
            [os.path.join(build, "tests/fuzz", "fuzz_" + target),
             f"-max_total_time={options.seconds}", f"-max_len={INPUT_MAX}",
             f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}",
             "-print_final_stats=1", f"-artifact_prefix={folder}/{target}-",
             grown, os.path.join(HERE, "corpus", target)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
    with open(path, encoding="utf-8", errors="replace") as log:
        report = log.read()
    found = [name for name in findings(folder, target) if name not in before]
    print(f"{target:10} {figure(report, 'number_of_executed_units'):12,} runs "
          f"{figure(report, 'average_exec_per_sec'):9,} a second  "
          + (f"FOUND {' '.join(found)}; see {path}" if found
             else f"FAILED with {done}; see {path}" if done else "nothing found"),
          flush=True)
    return done == 0 and not found


def main():
    options = arguments()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        done = list(pool.map(lambda target: run(target, options),
                             options.target or targets()))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
