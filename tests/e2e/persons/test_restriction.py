"""A person who is restricted (GDPR, article 18): what is held is kept, goes on being recorded,
and is shown to nobody but admins, by no route there is."""

import json
import unittest

from feed import Stream, until_waiting
from harness import Server
from served import new_id, person

READER, AUDITOR, WRITER = "reader", "auditor", "writer"
NDJSON = "application/x-ndjson"
MARK = "zanzibar"


class Restriction(unittest.TestCase):
    """Kate, with all there can be, marked so that no answer can hide it; and Erik."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.tokens = {name: cls.server.run("token", "create", name, *scopes).stdout.strip()
                      for name, scopes in {
                          "root": ["--scope", "admin"],
                          READER: ["--scope", "read"],
                          AUDITOR: ["--scope", "audit"],
                          WRITER: ["--scope", "write", "--scope", "read"]}.items()}
        # While no tokens are known everybody is an admin.
        cls.server.wait_for(lambda: cls.client.get("/persons").status == 401 and
                            all(cls.ask("GET", "/persons", by=name).status in (200, 403)
                                for name in cls.tokens), "tokens known")

    @classmethod
    def ask(cls, method, path, body=None, by="root", **headers):
        return cls.client.request(method, path, body, {
            "Authorization": "Bearer " + cls.tokens[by],
            **{name.replace("_", "-").title(): value for name, value in headers.items()}})

    def setUp(self):
        one = new_id()
        self.external, self.device = f"{MARK}/{one}", f"{MARK}-{one}"
        self.email = f"{MARK}.{one}@x.mock"
        self.kate = self.made("/persons", person(
            email=self.email, first_name=MARK, external_id=self.external,
            properties={"p": MARK}))
        self.erik = self.made("/persons", person())
        self.before = self.made("/events", {"anonymous_id": self.device, "event_type": MARK})
        self.alias = f"/persons/{self.kate}/aliases"
        self.assertEqual(self.ask("POST", self.alias, {"anonymous_id": self.device}).status,
                         201)
        self.click = self.made("/events", {"person_id": self.kate, "event_type": MARK,
                                           "properties": {"e": MARK}})
        self.other = self.made("/events", {"person_id": self.erik, "event_type": "click"})

    def made(self, path, body):
        answer = self.ask("POST", path, body)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data["id"]

    def restrict(self):
        answer = self.ask("POST", f"/persons/{self.kate}/restriction")
        self.assertEqual(answer.status, 201, answer.body)
        self.addCleanup(self.ask, "DELETE", f"/persons/{self.kate}/restriction")
        return answer

    def by_external_id(self):
        return "/persons/by/external_id/" + self.external.replace("/", "%2F")

    def test_it_is_said_once_and_taken_back(self):
        path = f"/persons/{self.kate}/restriction"
        tag = self.ask("GET", f"/persons/{self.kate}").headers["ETag"]
        self.assertEqual(self.ask("GET", path).status, 404)
        first = self.restrict()
        self.assertEqual(list(first.data), ["person_id", "datetime_created", "sequence"])
        self.assertEqual(first.data["sequence"], first.sequence)
        again = self.ask("POST", path)
        self.assertEqual((again.status, again.data), (200, first.data))
        self.assertEqual(self.ask("GET", path).data, first.data)
        record = self.ask("GET", f"/log/{first.sequence}").data
        self.assertEqual((record["type"], record["format"], record["subject_id"],
                          record["data"], record["meta"]["actor"]),
                         ("person.restricted", 5, self.kate, {}, "root"))
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}").headers["ETag"], tag)
        gone = self.ask("DELETE", path)
        self.assertEqual((gone.status, gone.data), (200, None))
        self.assertEqual(self.ask("DELETE", path).status, 404)
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}", by=READER).status, 200)
        self.assertEqual(self.ask("POST", f"/persons/{new_id()}/restriction").status, 404)

    def test_only_an_admin_says_it(self):
        for name in (READER, AUDITOR, WRITER):
            for method in ("POST", "GET", "DELETE"):
                answer = self.ask(method, f"/persons/{self.kate}/restriction", by=name)
                self.assertEqual(answer.status, 403, answer.body)

    def test_what_names_the_person_is_refused(self):
        paths = {READER: [f"/persons/{self.kate}", self.by_external_id(), self.alias,
                          self.by_external_id() + "/aliases", f"/events/{self.click}",
                          f"/events/{self.before}",
                          f"/events/stats?by=day&person_id={self.kate}"],
                 AUDITOR: [f"/persons/{self.kate}/history"]}
        shown = {(name, path): self.ask("GET", path, by=name).status
                 for name in paths for path in paths[name]}
        self.assertEqual(set(shown.values()), {200}, shown)
        self.restrict()
        for name, path in shown:
            answer = self.ask("GET", path, by=name)
            self.assertEqual(answer.status, 403, (path, answer.body))
            self.assertIn("restricted", answer.details)
            self.assertEqual(answer.json["response"]["type"], "/docs/errors.md#forbidden")
            self.assertNotIn(MARK, answer.body.decode())
            self.assertEqual(self.ask("GET", path).status, 200, path)

    def test_lists_leave_the_person_out(self):
        lists = ["/persons?limit=10000", f"/persons?email={self.email}",
                 f"/persons?anonymous_id={self.device}", f"/persons?q={MARK}",
                 f'/persons?properties={{"p":"{MARK}"}}', "/persons?order=desc&limit=10000",
                 "/events?limit=10000", f"/events?person_id={self.kate}",
                 f"/events?keyword={MARK}", f"/events?keyword={MARK}&keyword=click",
                 f"/events?anonymous_id={self.device}", f"/events?email={self.email}",
                 f'/events?properties={{"e":"{MARK}"}}', "/events?order=desc&limit=10000",
                 f"/events?since=2000-01-01T00:00:00&keyword={MARK}"]
        lists = [path.replace('"', "%22") + "&count=exact" for path in lists]

        def ids(path, by):
            answer = self.ask("GET", path, by=by)
            self.assertEqual(answer.status, 200, (path, answer.body))
            self.assertEqual(answer.json["response"]["count"], len(answer.data), path)
            return {row["id"] for row in answer.data}

        hers = {self.kate, self.click, self.before}
        before = {path: ids(path, READER) for path in lists}
        for path in lists:
            self.assertTrue(before[path] & hers, path)
        self.restrict()
        for path in lists:
            with self.subTest(path):
                found = ids(path, READER)
                self.assertFalse(found & hers)
                self.assertTrue(found <= before[path])
                self.assertTrue(ids(path, "root") >= before[path])
        self.assertIn(self.erik, ids("/persons?limit=10000&count=exact", READER))
        self.assertIn(self.other, ids("/events?limit=10000&count=exact", READER))

    def records(self, path, by=AUDITOR, **headers):
        answer = self.ask("GET", path, by=by, **headers)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def hers_in_log(self):
        return [record["sequence"] for record in self.records("/log?limit=10000", "root").data
                if MARK in json.dumps(record) and self.external_is_in(record)]

    def external_is_in(self, record):
        return record["subject_id"] in (self.kate, self.before, self.click)

    def test_records_are_there_and_say_nothing(self):
        hers = self.hers_in_log()
        self.assertEqual(len(hers), 4)  # created, a visit, the alias, a click
        after = f"/log?after={hers[0] - 1}"
        self.restrict()
        for form in ({}, {"accept": NDJSON}, {"accept": "application/cloudevents-batch+json"}):
            body = self.records(after, **form).body.decode()
            self.assertNotIn(MARK, body)
            self.assertEqual(body.count('"restricted":true'), 5, body)  # and the signup
            self.assertIn(MARK, self.records(after, "root", **form).body.decode())
        for sequence in hers:
            record = self.records(f"/log/{sequence}").data
            self.assertEqual(record["sequence"], sequence)
            self.assertTrue(record["data"]["restricted"])
            bytes_ = self.ask("GET", f"/log/{sequence}", by=AUDITOR,
                              accept="application/msgpack")
            self.assertEqual(bytes_.status, 403)
            self.assertEqual(self.ask("GET", f"/log/{sequence}",
                                      accept="application/msgpack").status, 200)

    def stream(self, query, by=AUDITOR, **kwargs):
        stream = Stream(self.server, query,
                        [("Authorization", "Bearer " + self.tokens[by])], **kwargs)
        self.addCleanup(stream.close)
        return stream

    def test_streams_say_nothing_of_the_person_either(self):
        after = self.hers_in_log()[0] - 1
        live = self.stream("?after=head").open()
        self.restrict()
        self.made("/events", {"person_id": self.kate, "event_type": MARK})
        end = self.made("/events", {"person_id": self.erik, "event_type": "end"})

        def until_end(stream):
            found = []
            while not found or found[-1]["subject_id"] != end:
                found.append(stream.event().json)
            return found

        for stream in (live, self.stream(f"?after={after}").open()):
            found = until_end(stream)
            self.assertNotIn(MARK, json.dumps(found))
            hidden = [record["sequence"] for record in found
                      if record["data"].get("restricted")]
            self.assertIn("person.restricted", [record["type"] for record in found])
            self.assertEqual(len(hidden), 1 if stream is live else 6)
            self.assertEqual([record["sequence"] for record in found],
                             list(range(found[0]["sequence"], found[-1]["sequence"] + 1)))
        whole = until_end(self.stream(f"?after={after}", "root").open())
        self.assertIn(MARK, json.dumps(whole))
        typed = self.stream(f"?after={after}&event_type={MARK},end").open()
        self.assertEqual([record["subject_id"] for record in until_end(typed)], [end])

    def test_a_poll_that_waits_is_told_no_more(self):
        self.restrict()
        poll = self.stream("?after=head&wait=60", path="/log")
        self.server.wait_for(lambda: until_waiting(self.metered(), 1) or True, "a poll")
        self.made("/events", {"person_id": self.kate, "event_type": MARK})
        poll.open()
        record = json.loads(poll.body())["data"][0]
        self.assertEqual(record["data"], {"person_id": self.kate, "restricted": True})

    def metered(self):
        """A client that may see what until_waiting looks at."""
        case = self

        class Metered:
            def get(self, path, **headers):
                return case.ask("GET", path, **headers)
        return Metered()

    def test_what_happens_goes_on_being_recorded(self):
        self.restrict()
        self.made("/events", {"person_id": self.kate, "event_type": "click"})
        answer = self.ask("PATCH", f"/persons/{self.kate}", {"last_name": "Summers"},
                          by=WRITER)
        self.assertEqual((answer.status, answer.data),
                         (200, {"id": self.kate, "last_name": "Summers"}))
        visit = {"anonymous_id": self.device, "event_type": "visit", "id": new_id()}
        for status in (201, 200):
            answer = self.ask("POST", "/events", visit, by=WRITER)
            self.assertEqual((answer.status, answer.data["person_id"]), (status, None))
        taken = self.ask("POST", "/persons", person(email=self.email), by=WRITER)
        self.assertEqual(taken.status, 409)
        self.assertNotIn(self.kate, taken.body.decode())
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}").data["last_name"], "Summers")
        self.assertEqual(self.ask("DELETE", f"/persons/{self.kate}", by=WRITER).status, 200)
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}", by=READER).status, 404)
        self.assertEqual(self.ask("DELETE", f"/persons/{self.kate}/restriction").status, 404)
        self.assertEqual(
            self.ask("GET", f"/persons/{self.kate}/history", by=AUDITOR).status, 403)

    def test_what_is_sent_again_is_answered_with_what_it_brought(self):
        """With its key it is told as the first time; but no more than was sent."""
        named = person(first_name=MARK, role="user", properties={"p": MARK})
        keyed = {"by": WRITER, "idempotency_key": new_id()}
        first = self.ask("POST", "/persons", named, **keyed)
        self.assertEqual((first.status, first.data["events"][0]["event_type"]),
                         (201, "signup"))
        one = first.data["id"]
        self.assertEqual(self.ask("POST", f"/persons/{one}/restriction").status, 201)
        again = self.ask("POST", "/persons", named, **keyed)
        self.assertEqual((again.status, again.data), (201, {"id": one, **named}))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual([again.headers[name] for name in ("Location", "ETag")],
                         [first.headers[name] for name in ("Location", "ETag")])
        self.assertEqual(self.ask("DELETE", f"/persons/{one}/restriction").status, 200)
        self.assertEqual(self.ask("POST", "/persons", named, **keyed).data, first.data)

    def test_events_of_before_stay_withheld_when_the_person_is_deleted(self):
        """They are nobody's then: the log knows no more whose they were."""
        hers = self.hers_in_log()
        self.restrict()
        self.assertEqual(self.ask("DELETE", f"/persons/{self.kate}", by=WRITER).status, 200)
        self.assertNotIn(MARK, self.records(f"/log?after={hers[0] - 1}").body.decode())
        for sequence in hers:
            record = self.records(f"/log/{sequence}").data
            self.assertTrue(record["data"]["restricted"], record)
        end = self.made("/events", {"person_id": self.erik, "event_type": "end"})
        stream = self.stream(f"?after={hers[0] - 1}").open()
        found = [stream.event().json]
        while found[-1]["subject_id"] != end:
            found.append(stream.event().json)
        self.assertNotIn(MARK, json.dumps(found))

    def test_it_is_so_after_another_start_and_after_a_rebuild(self):
        self.restrict()
        self.server.stop()
        self.server.run("verify", "--repair-indexes")
        self.server.run("rebuild")
        self.server.start()
        type(self).client = self.server.client()
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}", by=READER).status, 403)
        self.assertEqual(self.ask("GET", f"/events?person_id={self.kate}",
                                  by=READER).data, [])
        self.assertEqual(self.ask("GET", f"/persons/{self.kate}").status, 200)


if __name__ == "__main__":
    unittest.main()
