"""Each call of libpq, and each allocation, fails once in each of its ways: the program
tests/projections/pg/test_libpq_faults.c, of which the suite runs a part. Takes half an hour;
DAYBOOK_ROUNDS is how many places of each scenario fail instead, in one way each."""

import os
import subprocess
import unittest

PROGRAM = os.path.join(os.path.dirname(os.environ["DAYBOOK"]), "tests", "projections",
                       "test_projections_libpq_faults")


class LibpqFails(unittest.TestCase):
    def test_each_call(self):
        env = dict(os.environ, DAYBOOK_SWEEP=os.environ.get("DAYBOOK_ROUNDS", "all"))
        done = subprocess.run([PROGRAM], env=env, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
