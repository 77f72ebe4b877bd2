"""make demo: a server to look at, which leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from harness import PATIENCE, PROGRAM, free_port

DEMO = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples/demo/run.py")


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="daybook-demo-")
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        self.place, self.port = os.path.join(self.folder.name, "demo"), free_port()

    def start(self, *flags, **env):
        process = subprocess.Popen(
            [sys.executable, "-B", DEMO, PROGRAM, "--place", self.place, "--port",
             str(self.port), "--days", "1", *flags], env={**os.environ, **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def assert_nothing_is_left(self):
        self.assertFalse(os.path.exists(self.place))
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(("127.0.0.1", self.port)), 0)

    def test_it_lives_until_ctrl_c_and_leaves_nothing(self):
        # Settings of the user's are for another server.
        demo, told = self.start(DB_HOST="/nowhere", PORT="1", DATA_DIR="/nowhere"), []
        for line in demo.stdout:
            told.append(line)
            if line.startswith("Edits go on"):
                break
        said = "".join(told)
        self.assertIn(f"http://127.0.0.1:{self.port}/console", said)
        persons, events = map(int, re.search(r"(\d[\d,]*) persons, (\d[\d,]*) edits", said)
                              .expand(r"\1 \2").replace(",", "").split())
        asked = "/events?limit=1&count=exact&keyword=page_edit&keyword=page_create"
        first = self.ask(asked)["response"]["count"]
        self.assertGreaterEqual(first, events)
        self.assertGreaterEqual(self.ask("/persons?limit=1&count=exact&events_limit=0")
                                ["response"]["count"], persons)
        while self.ask(asked)["response"]["count"] == first:
            self.assertIsNone(demo.poll())
        pid = self.postmaster()
        demo.send_signal(signal.SIGINT)
        self.assertEqual(demo.wait(PATIENCE), 0, demo.stdout.read())
        self.assert_nothing_is_left()
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def postmaster(self):
        """The number of the demo's PostgreSQL."""
        done = subprocess.run([PROGRAM, "status", "--json", "--data-dir", self.place + "/data"],
                              capture_output=True, check=True)
        cluster = json.loads(done.stdout)["cluster"]["dir"]
        with open(os.path.join(cluster, "postmaster.pid"), encoding="ascii") as file:
            return int(file.readline())

    def test_a_folder_of_somebody_else_stays(self):
        os.mkdir(self.place)
        kept = os.path.join(self.place, "thesis.txt")
        with open(kept, "w", encoding="utf-8") as file:
            file.write("mine")
        demo = self.start("--minutes", "0", "--end")
        self.assertEqual(demo.wait(PATIENCE), 1)
        self.assertIn("no demo's", demo.stdout.read())
        self.assertTrue(os.path.exists(kept))

    def test_a_server_that_cannot_start_is_told(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            demo = self.start()
            self.assertEqual(demo.wait(PATIENCE), 1)
            self.assertIn("in use", demo.stdout.read())


if __name__ == "__main__":
    unittest.main()
