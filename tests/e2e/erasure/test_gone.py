"""An erased person is told from a deleted one, by each route that names either."""

import unittest

from harness import Server
from served import new_id, person

SAID = "zanzibar"
ERASED, NOT_FOUND = "/docs/errors.md#erased", "/docs/errors.md#not-found"


class Three(unittest.TestCase):
    """One who was deleted, one who was erased, and one who was both."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"SEALED": "true"}).start()
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.deleted = cls.gone()
        cls.erased = cls.gone()
        cls.both = cls.gone()
        for one, erase in ((cls.deleted, ""), (cls.both, ""), (cls.both, "?erase=true"),
                           (cls.erased, "?erase=true")):
            answer = cls.client.delete(f"/persons/{one['id']}{erase}")
            assert answer.status == 200, answer.body

    @classmethod
    def made(cls, path, body):
        answer = cls.client.post(path, body)
        assert answer.status == 201, answer.body
        return answer.data

    @classmethod
    def gone(cls):
        """A person with events of each kind; what is to be asked of them."""
        device, external = "d-" + new_id(), "x-" + new_id()
        before = cls.made("/events", {"anonymous_id": device, "event_type": SAID})
        one = cls.made("/persons", person(external_id=external, first_name=SAID))
        cls.made(f"/persons/{one['id']}/aliases", {"anonymous_id": device})
        event = cls.made("/events", {"person_id": one["id"], "event_type": SAID})
        taken_out = cls.made("/events", {"person_id": one["id"], "event_type": SAID})
        assert cls.client.delete("/events/" + taken_out["id"]).status == 200
        return {"id": one["id"], "device": device, "external": external,
                "events": [before["id"], event["id"], taken_out["id"],
                           one["events"][0]["id"]]}


class Gone(Three):
    def asked(self, of):
        """All requests by a path that names the person, or an event of it."""
        path = f"/persons/{of['id']}"
        for method in ("GET", "HEAD", "DELETE"):
            yield method, path, None
        yield "GET", path + "?fields=id&events_limit=0", None
        yield "PUT", path, {**person(), "role": "user"}
        yield "PATCH", path, {"last_name": SAID}
        yield "GET", path + "/aliases", None
        yield "POST", path + "/aliases", {"anonymous_id": new_id()}
        yield "DELETE", f"{path}/aliases/{of['device']}", None
        for method in ("GET", "POST", "DELETE"):
            yield method, path + "/restriction", None
        for event in of["events"]:
            for method in ("GET", "HEAD", "DELETE"):
                yield method, "/events/" + event, None

    def assert_told(self, of, status, name):
        for method, path, body in self.asked(of):
            for headers in ({}, {"If-Match": '"1-00000000"'}, {"If-None-Match": "*"}):
                with self.subTest(method=method, path=path, headers=headers):
                    answer = self.client.request(method, path, body, headers)
                    self.assertEqual(answer.status, status, answer.body)
                    if method == "HEAD":
                        continue
                    self.assertEqual(answer.json["response"]["type"], name)
                    self.assertNotIn(SAID, answer.body.decode())
                    self.assertEqual("erased" in answer.details, name == ERASED)

    def test_who_was_deleted_is_not_found(self):
        self.assert_told(self.deleted, 404, NOT_FOUND)

    def test_who_was_erased_is_gone(self):
        self.assert_told(self.erased, 410, ERASED)

    def test_so_is_who_was_deleted_before(self):
        self.assert_told(self.both, 410, ERASED)

    def test_what_tells_of_records_goes_on(self):
        for of, status in ((self.deleted, 404), (self.erased, 200), (self.both, 200)):
            path = f"/persons/{of['id']}"
            self.assertEqual(self.client.get(path + "/receipt").status, status)
            self.assertEqual(self.client.get(path + "/history").status, 200)
            export = self.client.get(path + "/export")
            self.assertEqual((export.status, export.data["deleted"], export.data["erased"]),
                             (200, True, of is not self.deleted))
        again = self.client.delete(f"/persons/{self.erased['id']}?erase=true")
        self.assertEqual(again.status, 200, again.body)

    def test_whose_an_id_was_nobody_knows(self):
        for of in (self.deleted, self.erased, self.both):
            answer = self.client.get("/persons/by/external_id/" + of["external"])
            self.assertEqual((answer.status, answer.json["response"]["type"]),
                             (404, NOT_FOUND))
            for path in (f"/persons?external_id={of['external']}",
                         f"/persons?anonymous_id={of['device']}",
                         f"/events?person_id={of['id']}",
                         f"/events?anonymous_id={of['device']}"):
                answer = self.client.get(path)
                self.assertEqual((answer.status, answer.data), (200, []), path)

    def test_a_body_that_names_the_person_is_refused_as_ever(self):
        for of in (self.deleted, self.erased, self.both):
            event = {"person_id": of["id"], "event_type": "x"}
            for answer in (self.client.post("/events", event),
                           self.client.post("/events/" + new_id(), event),
                           # the event of the path is erased, and its id is taken for ever
                           self.client.post("/events/" + self.erased["events"][1], event)):
                self.assertEqual((answer.status, answer.json["response"]["type"]),
                                 (404, NOT_FOUND), answer.body)
            batch = self.client.post("/events/batch", [event])
            self.assertEqual([each["status"] for each in batch.data], [404])

    def test_a_problem_document_says_it_too(self):
        answer = self.client.get("/persons/" + self.erased["id"],
                                 Accept="application/problem+json")
        self.assertEqual((answer.json["status"], answer.json["type"]), (410, ERASED))
        self.assertEqual(answer.headers.get("Cache-Control"), self.client.get(
            "/persons/" + new_id()).headers.get("Cache-Control"))


class OnlyIngests(Three):
    def test_who_only_ingests_learns_of_neither(self):
        token = self.server.run("token", "create", "page", "--scope", "ingest").stdout.strip()
        root = self.server.run("token", "create", "root", "--scope", "admin").stdout.strip()
        self.server.wait_for(lambda: self.client.get("/persons").status == 401 and all(
            self.client.get("/tokens/self", Authorization="Bearer " + each).status in (200, 403)
            for each in (token, root)), "the tokens")
        told = {self.client.post(f"/persons/{of['id']}/aliases", {"anonymous_id": "d"},
                                 Authorization="Bearer " + token).status
                for of in (self.deleted, self.erased, self.both)}
        self.assertEqual(told, {202})
        self.assertEqual(self.client.get("/persons/" + self.erased["id"],
                                         Authorization="Bearer " + root).status, 410)


if __name__ == "__main__":
    unittest.main()
