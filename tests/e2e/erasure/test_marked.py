"""A marked person goes through all that the product does, in a sealed log, and is erased: the
mark is nowhere any more, and all that was signed before holds."""

import os
import shutil
import tempfile
import unittest

import places
import proofs
from harness import Server

MARK = "markerzqx"
EVENTS = 60


class Marked(unittest.TestCase):
    def setUp(self):
        self.outside = tempfile.mkdtemp(prefix="daybook-marked-")
        self.addCleanup(shutil.rmtree, self.outside, True)
        self.server = Server(private=True, env={
            "SEALED": "true", "LOG_LEVEL": "debug", "AUDIT_ORIGIN": "marked.test/log",
            "AUDIT_INTERVAL": "1"})
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def ask(self, method, path, body=None, status=200, **headers):
        answer = self.client.request(method, path, body, headers)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        return answer

    def person(self, name):
        return self.ask("POST", "/persons", {
            "email": f"{name}@x.test", "first_name": name, "last_name": f"{name}son",
            "external_id": f"ext-{name}", "properties": {"plan": name}}, 201,
            **{"Idempotency-Key": f"key-of-{len(name)}"}).data["id"]

    def live(self, name, person):
        """Written in every way there is."""
        for n in range(EVENTS):
            self.ask("POST", "/events", {"event_type": f"type {name}", "person_id": person,
                                         "properties": {"name": name, "n": n}}, 201)
        self.ask("POST", "/events/batch", [
            {"event_type": "batched", "person_id": person, "properties": {"name": name}}
            for _ in range(EVENTS)])
        self.ask("POST", "/events", {"event_type": "seen", "anonymous_id": f"anon-{name}",
                                     "properties": {"name": name}}, 201)
        self.ask("POST", f"/persons/{person}/aliases", {"anonymous_id": f"anon-{name}"}, 201)
        self.ask("PATCH", "/persons/" + person, {"first_name": name + "2"})
        self.ask("PATCH", "/persons/" + person, {"properties": {"note": name}})

    def refuse(self, name, person):
        """Sent, and refused: it must not be in a log of the server's, or of PostgreSQL's."""
        self.ask("POST", "/persons", {"email": f"{name}@x.test", "first_name": name,
                                      "last_name": name}, 409)
        self.ask("POST", "/persons", {"email": name, "first_name": name, "last_name": 7,
                                      name: name}, 400)
        self.ask("POST", "/events", {"event_type": name + "\u0000", "person_id": person}, 400)
        self.ask("POST", "/events", '{"event_type": "' + name, 400)
        self.ask("GET", f"/persons?{name}@x.test", status=400)
        self.ask("GET", f"/persons?emial={name}", status=400)
        self.ask("GET", f"/persons/{name}@x.test", status=400)
        self.ask("GET", f"/nobody/{name}%40x.test/here", status=404)
        self.ask("GET", f"/events?properties={name}", status=400)

    def read(self, name, person):
        quoted = '%7B%22name%22:%22' + name + '%22%7D'
        for path in (f"/persons/{person}", f"/persons?email={name}@x.test", "/persons",
                     f"/persons/by/external_id/ext-{name}", f"/events?keyword=type%20{name}",
                     f"/events?properties={quoted}", f"/events?person_id={person}",
                     f"/persons/{person}/history", "/log?limit=1000"):
            self.ask("GET", path)

    def copies(self):
        """All that is made of a log but what is meant to be read: by tools, and beside it."""
        self.server.run("rebuild", "--keep-old")
        self.server.run("replay", "--into", "then")
        self.server.run("verify", "--projection")
        self.server.run("status", check=False)
        self.server.run("backup", os.path.join(self.outside, "backup"))
        self.server.run("export", os.path.join(self.outside, "sealed.ndjson"))

    def places(self, folder):
        return places.in_files(folder, places.texts(MARK))

    def checkpoint(self, size):
        found = []
        def is_there():
            found.append(self.client.get("/checkpoint").body)
            return int(found[-1].split(b"\n")[1]) >= size
        self.server.wait_for(is_there, "a checkpoint")
        return found[-1]

    def keep(self, name, text):
        path = os.path.join(self.outside, name)
        with open(path, "wb") as file:
            file.write(text)
        return path

    def erase(self, person):
        done = self.ask("DELETE", f"/persons/{person}?erase=true")
        self.assertEqual(done.data["person_id"], person)
        return done.data

    def test_the_mark_is_nowhere(self):
        marked, other = self.person(MARK), self.person("somebody")
        self.live(MARK, marked)
        self.live("somebody", other)
        self.refuse(MARK, marked)
        self.read(MARK, marked)
        self.copies()
        head = self.client.get("/health").data["head"]
        before = self.keep("checkpoint", self.checkpoint(head))
        proven = {sequence: (self.record(sequence), proofs.Proof(
            self.ask("GET", f"/log/{sequence}/proof").body)) for sequence in range(1, 20)}
        self.assertEqual(len(self.ask("GET", "/persons").data), 2)
        # Only where it is meant to be: the tables, and nothing but they.
        outside = [place for place in self.places(self.server.data_dir)
                   if "/postgres/" not in place[0]]
        self.assertEqual(outside, [], places.told(outside))
        self.assertTrue(self.places(os.path.join(self.server.data_dir, "postgres")))

        receipt = self.erase(marked)
        self.server.run("rebuild", "--scrub")
        for folder in (self.server.data_dir, self.outside):
            found = self.places(folder)
            self.assertEqual(found, [], places.told(found))
        self.holds(before, proven, receipt)
        self.adds_up(marked, other, head, receipt)
        self.forgets()

    def record(self, sequence):
        return self.ask("GET", f"/log/{sequence}", Accept="application/msgpack").body

    def holds(self, before, proven, receipt):
        """What was signed before, of the log as it is; the bytes of records are what they
        were, and so is what proves them."""
        now = self.keep("now", self.checkpoint(receipt["sequence"]))
        for checkpoint in before, now:
            self.server.run("audit", "verify", "--checkpoint", checkpoint)
        for sequence, (record, proof) in proven.items():
            self.assertEqual(self.record(sequence), record)
            self.assertTrue(proof.proves(record))
            again = proofs.Proof(self.ask("GET", f"/log/{sequence}/proof").body)
            self.assertTrue(again.proves(record))
        self.server.run("verify", "--projection")

    def adds_up(self, marked, other, head, receipt):
        """Every record is there, and tells whose it was and when; the tables have the other."""
        records = self.server.log_records()
        self.assertEqual([each["sequence"] for each in records],
                         list(range(1, len(records) + 1)))
        self.assertEqual(records[head]["type"], "person.erased")
        self.assertEqual(records[head]["subject_id"], marked)
        theirs = [each for each in records[:head] if
                  marked in (each["subject_id"], each["data"].get("person_id"))]
        self.assertGreater(len(theirs), 2 * EVENTS)
        erased = [each for each in records if each["data"].get("erased") is True]
        self.assertEqual(receipt["records"], len(erased))
        self.assertLessEqual({each["sequence"] for each in theirs
                              if each["type"] != "person.aliased"},
                             {each["sequence"] for each in erased})
        self.assertEqual(self.client.get("/persons/" + marked).status, 410)
        listed = self.ask("GET", "/persons?count=exact")
        self.assertEqual([each["id"] for each in listed.data], [other])
        self.assertEqual(len(self.ask("GET", f"/events?person_id={other}").data),
                         2 + 2 * EVENTS)
        again = self.client.post("/persons", {"email": f"{MARK}@x.test", "first_name": "A",
                                              "last_name": "B"})
        self.assertEqual(again.status, 201, "the address is free")

    def forgets(self):
        """Once it was started again, nothing brings it into memory."""
        self.server.stop()
        self.server.start()
        self.client = self.server.client()
        self.ask("GET", "/persons")
        self.server.wait_for(lambda: self.client.get("/health").data["projection"] ==
                             "following", "following the log")


if __name__ == "__main__":
    unittest.main()
