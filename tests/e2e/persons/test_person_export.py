"""GET /persons/{id}/export: everything that is held of a person, as of one sequence."""

import json
import os
import threading
import unittest

from damage import change, damage
from harness import UNSEALED, Server
from served import new_id, person


class PersonExport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"DB_HOST": "/nowhere"})  # it needs no PostgreSQL
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.client = cls.server.client()

    def made(self, path, body):
        answer = self.client.post(path, body)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data

    def export(self, id, status=200):
        answer = self.client.get(f"/persons/{id}/export")
        self.assertEqual(answer.status, status, answer.body)
        return answer.data

    def test_it_has_all_and_nobody_elses(self):
        device, email = new_id(), f"{new_id()}@x.mock"
        visit = self.made("/events", {"anonymous_id": device, "event_type": "visit"})
        kate = self.made("/persons", person(email=email, external_id=new_id(),
                                            properties={"plan": "pro", "n": [1, 2]}))
        erik = self.made("/persons", person())
        self.made(f"/persons/{kate['id']}/aliases", {"anonymous_id": device})
        click = self.made("/events", {"person_id": kate["id"], "event_type": "click",
                                      "properties": {"a": 1}})
        self.made("/events", {"person_id": erik["id"], "event_type": "other"})
        self.client.delete(f"/events/{click['id']}")
        self.client.patch(f"/persons/{kate['id']}", {"last_name": "Summers"})
        restricted = self.client.post(f"/persons/{kate['id']}/restriction", None)
        self.client.delete(f"/persons/{kate['id']}/restriction")
        found = self.export(kate["id"])
        self.assertEqual(list(found), ["person_id", "sequence", "exported_at", "deleted",
                                       "erased", "restricted_by", "person", "aliases",
                                       "records"])
        self.assertEqual((found["person_id"], found["deleted"], found["erased"],
                          found["restricted_by"]), (kate["id"], False, False, None))
        self.assertEqual(found["sequence"], restricted.sequence + 1)
        shown = found["person"]
        self.assertEqual((shown["email"], shown["last_name"], shown["properties"]),
                         (email, "Summers", {"plan": "pro", "n": [1, 2]}))
        self.assertEqual([alias["anonymous_id"] for alias in found["aliases"]], [device])
        log = [json.loads(line) for line in self.server.run("export", "--unseal").stdout.splitlines()
               if line.startswith('{"format"')]
        hers = [record for record in log
                if kate["id"] in (record["subject_id"], record["data"].get("person_id"))
                or record["subject_id"] == visit["id"]]
        self.assertEqual(found["records"], hers)
        self.assertEqual([record["type"] for record in hers],
                         ["event.recorded", "person.created", "event.recorded",
                          "person.aliased", "event.recorded", "event.deleted",
                          "person.updated", "person.restricted", "person.unrestricted"])

    def test_what_is_held_after_deletion_is_told(self):
        kate = self.made("/persons", person())
        self.client.delete(f"/persons/{kate['id']}")
        found = self.export(kate["id"])
        self.assertEqual((found["deleted"], found["person"], found["aliases"]),
                         (True, None, []))
        self.assertEqual(found["records"][0]["data"]["email"], kate["email"])
        self.assertEqual(found["records"][-1]["type"], "person.deleted")
        self.export(new_id(), 404)

    def test_a_long_one_is_whole_while_more_is_written(self):
        kate = self.made("/persons", person())
        item = {"event_type": "click", "person_id": kate["id"],
                "properties": {"text": "x" * 1000}}
        for _ in range(5):
            self.client.post("/events/batch", [item] * 400)
        stop, writer = threading.Event(), self.server.client()

        def write():
            while not stop.is_set():
                writer.post("/events/batch", [item] * 10)
                writer.patch(f"/persons/{kate['id']}", {"last_name": new_id()})

        thread = threading.Thread(target=write)
        thread.start()
        try:
            found = [self.export(kate["id"]) for _ in range(3)]
        finally:
            stop.set()
            thread.join()
        for each in found:
            last = each["records"][-1]["sequence"]
            self.assertEqual([record["sequence"] for record in each["records"]],
                             list(range(each["records"][0]["sequence"], last + 1)))
            self.assertEqual(last, each["sequence"])
            names = [record["data"]["last_name"] for record in each["records"]
                     if "last_name" in record["data"]]
            self.assertEqual(each["person"]["last_name"], names[-1])
        path = f"{self.server.data_dir}/kate.json"
        self.server.run("person", "export", kate["id"], "--output", path)
        with open(path) as file:
            told = json.load(file)
        self.assertEqual(told["records"][:len(found[0]["records"])], found[0]["records"])
        again = self.server.run("person", "export", kate["id"], "--output", path, check=False)
        self.assertEqual(again.returncode, 3)

    def test_a_damaged_record_is_told_and_the_others_are_there(self):
        server = Server(env={"DB_HOST": "/nowhere", **UNSEALED})
        self.addCleanup(server.close)
        server.start()
        client, mark = server.client(), "Damaged " + new_id()[:8]
        id = client.post("/persons", person()).data["id"]
        hit = client.post("/events", {"person_id": id, "event_type": mark}).sequence
        client.post("/events", {"person_id": id, "event_type": "click"})
        server.stop()
        damage(f"{server.data_dir}/log/data.mdb", change, mark.encode())
        server.start()
        records = server.client().get(f"/persons/{id}/export").data["records"]
        self.assertEqual([record["sequence"] for record in records], [1, 2, hit, hit + 1])
        self.assertIn(f"record {hit}: ", records[2]["unreadable"])
        self.assertNotIn(mark, json.dumps(records))

    def test_of_a_sealed_log_it_is_opened(self):
        server = Server(env={"DB_HOST": "/nowhere", "SEALED": "true"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        made = client.post("/persons", person()).data
        self.assertEqual(client.post(f"/persons/{made['id']}/restriction", None).status, 201)
        found = client.get(f"/persons/{made['id']}/export").data
        self.assertEqual((found["person"]["email"], found["records"][0]["data"]["email"]),
                         (made["email"], made["email"]))
        told = json.loads(server.run("person", "export", made["id"]).stdout)
        self.assertEqual(told["records"], found["records"])
        self.assertIn(made["id"], server.run("person", "restricted").stdout)
        self.assertEqual(client.delete(f"/persons/{made['id']}?erase=true").status, 200)
        self.assertEqual(server.run("person", "restricted").stdout, "")
        gone = client.get(f"/persons/{made['id']}/export").data
        self.assertEqual((gone["erased"], gone["person"]), (True, None))
        self.assertNotIn(made["email"], json.dumps(gone))
        self.assertEqual([record["type"] for record in gone["records"]][-2:],
                         ["person.restricted", "person.erased"])
        os.rename(f"{server.data_dir}/keys", f"{server.data_dir}/away")
        self.assertIn("keys", server.run("person", "export", made["id"], check=False).stderr)
        os.rename(f"{server.data_dir}/away", f"{server.data_dir}/keys")

    def test_the_command_restricts_and_takes_it_back(self):
        kate = self.made("/persons", person())
        run = self.server.run
        self.assertIn("restricted", run("person", "restrict", kate["id"]).stdout)
        self.assertIsNotNone(self.export(kate["id"])["restricted_by"])
        self.assertEqual(run("person", "restrict", kate["id"]).returncode, 0)
        listed = run("person", "restricted").stdout.splitlines()
        line, = [line for line in listed if line.startswith(kate["id"])]
        self.assertEqual(line.split()[2], str(self.export(kate["id"])["restricted_by"]))
        self.assertEqual(run("person", "restricted", kate["id"], check=False).returncode, 2)
        self.assertIn("shown again", run("person", "unrestrict", kate["id"]).stdout)
        self.assertIsNone(self.export(kate["id"])["restricted_by"])
        self.assertNotIn(kate["id"], run("person", "restricted").stdout)
        self.assertEqual(run("person", "unrestrict", new_id(), check=False).returncode, 3)

    @staticmethod
    def name_of(answer):
        return answer.status == 200 and answer.data["name"]

    def test_it_takes_the_scope_admin(self):
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        server.start()
        id = server.client().post("/persons", person()).data["id"]
        client = server.client()
        for scopes, status in ((["read", "write", "audit"], 403), (["admin"], 200)):
            token = server.run("token", "create", scopes[0],
                               *(word for scope in scopes for word in ("--scope", scope))
                               ).stdout.strip()
            bearer = {"authorization": "Bearer " + token}
            server.wait_for(lambda: self.name_of(client.get("/tokens/self", **bearer))
                            == scopes[0], "a token known")
            answer = client.get(f"/persons/{id}/export", **bearer)
            self.assertEqual(answer.status, status, answer.body)


if __name__ == "__main__":
    unittest.main()
