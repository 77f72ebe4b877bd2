"""Tokens that may stand in a web page: what they append, and that they learn nothing."""

import json
import unittest

from harness import Server
from ingesting import Ingesting, create, bearer
from served import UUID, new_id, person


class Answers(Ingesting):
    def test_an_event_is_recorded_and_answered_by_its_id_alone(self):
        answer = self.ask("POST", "/events", self.app, self.event(properties={"a": 1}))
        self.assert_ok_alike(answer)
        self.assertRegex(answer.data["id"], UUID)
        self.assertEqual(self.logged()[answer.data["id"]]["properties"], {"a": 1})
        at = new_id()
        answer = self.ask("POST", "/events/" + at, self.app, self.event())
        self.assert_ok_alike(answer)
        self.assertEqual(answer.data, {"id": at})
        self.assertIn(at, self.logged())

    def assert_ok_alike(self, answer):
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(list(answer.data), ["id"])
        self.assertEqual(answer.json["response"], {
            "details": "The request was accepted", "message": "Ok", "status": 202})
        self.assertEqual({name.lower() for name in answer.headers} - {"vary"},
                         {"date", "connection", "content-length", "content-type",
                          "x-content-type-options", "x-request-id", "cache-control"})

    def test_nothing_in_an_answer_tells_what_the_log_knows(self):
        events, seen = self.refused_in_every_way(), set()
        for event in events:
            for path in ("/events", "/events/" + event["id"]):
                for _ in range(2):
                    answer = self.ask("POST", path, self.web, event, X_Request_Id="one")
                    self.assert_ok_alike(answer)
                    self.assertEqual(answer.data["id"], event["id"])
                    del answer.headers["Date"]
                    seen.add((str(answer.headers), answer.body.replace(
                        event["id"].encode(), b"ID")))
        self.assertEqual(len(seen), 1, seen)
        self.assertIn(events[0]["id"], self.logged())

    def test_nothing_in_a_batch_does(self):
        events = self.refused_in_every_way()
        bad = [{"event_type": "click"}, {"person_id": self.person, "event_type": ""}]
        body = json.dumps(events + bad)
        for _ in range(2):
            answer = self.ask("POST", "/events/batch", self.web, body)
            self.assertEqual(answer.data[:len(events)], [
                {"index": i, "status": 202, "id": event["id"]}
                for i, event in enumerate(events)])
            self.assertEqual([one["status"] for one in answer.data[len(events):]],
                             [400, 400])
            self.assertEqual(answer.data[-1]["errors"][0]["field"], "event_type")
            self.assertIn("6 accepted, 2 refused", answer.details)
            self.assertIsNone(answer.headers["Daybook-Sequence"])
            self.assertNotIn(b"sequence", answer.body)

    def test_a_batch_brings_aliases_and_no_persons(self):
        external, taken = new_id(), new_id()
        other = self.ask("POST", "/persons", self.admin,
                         {"external_id": external, "anonymous_id": taken}).data["id"]
        aliases = [{"anonymous_id": new_id(), "person_id": self.person},
                   {"anonymous_id": taken, "person_id": self.person},
                   {"anonymous_id": taken, "person_id": other},
                   {"anonymous_id": new_id(), "person_id": new_id()}]
        unnamed = [{"anonymous_id": taken, "external_id": external},
                   {"anonymous_id": taken, "external_id": new_id()}]
        answer = self.ask("POST", "/events/batch", self.web, json.dumps({
            "context": {"page": "/"},
            "items": [{"alias": alias} for alias in aliases + unnamed] +
                     [{"event": {"event_type": "a", "anonymous_id": taken, "id": other}},
                      {"person": {"external_id": external}}]}))
        self.assertEqual(answer.status, 207, answer.body)
        self.assertEqual(answer.data[:7], [
            *({"index": i, "status": 202, "id": alias["person_id"]}
              for i, alias in enumerate(aliases)),
            {"index": 4, "status": 202}, {"index": 5, "status": 202},
            {"index": 6, "status": 202, "id": other}])
        self.assertEqual(answer.data[7]["status"], 403)
        self.assertIn("no persons", answer.data[7]["details"])
        found = self.ask("GET", f"/persons/{self.person}/aliases", self.admin).data
        self.assertIn(aliases[0]["anonymous_id"], {one["anonymous_id"] for one in found})
        event = self.ask("GET", "/events/" + other, self.admin).data
        self.assertEqual((event["person_id"], event["properties"]), (other, {"page": "/"}))

    def test_an_alias_is_made_and_nothing_is_told_of_whose_it_is(self):
        other = self.ask("POST", "/persons", self.admin, person()).data["id"]
        taken, own, mine = new_id(), new_id(), new_id()
        for whose, name in ((other, taken), (self.person, own)):
            self.assertEqual(self.ask("POST", f"/persons/{whose}/aliases", self.admin,
                                      {"anonymous_id": name}).status, 201)
        seen = set()
        for whose, name in ((self.person, mine), (self.person, mine), (self.person, taken),
                            (self.person, own), (new_id(), new_id()), (new_id(), taken)):
            answer = self.ask("POST", f"/persons/{whose}/aliases", self.web,
                              {"anonymous_id": name}, X_Request_Id="one")
            self.assertEqual(answer.status, 202, answer.body)
            self.assertEqual(answer.data, {"anonymous_id": name, "person_id": whose})
            del answer.headers["Date"]
            seen.add((str(answer.headers), answer.body.replace(
                name.encode(), b"NAME").replace(whose.encode(), b"WHOSE")))
        self.assertEqual(len(seen), 1, seen)
        found = self.ask("GET", f"/persons/{self.person}/aliases", self.admin).data
        self.assertEqual({one["anonymous_id"] for one in found}, {mine, own})
        self.assertEqual(self.ask("POST", f"/persons/{self.person}/aliases", self.web,
                                  {"anonymous_id": ""}).status, 400)
        for path in (f"/persons/{self.person}/aliases",
                     f"/persons/{self.person}/aliases/{mine}"):
            for method in ("GET", "DELETE"):
                self.assertIn(self.ask(method, path, self.web).status, (403, 405))
        for name in (mine, taken, new_id()):  # and events of theirs
            event = {"id": new_id(), "event_type": "click", "anonymous_id": name}
            answer = self.ask("POST", "/events", self.web, event)
            self.assert_ok_alike(answer)
            self.assertEqual(answer.data, {"id": event["id"]})

    def test_the_operator_is_told_of_what_is_not_and_not_of_each(self):
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        secret = create(server, "web", "--scope", "ingest")
        server.start()
        client = server.client()
        body = json.dumps([self.event(id=new_id()) for _ in range(100)])
        for i in range(3):
            client.request("POST", "/events/batch", body, bearer(secret))
        server.stop()
        lines = [line for line in server.told().splitlines() if "only ingest" in line]
        self.assertEqual(len(lines), 2, server.told())
        self.assertIn("1 events or aliases of tokens that only ingest were refused",
                      lines[0])
        self.assertIn("the last of web in request", lines[0])
        self.assertIn("no person with this person_id", lines[0])
        self.assertIn("299 more", lines[1])

    def test_a_key_makes_what_is_sent_again_known_and_tells_nothing(self):
        body = [self.event(), self.event(id=new_id()), self.event(person_id=new_id())]
        key = {"Idempotency_Key": new_id()}
        first = self.ask("POST", "/events/batch", self.web, body, **key)
        again = self.ask("POST", "/events/batch", self.web, body, **key)
        self.assertEqual(first.body, again.body)
        self.assertIsNone(again.headers["Idempotency-Replayed"])
        self.assertEqual(len(self.logged()) - 1, 2)  # and the signup
        other = self.ask("POST", "/events/batch", self.web, body[:1], **key)
        self.assertEqual([one["status"] for one in other.data], [202])
        self.assertNotEqual(other.data[0]["id"], first.data[0]["id"])
        self.assertEqual(len(self.logged()) - 1, 3)
        for person_id in (self.person, new_id()):
            one, two = (self.ask("POST", "/events", self.web,
                                 self.event(person_id=person_id), **key) for _ in range(2))
            self.assertEqual(one.body, two.body)
        self.assert_refused(self.ask("POST", "/events", self.web, self.event(),
                                     Idempotency_Key="x" * 300), 400, "Idempotency-Key")

    def test_nothing_else_may_be_done(self):
        for method, path in (
                ("GET", "/persons"), ("GET", f"/persons/{self.person}"), ("GET", "/events"),
                ("GET", f"/events/{new_id()}"), ("GET", "/log"), ("GET", "/log/1"),
                ("POST", "/persons"), ("PUT", f"/persons/{self.person}"),
                ("PATCH", f"/persons/{self.person}"), ("DELETE", f"/persons/{self.person}"),
                ("DELETE", f"/events/{new_id()}")):
            body = person(email=self.email) if method in ("POST", "PUT", "PATCH") else None
            for secret in (self.web, self.app):
                self.assert_refused(self.ask(method, path, secret, body), 403,
                                    "lacks the scope")
            answer = self.client.request(method, f"{path}?key={self.web}", body)
            self.assert_refused(answer, 401, "access token")

    def test_who_may_not_delete_is_told_the_scope_that_it_takes(self):
        for query, scope in (("", "write"), ("?erase=false", "write"),
                             ("?timestamps=iso&erase=true", "erase")):
            for path in (f"/persons/{self.person}", "/persons/by/external_id/none"):
                answer = self.ask("DELETE", path + query, self.app)
                self.assert_refused(answer, 403, "lacks the scope " + scope)
                self.assertTrue(answer.details.endswith("scope " + scope), answer.details)

    def test_who_may_read_is_answered_in_full(self):
        answer = self.ask("POST", "/events", self.mixed, self.event())
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.data["person_id"], self.person)
        answer = self.ask("POST", "/events", self.mixed, self.event(person_id=new_id()))
        self.assertIn(answer.status, (404, 409))
        self.assertEqual(self.ask("GET", "/persons", self.mixed).status, 200)


if __name__ == "__main__":
    unittest.main()
