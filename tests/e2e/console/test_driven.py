"""The console in a real Chromium, driven by playwright: each view, what it is told and what
it does. By make test-browser only, which brings what tests/console needs from npm."""

import os
import shutil
import subprocess
import unittest
from datetime import datetime, timedelta, timezone

from harness import PATIENCE, PROGRAM, Server
from pages import chromium
from served import person

TESTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../console"))
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

    def drive(self, scenario, **more):
        os.makedirs(SHOTS, exist_ok=True)
        done = subprocess.run(
            ["node", "drive.mjs", scenario], cwd=TESTS, text=True, capture_output=True,
            check=False, timeout=4 * PATIENCE,
            env={**os.environ, "ORIGIN": f"http://127.0.0.1:{self.server.port}",
                 "CHROMIUM": self.chromium, "SHOTS": SHOTS, **more})
        print(done.stdout, end="")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

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

    def test_a_live_event(self):
        self.drive("live")

    def test_a_person_is_found_read_and_deleted(self):
        self.fill()
        self.drive("person")

    def test_a_funnel_and_who_came_back(self):
        self.drive("insight")

    def test_a_rebuild_is_watched_to_its_end(self):
        self.fill()
        self.drive("rebuild")

    def test_the_keyboard_alone(self):
        self.drive("keyboard")

    def test_a_token_is_asked_for(self):
        done = self.server.run("token", "create", "root", "--scope", "admin")
        token = done.stdout.strip()
        self.server.wait_for(lambda: self.server.client().get("/persons").status == 401,
                             "asking for tokens")
        self.drive("token", ADMIN=token)

    def test_the_first_paint(self):
        self.fill()
        self.drive("paint")


if __name__ == "__main__":
    unittest.main()
