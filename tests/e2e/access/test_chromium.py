"""Pages in a real Chromium, of other origins than the server's, send what they saw: by
make test-browser only. What a browser sends is tried as bytes in test_ingest_pages.py."""

import json
import unittest

from harness import PATIENCE, Server
from pages import Shown, Site, chromium
from served import person

PAGE = """<!doctype html><title>page</title><script>
const url = URL_, events = EVENTS_, told = {}, json = {'Content-Type': 'application/json'};
const of = name => JSON.stringify([events[name]]);
const blob = (name, type) => new Blob([of(name)], {type});
async function ask(name, options) {
    try {
        const answer = await fetch(url, {method: 'POST', ...options});
        told[name] = {status: answer.status, body: await answer.json()};
    } catch (error) {
        told[name] = {error: String(error)};
    }
}
async function run() {
    told.string = navigator.sendBeacon(url, of('string'));
    told.text = navigator.sendBeacon(url, blob('text', 'text/plain'));
    told.json = navigator.sendBeacon(url, blob('json', 'application/json'));
    await ask('keepalive', {keepalive: true, body: of('keepalive'), headers: json});
    await ask('credentials', {credentials: 'include', body: of('credentials'),
                              headers: json});
    await ask('simple', {body: of('simple')});
    document.cookie = 'session=4711';
    addEventListener('pagehide', () => navigator.sendBeacon(url, of('leaving')));
    await fetch('/told', {method: 'POST', body: JSON.stringify(told)});
    location = '/next';
}
run();
</script>"""
NAMES = ("string", "text", "json", "keepalive", "credentials", "simple", "leaving")


class Pages(unittest.TestCase):
    def setUp(self):
        chromium()
        self.server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(self.server.close)
        self.admin = self.token("root", "--scope", "admin")
        self.server.start()
        self.client = self.server.client()

    def token(self, name, *flags):
        return self.server.run("token", "create", name, *flags).stdout.strip()

    def ask(self, method, path, body=None):
        return self.client.request(method, path, body,
                                   {"Authorization": "Bearer " + self.admin})

    def recorded(self):
        """The names of the events that the log has."""
        return {record["data"]["event_type"] for record in self.ask("GET", "/log").data
                if record["type"] == "event.recorded"} - {"signup"}

    def visit(self, host, origins):
        """Show the page, which sends with a new token; what it told."""
        whose = self.ask("POST", "/persons", person()).data["id"]
        site = Site(PAGE)
        self.addCleanup(site.close)
        flags = [part for origin in origins for part in
                 ("--origin", origin.replace("PORT", str(site.server_port)))]
        key = self.token("web", "--scope", "ingest", *flags)
        self.server.wait_for(lambda: self.client.request(
            "POST", "/events", "{}", {"Authorization": "Bearer " + key}).status != 401,
            "the token")
        url = f"http://127.0.0.1:{self.server.port}/events/batch?key={key}"
        events = {name: {"event_type": name, "person_id": whose} for name in NAMES}
        site.page = PAGE.replace("URL_", json.dumps(url)).replace(
            "EVENTS_", json.dumps(events))
        with Shown(f"http://{host}:{site.server_port}/"):
            self.assertTrue(site.left.wait(PATIENCE), "the page did not come to its end")
            yield site.told
        self.assertNotIn(key[4:], self.server.told())

    def test_a_page_of_another_site_that_is_let(self):
        for told in self.visit("localhost", ["https://shop.example",
                                             "http://localhost:PORT"]):
            self.server.wait_for(lambda: self.recorded() == set(NAMES), "all events")
            self.assertEqual([told[name] for name in ("string", "text", "json")],
                             3 * [True])
            for name in ("keepalive", "credentials", "simple"):
                self.assertEqual(told[name]["status"], 200, told)
                item = told[name]["body"]["data"][0]
                self.assertEqual(set(item), {"index", "status", "id"})
                self.assertEqual(item["status"], 202)

    def test_a_page_of_one_that_is_not(self):
        for told in self.visit("localhost", ["https://shop.example"]):
            for name in ("keepalive", "credentials", "simple"):
                self.assertIn("TypeError", told[name]["error"])
            self.server.wait_for(lambda: self.server.told().count("status=403 ") >= 4,
                                 "the beacons")
            self.assertEqual(self.recorded(), set())


if __name__ == "__main__":
    unittest.main()
