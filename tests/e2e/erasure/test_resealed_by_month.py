"""Marked events of a log that was sealed before anybody thought of their age: made anew by month
it answers as it did, and once they have expired the mark is nowhere in it."""

import os
import time
import unittest

import places
from harness import Server

MARK = "markerzqy"
EVENTS = 30
DAY = 86400


def bare(value):
    """Without what may differ: the formats of records."""
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items() if key != "format"}
    return [bare(each) for each in value] if isinstance(value, list) else value


class Resealed(unittest.TestCase):
    def serve(self, **env):
        server = Server(private=True, env={"SEALED": "true", **env})
        self.addCleanup(server.close)
        return server

    def long_ago(self, server, days):
        """Its clock is as many days behind."""
        path = os.path.join(server.data_dir, "clock")
        with open(path, "wb") as file:
            file.write((-days * DAY).to_bytes(8, "little", signed=True))
        options = server.env.get("ASAN_OPTIONS", "")
        server.env.update(DAYBOOK_TEST_CLOCK=path,
                          LD_PRELOAD=os.environ["DAYBOOK_TEST_PRELOAD"],
                          ASAN_OPTIONS=f"{options}:verify_asan_link_order=0".strip(":"))

    def ask(self, method, path, body=None, status=200):
        answer = self.client.request(method, path, body)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        return answer

    def person(self, name):
        return self.ask("POST", "/persons", {"email": f"{name}@x.test", "first_name": name,
                                             "last_name": "B"}, 201).data["id"]

    def fill(self):
        """Who is there, who was erased, who is restricted."""
        self.one, self.erased, self.held = map(self.person, ("one", "gone", "held"))
        for n in range(EVENTS):
            for person in self.one, self.erased, self.held:
                self.ask("POST", "/events", {
                    "event_type": f"type {MARK}", "person_id": person,
                    "properties": {"said": MARK, "n": n}}, 201)
            self.ask("POST", "/events", {"event_type": "seen", "anonymous_id": "anon",
                                         "properties": {"said": MARK}}, 201)
        self.ask("POST", f"/persons/{self.one}/aliases", {"anonymous_id": "anon"}, 201)
        self.ask("DELETE", f"/persons/{self.erased}?erase=true")
        self.ask("POST", f"/persons/{self.held}/restriction", status=201)

    def answers(self):
        told = {}
        for path in ("/persons?count=exact", "/events?count=exact&limit=1000",
                     f"/persons/{self.one}", f"/persons/{self.one}/aliases",
                     f"/persons/{self.one}/history?limit=1000", f"/persons/{self.held}",
                     f"/events?person_id={self.one}&count=exact",
                     f"/events?keyword={MARK}&count=exact", f"/persons/{self.held}/restriction"):
            answer = self.ask("GET", path)
            told[path] = bare(answer.data)
        told["version"] = self.ask("GET", f"/persons/{self.one}").headers["ETag"].split("-")[0]
        for path in f"/persons/{self.erased}", f"/persons/{self.erased}/receipt":
            answer = self.client.get(path)
            told[path] = answer.status
        return told

    def start(self, server):
        server.start()
        self.client = server.client()
        server.wait_for(lambda: self.client.get("/health").data["projection"] == "following",
                        "following the log")

    def test_what_was_said_before_is_forgotten_by_age(self):
        source, made = self.serve(), self.serve()
        self.long_ago(source, 90)
        self.start(source)
        self.fill()
        before = self.answers()
        source.stop()
        clock = {name: source.env.pop(name) for name in ("LD_PRELOAD", "DAYBOOK_TEST_CLOCK")}
        self.assertTrue(clock)
        made.env["RETENTION"] = "events:400d"
        told = made.run("reseal", source.data_dir)
        self.assertIn("sealed by month, too", told.stdout)
        self.start(made)
        for path, answer in self.answers().items():
            self.assertEqual(answer, before[path], path)
        self.assertIn("equal to the log", made.run("verify", "--projection").stdout)
        made.run("audit", "verify")
        self.assertTrue(self.marked(made), "what is looked for is found")
        self.assertTrue([line for line in made.run("export", "--unseal").stdout.splitlines()
                         if MARK in line])
        month = time.strftime("%Y-%m", time.gmtime())
        made.run("events", "expire", "--before", month, "--yes")
        made.wait_for(lambda: not self.ask("GET", "/events").data, "rows that have gone")
        made.run("keys", "rotate", "--scrub")
        self.assertEqual(self.marked(made), [], places.told(self.marked(made)))
        self.assertNotIn(MARK, made.run("export", "--unseal").stdout)
        self.assertEqual(len(self.ask("GET", "/persons").data), 2)
        made.run("verify", "--projection")

    def marked(self, server):
        return places.in_files(server.data_dir, places.texts(MARK))


if __name__ == "__main__":
    unittest.main()
