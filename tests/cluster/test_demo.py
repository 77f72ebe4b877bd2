"""make cluster-demo: it shows what it says, and leaves nothing behind."""

import os
import subprocess
import sys
import tempfile
import unittest

from brokers import Missing, jars
from harness import PROGRAM

DEMO = os.path.join(os.path.dirname(__file__), "..", "..", "examples/cluster/run.py")


class Demo(unittest.TestCase):
    def test_a_leader_is_killed_and_nothing_is_missing(self):
        try:
            jars()
        except Missing as missing:
            raise unittest.SkipTest(f"SKIPPED: {missing}") from None
        with tempfile.TemporaryDirectory(prefix="daybook-demo-", dir="/var/tmp") as folder:
            place = os.path.join(folder, "demo")
            done = subprocess.run(
                [sys.executable, "-B", DEMO, PROGRAM, "--end", "--minutes", "5", "--place", place],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("none missing at any of the three", done.stdout)
            self.assertRegex(done.stdout, r"db\d leads after \d")
            self.assertFalse(os.path.exists(place))


if __name__ == "__main__":
    unittest.main()
