"""What .ci/run runs, by the time it has: make, cmake and ctest are played by scripts."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
COSTS = """\
postgres/start 1 2.0
store/log/writer 1 5.0
e2e/persons/persons 1 200.0
store/base/uuid 1 0.1
http/server 1 3.0
e2e/handlers/events 1 100.0
---
e2e/handlers/events
"""
PLAYED = {
    "nproc": "echo 2",
    "make": """echo "make $*" >>calls
        if [ "$1" = test ]; then
            mkdir -p build/dev/Testing/Temporary
            cp costs build/dev/Testing/Temporary/CTestCostData.txt
            exit "${FIRST:-0}"
        fi""",
    "cmake": 'echo "cmake $*" >>calls',
    "ctest": """case "$*" in
        *-N*-LE*) printf '  Test   #%s\\n' '1: postgres/start' '3: store/base/uuid' \\
            '40: http/server' '50: e2e/persons/persons' '51: e2e/handlers/events' ;;
        *-N*) printf '  Test   #1: postgres/start\\n  Test  #21: store/log/writer\\n' ;;
        *) echo "ctest $*" >>calls
           printf '1/1 Test #21: store/log/writer   Passed\\n\\n'
           printf '100%% tests passed, 0 tests failed out of 1\\n\\n'
           printf 'Total Test time (real) =   1.00 sec\\n'
           exit "${SECOND:-0}" ;;
        esac""",
}


class Run(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        os.makedirs(self.dir + "/.ci")
        os.makedirs(self.dir + "/bin")
        shutil.copy(ROOT + "/.ci/run", self.dir + "/.ci/run")
        self.write("costs", COSTS)
        for name, script in PLAYED.items():
            self.write("bin/" + name, "#!/bin/sh\n" + script + "\n")
            os.chmod(f"{self.dir}/bin/{name}", 0o755)

    def write(self, path, text):
        with open(f"{self.dir}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def run_at(self, seconds, **settings):
        """As if so many seconds had passed already. What it printed, and called."""
        done = subprocess.run(
            ["bash", ".ci/run"], cwd=self.dir, text=True, capture_output=True, check=False,
            env={**os.environ, "PATH": f"{self.dir}/bin:{os.environ['PATH']}",
                 "SECONDS": str(seconds), **settings})
        with open(self.dir + "/calls", encoding="utf-8") as file:
            return done, file.read().splitlines()

    def test_with_time_everything_runs_twice(self):
        done, calls = self.run_at(0)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, [
            "make viewer", "make test", "make build/tsan/build.ninja",
            "cmake --build build/tsan -j 2 --target thread_tests",
            "cmake --build build/tsan -j 2", "ctest --preset tsan -j 3 -E ^()$"])
        self.assertIn("\nTSan: nothing left out\n100% tests passed", done.stdout)

    def test_the_dearest_are_left_out_first(self):
        done, calls = self.run_at(860)
        self.assertIn("cmake --build build/tsan -j 2", calls)
        self.assertEqual(calls[-1], "ctest --preset tsan -j 3 -E ^(e2e/persons/persons)$")
        self.assertIn("\nTSan: left out for want of time, 1 of 5 tests: e2e/persons/persons\n"
                      "100% tests passed", done.stdout)

    def test_what_threads_share_takes_of_the_time_too(self):
        _, calls = self.run_at(888)  # in 72 s three at once take 216 s; the others but one 206
        self.assertEqual(calls[-1], "ctest --preset tsan -j 3 -E "
                         "^(e2e/handlers/events|e2e/persons/persons)$")

    def test_what_threads_share_is_tested_however_late_it_is(self):
        done, calls = self.run_at(1100)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cmake --build build/tsan -j 2 --target thread_tests", calls)
        self.assertNotIn("cmake --build build/tsan -j 2", calls)
        self.assertEqual(calls[-1], "ctest --preset tsan -j 3 -E ^(store/base/uuid|"
                         "http/server|e2e/handlers/events|e2e/persons/persons)$")
        self.assertIn("4 of 5 tests: store/base/uuid, http/server, ", done.stdout)

    def test_ctests_closing_lines_are_the_last(self):
        for seconds in (0, 1100):
            done, _ = self.run_at(seconds)
            self.assertEqual(done.stdout.splitlines()[-1],
                             "Total Test time (real) =   1.00 sec")
            self.assertEqual(done.stderr, "")

    def test_a_failure_fails(self):
        done, calls = self.run_at(0, FIRST="2")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(calls, ["make viewer", "make test"])
        done, _ = self.run_at(0, SECOND="8")
        self.assertEqual(done.returncode, 8)


if __name__ == "__main__":
    unittest.main()
