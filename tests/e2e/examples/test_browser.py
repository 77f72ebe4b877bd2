"""The browser's snippet of examples/, in a real Chromium: by make test-browser only."""

import json
import os
import unittest

from harness import PATIENCE, Server
from pages import Shown, Site, chromium

SNIPPET = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples/browser/daybook.js")
PAGE = """<!doctype html><title>page</title><script type="module">
import {Daybook} from './daybook.js';
const daybook = new Daybook(URL_, KEY_);
const tell = (what) => fetch('/told', {method: 'POST', body: JSON.stringify(what)});
for (let n = 0; n < 60; n++) daybook.track('early', {n});
await daybook.flush();
await tell({waiting: daybook.waiting, id: daybook.anonymousId});
while (daybook.waiting > 0) await new Promise((done) => setTimeout(done, 50));
for (let n = 0; n < 5; n++) daybook.track('leaving', {n, long: 'x'.repeat(12000)});
location = '/next';
</script>"""


class Browser(unittest.TestCase):
    def test_nothing_is_lost_or_doubled(self):
        chromium()
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        with open(SNIPPET, "rb") as file:
            site = Site("", {"/daybook.js": file.read()})
        self.addCleanup(site.close)
        root = server.run("token", "create", "root", "--scope", "audit").stdout.strip()
        key = server.run("token", "create", "web", "--scope", "ingest", "--origin",
                         f"http://localhost:{site.server_port}").stdout.strip()
        site.page = PAGE.replace("URL_", json.dumps(f"http://127.0.0.1:{server.port}")) \
            .replace("KEY_", json.dumps(key))
        with Shown(f"http://localhost:{site.server_port}/"):
            self.assertTrue(site.tells.wait(PATIENCE), "the page did not tell")
            self.assertEqual(site.told["waiting"], 60)  # nobody answered
            server.start()
            self.assertTrue(site.left.wait(PATIENCE), "the page did not come to its end")
            client = server.client()

            def events():
                return [record["data"] for record in client.request(
                    "GET", "/log?limit=1000", None, {"Authorization": "Bearer " + root}).data]

            server.wait_for(lambda: len(events()) >= 65, "all events")
        found = events()
        self.assertEqual({event["anonymous_id"] for event in found}, {site.told["id"]})
        self.assertEqual(sorted((event["event_type"], event["properties"]["n"]) for event in found),
                         [("early", n) for n in range(60)] + [("leaving", n) for n in range(5)])


if __name__ == "__main__":
    unittest.main()
