"""Runs the operators' tools on data directories of their own, without a server."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import PATIENCE, PROGRAM

GENERATE = os.environ["DAYBOOK_GENERATE"]
DONE, DIFFERENT, MISUSED, FAILED = 0, 1, 2, 3


def environment():
    """What a subcommand gets: nothing that sets it up but what the tests say.

    SEALED=false: these tests find a text in a log's bytes to damage it there, tell from an
    export what it says, and hold two logs of the same records to be equal, as no two sealed ones
    are. Those of sealed logs say --sealed; servers of the tests have the default (harness.py)."""
    kept = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
    return {**{name: os.environ[name] for name in kept if name in os.environ},
            "SEALED": "false"}


class ToolCase(unittest.TestCase):
    """A test with a folder of its own, self.dir, where the program runs."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="daybook-tools-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def start(self, *arguments, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([PROGRAM, *arguments], env=environment(), cwd=self.dir,
                                **kwargs)

    def run_tool(self, *arguments, status=DONE, **kwargs):
        """Run it to its end, with bytes for output; it must end with this status,
        or with None in any way."""
        if "input" not in kwargs:
            kwargs["stdin"] = subprocess.DEVNULL
        done = subprocess.run([PROGRAM, *arguments], env=environment(), cwd=self.dir,
                              capture_output=True, timeout=300, check=False, **kwargs)
        if status is not None:
            self.assertEqual(done.returncode, status, (arguments, done.stderr))
        return done

    def refused(self, status, message, *arguments, **kwargs):
        done = self.run_tool(*arguments, status=status, **kwargs)
        self.assertIn(message, done.stderr.decode())
        return done

    def generate(self, name, events, seed=1, identities=False):
        """Make a log; what is in it. identities: with aliases, external ids, properties of
        persons, and events of who is not known."""
        done = subprocess.run(
            [GENERATE, "--data-dir", self.path(name), "--events", str(events), "--seed",
             str(seed), "--identities", str(int(identities))], env=environment(), capture_output=True, text=True,
            timeout=300, check=True)
        return json.loads(done.stdout)

    def export(self, name, *arguments):
        """What it prints, as bare() has it: two exports of the same records are equal."""
        return bare(self.run_tool("export", "--data-dir", name, *arguments).stdout)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return name

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def wait_end(self, process):
        try:
            return process.communicate(timeout=PATIENCE)
        finally:
            process.kill()


def bare(export):
    """The export with a trailer of version 1, which does not say where it was made, and
    when; which can be imported, too."""
    found = re.search(rb'\{"export":\{"version":2(,.*),"source":.*\}\}\n?$', export)
    if not found:
        return export
    before, trailer = export[:found.start()], b'{"export":{"version":1' + found[1] + b"}}"
    if before.startswith(b"DAYBOOK EXPORT"):
        return before[:-4] + len(trailer).to_bytes(4, "big") + trailer
    return before + trailer + b"\n"


def records_of(export):
    """The records of an ndjson export."""
    lines = [json.loads(line) for line in export.splitlines()]
    return [line for line in lines if "format" in line]
