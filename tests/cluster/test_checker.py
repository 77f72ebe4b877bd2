"""What judges histories finds what is wrong with one."""

import json
import os
import subprocess
import tempfile
import unittest

import checker
from brokers import Missing


class Checker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="daybook-checker-")
        cls.addClassCleanup(cls.scratch.cleanup)
        try:
            cls.program = checker.build(cls.scratch.name)
        except Missing as missing:
            raise unittest.SkipTest(str(missing)) from None

    def judge(self, *requests):
        """(client, kind, value, outcome, found, called, returned, expected)"""
        names = ("client", "kind", "value", "outcome", "found", "called", "returned", "expected")
        path = os.path.join(self.scratch.name, "history.jsonl")
        with open(path, "w") as file:
            for one in requests:
                file.write(json.dumps(dict(zip(names, one), key="k")) + "\n")
        return subprocess.run([self.program, path, path + ".html"], check=False,
                              capture_output=True).returncode

    def assert_right(self, *requests):
        self.assertEqual(self.judge(*requests), 0)

    def assert_wrong(self, *requests):
        self.assertEqual(self.judge(*requests), 1)

    MADE = (1, "create", "a", "done", "a", 1, 2, "")

    def test_what_was_written_is_read(self):
        self.assert_right(self.MADE, (2, "read", "", "done", "a", 3, 4, ""))

    def test_a_read_that_is_late(self):
        self.assert_wrong(self.MADE, (1, "write", "b", "done", "b", 3, 4, ""),
                          (2, "read", "", "done", "a", 5, 6, ""))

    def test_a_write_that_is_lost(self):
        self.assert_wrong(self.MADE, (2, "read", "", "absent", "", 3, 4, ""))

    def test_what_is_not_known_may_be_or_not(self):
        doubtful = (1, "write", "b", "unknown", "", 3, 4, "")
        for found in "ab":
            self.assert_right(self.MADE, doubtful, (2, "read", "", "done", found, 5, 6, ""))
        self.assert_wrong(self.MADE, doubtful, (2, "read", "", "done", "b", 5, 6, ""),
                          (2, "read", "", "done", "a", 7, 8, ""))

    def test_two_that_swap_the_same(self):
        swaps = [(i, "swap", str(i), "done", str(i), 3, 9, "a") for i in (1, 2)]
        self.assert_right(self.MADE, swaps[0])
        self.assert_wrong(self.MADE, *swaps)

    def test_a_swap_refused_without_a_reason(self):
        self.assert_wrong(self.MADE, (2, "swap", "b", "refused", "", 3, 4, "a"))


if __name__ == "__main__":
    unittest.main()
