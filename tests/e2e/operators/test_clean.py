"""daybook clean: what is left behind is told and removed, and nothing else."""

import fcntl
import json
import os
import pty
import subprocess
import unittest

from harness import PATIENCE, PROGRAM
from test_lost_log import tree
from tools import FAILED, MISUSED, ToolCase, environment

LEFT = ["check.tmp", "keys.tmp", "log.tmp", "old.ndjson.partial", "postgres.damaged",
        "postgres.tmp.abcdef", "postgres.version-14.1700000000", "tokens.tmp",
        "verify.tmp"]


class Clean(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("a", 3)
        self.run_tool("token", "create", "x", "--scope", "read", "--data-dir", "a")
        self.before = tree(self.path("a"))
        for name in LEFT:
            path = self.path("a", name)
            if name.endswith((".partial", "tokens.tmp")):
                self.write(path, b"x" * 5000)
            else:
                os.makedirs(os.path.join(path, "base", "1"))
                self.write(os.path.join(path, "base", "1", "PG_VERSION"), b"x" * 5000)
                os.symlink(self.path("a", "log"), os.path.join(path, "link"))

    def clean(self, *arguments, **kwargs):
        return self.run_tool("clean", "--data-dir", "a", *arguments, **kwargs)

    def test_status_tells_it(self):
        found = json.loads(self.run_tool("status", "--json", "--data-dir", "a").stdout)
        self.assertEqual(sorted(os.path.basename(one["path"]) for one in found["leftovers"]),
                         LEFT)
        for one in found["leftovers"]:
            self.assertGreaterEqual(one["bytes"], 5000)
        text = self.run_tool("status", "--data-dir", "a").stdout.decode()
        self.assertEqual(text.count("daybook clean removes it"), len(LEFT))

    def test_without_a_terminal_it_removes_only_when_told_to(self):
        there = tree(self.path("a"))
        done = self.clean(status=MISUSED)
        for name in LEFT:
            self.assertIn(name, done.stdout.decode())
        self.assertIn("--yes", done.stderr.decode())
        self.assertEqual(tree(self.path("a")), there)
        self.clean("--yes")
        self.assertEqual(tree(self.path("a")), self.before)
        self.assertIn(b"nothing is left behind", self.clean().stdout)

    def test_on_a_terminal_it_asks(self):
        for answer, left in ((b"n\n", True), (b"y\n", False)):
            master, slave = pty.openpty()
            with subprocess.Popen([PROGRAM, "clean", "--data-dir", "a"], cwd=self.dir,
                                  env=environment(), stdin=slave,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                os.write(master, answer)
                said = process.communicate(timeout=PATIENCE)
            os.close(slave)
            os.close(master)
            self.assertEqual(process.returncode, 0, said)
            self.assertIn(b"remove %d? [y/N]" % len(LEFT), said[1])
            self.assertEqual(os.path.exists(self.path("a", "log.tmp")), left)
        self.assertEqual(tree(self.path("a")), self.before)

    def test_what_is_in_use_stays(self):
        held = []
        for name in ("serve.lock", "old.ndjson.partial", "verify.tmp", "tokens.tmp"):
            fd = os.open(self.path("a", name), os.O_RDONLY | (
                os.O_CREAT if name == "serve.lock" else 0), 0o600)
            self.addCleanup(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
            held.append(fd)
        done = self.clean("--yes")
        self.assertEqual(done.stdout.decode().count("in use"), 6, done.stdout)
        for name in ("old.ndjson.partial", "verify.tmp", "tokens.tmp", "log.tmp", "check.tmp",
                     "keys.tmp"):
            self.assertTrue(os.path.exists(self.path("a", name)), name)
        self.assertFalse(os.path.exists(self.path("a", "postgres.damaged")))

    def test_elsewhere_it_removes_nothing(self):
        os.makedirs(self.path("other", "log.tmp"))
        self.write("other/mine.partial", b"")
        self.run_tool("clean", "--yes", "--data-dir", "other", status=FAILED)
        self.assertEqual(sorted(os.listdir(self.path("other"))), ["log.tmp", "mine.partial"])


if __name__ == "__main__":
    unittest.main()
