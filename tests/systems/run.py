"""Builds and tests in other systems than this one: make test-systems.

    run.py [--jobs N] [--minutes N] [PART...]

A part is a system of Debian's, or a version of PostgreSQL in one that has it. Each gets a
root of its own, made by debootstrap from where this machine's apt has Debian, and kept in
build/systems, so that the next run finds it built. Needs root; what cannot be done here is
told as SKIPPED, and is no failure.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

import host
import tree

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
WITHIN = os.path.join(HERE, "within.sh")
ROOTS = os.path.join(SOURCE, "build/systems")
INSIDE = "usr/src/daybook"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_THERE = 77
# In which suite, and what steps.sh does there. PostgreSQL 15 and 17 are what the systems
# themselves have, and the quick tests have those on them.
PARTS = {
    "debian12": ("bookworm", ["quick"]),
    "debian13": ("trixie", ["quick"]),
    "postgres15": ("bookworm", ["sql", "15"]),
    "postgres17": ("trixie", ["sql", "17"]),
    "postgres18": ("sid", ["sql", "18"]),
}
DEFAULT = ["debian12", "debian13", "postgres18"]
UNSTABLE = ["sid"]  # where there may be no root to be had today


class Skipped(Exception):
    """Why this cannot be tried here."""


class Failed(Exception):
    """What went wrong."""


def arguments():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=int, default=90, help="for each part, at most")
    parser.add_argument("part", nargs="*", metavar="PART",
                        help=f"of {', '.join(PARTS)}; default: {', '.join(DEFAULT)}")
    options = parser.parse_args()
    for part in options.part:
        if part not in PARTS:
            parser.error(f"there is no part {part}, only {', '.join(PARTS)}")
    return options


def run(log, seconds, *command, env=None):
    """Its exit status. It and all that it has started end in time, and with this."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               cwd="/", env={"PATH": PATH, "LC_ALL": "C.UTF-8",
                                             "HOME": "/root", **(env or {})})
    try:
        return process.wait(max(1, seconds))
    except subprocess.TimeoutExpired as error:
        raise Failed(f"not done after {seconds / 60:.0f} minutes") from error
    finally:
        process.kill()  # unshare takes along what it was the parent of
        process.wait()


def may():
    """Else why nothing can be tried here."""
    if os.geteuid() != 0:
        raise Skipped("it needs root, to make and enter other systems")
    if not shutil.which("debootstrap", path=PATH):
        raise Skipped("it needs debootstrap: apt-get install debootstrap")
    if run(subprocess.DEVNULL, 60, WITHIN, "--outside", "true") != 0:
        raise Skipped("mounting is not permitted here, as in most containers")
    site = host.mirror()
    if not site:
        raise Skipped("apt has no Debian in its lists: add a source, and apt-get update")
    ring = host.keyring(site)
    if not ring:
        raise Skipped("the keys of Debian are not here: apt-get install "
                      "debian-archive-keyring")
    return site, ring


def bootstrap(suite, root, log):
    site, ring = may()
    partial = root + ".partial"
    shutil.rmtree(partial, ignore_errors=True)  # nothing is mounted there: see within.sh
    print(f"-- making a root of {suite} from {site}", flush=True)
    if run(log, 1800, WITHIN, "--outside", "debootstrap", "--variant=minbase",
           f"--keyring={ring}", suite, partial, site, env=host.proxies()) != 0:
        why = f"debootstrap could not make {suite}"
        raise Skipped(why) if suite in UNSTABLE else Failed(why)
    os.rename(partial, root)


def try_part(part, options, log):
    suite, steps = PARTS[part]
    until = time.monotonic() + options.minutes * 60
    root = os.path.join(ROOTS, suite)
    may()
    if not os.path.isdir(root):
        bootstrap(suite, root, log)
    host.carry(root)
    tree.copy(SOURCE, os.path.join(root, INSIDE))
    status = run(log, until - time.monotonic(), WITHIN, root,
                 f"/{INSIDE}/tests/systems/steps.sh", *steps, str(options.jobs),
                 env=host.proxies())
    if status == NOT_THERE:
        raise Skipped(f"{suite} has no such version")
    if status != 0:
        raise Failed(f"ended {status}")


def tell_end(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[-60:]:
            print("   " + line.rstrip())


def report(part, options):
    """How it went, in a line; whether that is a failure."""
    began = time.monotonic()
    path = os.path.join(ROOTS, part + ".log")
    print(f"-- {part}: see {os.path.relpath(path)}", flush=True)
    try:
        with open(path, "w", encoding="utf-8") as log:
            try_part(part, options, log)
    except Skipped as why:
        return f"{part}: SKIPPED: {why}", False
    except Failed as why:
        tell_end(path)
        return f"{part}: FAILED: {why}; all of it is in {path}", True
    return f"{part}: passed after {time.monotonic() - began:.0f} s", False


def main():
    options = arguments()
    os.makedirs(ROOTS, exist_ok=True)
    changed = tree.uncommitted(SOURCE)
    if changed:
        print(f"-- what is committed is tested, without {len(changed)} changes that are not")
    results = [report(part, options) for part in options.part or DEFAULT]
    print("\n".join(line for line, _ in results))
    return any(failed for _, failed in results)


if __name__ == "__main__":
    sys.exit(main())
