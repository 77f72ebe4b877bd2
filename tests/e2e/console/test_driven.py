"""The console in a real Chromium, driven by playwright: each view, what it is told and what
it does. By make test-browser only, which brings what tests/console needs from npm."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
from datetime import datetime, timedelta, timezone

from harness import PATIENCE, PROGRAM, Server, free_port
from pages import chromium
from served import person
from tables import Locked, refuse_bad, take_bad

TESTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../console"))
DEMO = os.path.abspath(os.path.join(TESTS, "../../examples/demo/run.py"))
SHOTS = os.path.join(os.path.dirname(PROGRAM), "console-screenshots")


class Driven(unittest.TestCase):
    def setUp(self):
        self.chromium = chromium()
        if not shutil.which("node") or not os.path.exists(TESTS + "/node_modules"):
            raise unittest.SkipTest("make test-browser brings node and playwright")
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()
        if b"/console/app.js" not in self.client.get("/console").body:
            raise unittest.SkipTest("this build has no console: make viewer, and build again")

    def drive(self, scenario, please=None, **more):
        """Run a scenario; please: what it may ask for, each as a function."""
        os.makedirs(SHOTS, exist_ok=True)
        with tempfile.TemporaryFile("w+") as told, subprocess.Popen(
                ["node", "drive.mjs", scenario], cwd=TESTS, text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=told,
                env={**os.environ, "ORIGIN": f"http://127.0.0.1:{self.server.port}",
                     "CHROMIUM": self.chromium, "SHOTS": SHOTS, **more}) as process:
            late = threading.Timer(5 * PATIENCE, process.kill)
            late.start()
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("please: "):
                    please[line[8:].strip()]()
                    process.stdin.write("done\n")
                    process.stdin.flush()
                else:
                    print(line, end="")
            process.wait()
            late.cancel()
            told.seek(0)
            self.assertEqual(process.returncode, 0, "".join(said) + told.read())

    def fill(self):
        """Something for every view to show."""
        made = [self.client.post("/persons", person(external_id=f"shop-{n}",
                                                     properties={"plan": "free"})).data
                for n in range(30)]
        self.client.patch(f"/persons/{made[-1]['id']}", {"properties": {"plan": "paid"}})
        now = datetime.now(timezone.utc)
        events = [{"event_type": kind, "person_id": one["id"],
                   "datetime_created": (now - timedelta(days=number % 9, minutes=least))
                   .strftime("%Y-%m-%dT%H:%M:%SZ")}
                  for number, one in enumerate(made)
                  for kind, least in (("click", 30), ("purchase", 20))[:1 + number % 2]]
        self.assertEqual(self.client.post("/events/batch", events).status, 200)

    def test_an_empty_store(self):
        self.drive("empty")

    def test_each_view_fits_and_is_accessible(self):
        self.fill()
        self.drive("views")

    def test_what_finds_nothing_says_so(self):
        self.fill()
        self.drive("nothing")

    def test_each_dialog_fits_and_is_accessible(self):
        self.fill()
        self.drive("dialogs")

    def test_hostile_text_stays_text_and_breaks_nothing(self):
        self.drive("hostile")

    def test_the_last_minutes_are_there_at_once(self):
        self.drive("minutes")

    def test_a_live_event(self):
        self.drive("live")

    def test_a_person_is_found_read_and_deleted(self):
        self.fill()
        self.drive("persons")

    def test_a_person_is_restricted_exported_and_erased(self):
        self.fill()
        self.drive("rights")

    def test_events_as_csv(self):
        self.drive("csv")

    def test_a_funnel_and_who_came_back(self):
        self.drive("insight")

    def test_a_rebuild_is_watched_to_its_end(self):
        self.fill()
        with Locked(self.server, "checkpoint", "exclusive") as lock:
            self.drive("stopped")
            self.drive("rebuild", please={"let it go on": lock.release})

    def test_who_is_quarantined_is_tried_again(self):
        refuse_bad(self.server)
        self.addCleanup(take_bad, self.server)
        for _ in range(3):
            self.client.post("/persons", person(first_name="bad"))
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 3,
                             "the quarantine")
        self.drive("quarantine", please={"mend it": lambda: take_bad(self.server)})

    def test_the_keyboard_alone(self):
        self.fill()
        self.drive("keyboard")

    def token(self, name, *scopes):
        flags = [part for scope in scopes for part in ("--scope", scope)]
        return self.server.run("token", "create", name, *flags).stdout.strip()

    def test_a_token_is_asked_for_made_and_revoked(self):
        root = self.token("root", "admin")
        self.server.wait_for(lambda: self.server.client().get("/persons").status == 401,
                             "asking for tokens")
        self.drive("token", ADMIN=root)

    def test_what_a_token_may_not_is_not_offered(self):
        self.fill()
        tokens = {"ADMIN": self.token("root", "admin"), "READER": self.token("look", "read"),
                  "AUDITOR": self.token("audit", "audit"), "WEB": self.token("web", "ingest")}
        self.server.wait_for(lambda: self.server.client().get("/persons").status == 401,
                             "asking for tokens")
        self.drive("reader", **tokens)

    def test_the_first_paint(self):
        self.fill()
        self.drive("paint")


class Picture(unittest.TestCase):
    """README's, of make demo after so many seconds: AFTER=320 fills its chart."""

    drive = Driven.drive

    def test_it_is_taken(self):
        self.chromium = chromium()
        after = float(os.environ.get("AFTER", "3"))
        self.server = types.SimpleNamespace(port=free_port())
        with tempfile.TemporaryDirectory(prefix="daybook-demo-") as folder:
            os.chmod(folder, 0o755)
            demo = subprocess.Popen(
                [sys.executable, "-B", DEMO, PROGRAM, "--port", str(self.server.port), "--place",
                 folder + "/demo", "--minutes", str(after / 60 + 1)], text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                told = next((line for line in demo.stdout if line.startswith("Edits go on")), None)
                self.assertIsNotNone(told, "the demo has ended")
                time.sleep(after)
                self.drive("picture")
            finally:
                demo.send_signal(signal.SIGINT)
                demo.stdout.close()
                demo.wait(PATIENCE)


if __name__ == "__main__":
    unittest.main()
