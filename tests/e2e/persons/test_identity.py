"""Who somebody is, and whose events are. The orders are those of docs/identity.md."""

import unittest

from harness import Server
from identity import Identity
from served import UUID, new_id, person


NOW = "2023-10-08T06:03:33.330037"


class Orders(Identity):
    """Of anonymous event, alias, delete, new alias."""

    def setUp(self):
        self.kate, self.ororo = self.created()["id"], self.created()["id"]
        self.page = "page/" + new_id()

    def test_an_event_of_nobody(self):
        event = self.anonymous(self.page, properties={"a": 1})
        self.assertEqual(list(event), ["id", "datetime_created", "event_type", "person_id",
                                       "anonymous_id", "properties"])
        self.assertIsNone(event["person_id"])
        self.assertIsNone(self.owner(event))

    def test_the_event_then_the_alias(self):
        event = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        self.assertEqual(self.owner(event), self.kate)
        self.assertEqual(self.events_of(self.kate), [event["id"]])

    def test_the_alias_then_the_event(self):
        self.alias(self.kate, self.page)
        event = self.anonymous(self.page)
        self.assertEqual(event["person_id"], self.kate)
        self.assertEqual(self.events_of(self.kate), [event["id"]])

    def test_an_event_that_happened_long_ago_is_the_owners_now(self):
        self.alias(self.kate, self.page)
        event = self.anonymous(self.page, datetime_created=NOW)
        self.assertEqual(self.owner(event), self.kate)

    def test_the_tag_of_an_event_moves_with_its_owner(self):
        path = "/events/" + self.anonymous(self.page)["id"]
        tag = self.client.get(path).headers["ETag"]
        self.assertEqual(self.client.get(path, If_None_Match=tag).status, 304)
        self.alias(self.kate, self.page)
        moved = self.client.get(path, If_None_Match=tag)
        self.assert_ok(moved)
        self.assertEqual(moved.data["person_id"], self.kate)
        self.assert_ok(self.client.delete(path, If_Match=moved.headers["ETag"]))

    def test_one_anonymous_id_is_one_persons(self):
        made = self.alias(self.kate, self.page)
        again = self.alias(self.kate, self.page, 200)
        self.assertEqual((again.data, again.sequence), (made.data, made.sequence))
        answer = self.client.post(f"/persons/{self.ororo}/aliases",
                                  {"anonymous_id": self.page})
        self.refused_for(answer, "anonymous_id", self.kate)

    def test_an_alias_taken_back_makes_its_events_nobodys(self):
        before = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        after = self.anonymous(self.page)
        self.assert_ok(self.unalias(self.kate, self.page))
        later = self.anonymous(self.page)
        self.assertEqual([self.owner(one) for one in (before, after, later)], [None] * 3)
        self.assertEqual(self.events_of(self.kate), [])
        self.assert_refused(self.unalias(self.kate, self.page), 404)

    def test_an_alias_taken_back_and_given_to_another(self):
        event = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        self.unalias(self.kate, self.page)
        self.alias(self.ororo, self.page)
        self.assertEqual(self.owner(event), self.ororo)
        self.assertEqual(self.events_of(self.kate), [])
        self.assertEqual(self.events_of(self.ororo), [event["id"]])

    def test_deleting_the_person_takes_the_events_until_then(self):
        event = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        own = self.recorded(self.kate)
        self.client.delete("/persons/" + self.kate)
        self.assertEqual([self.owner(event), self.client.get("/events/" + own["id"]).status],
                         [404, 404])
        self.assert_refused(self.client.get(f"/persons/{self.kate}/aliases"), 404)
        later = self.anonymous(self.page)
        self.assertIsNone(self.owner(later))
        self.alias(self.ororo, self.page)
        self.assertEqual(self.events_of(self.ororo), [later["id"]])
        self.assertEqual(self.owner(event), 404)

    def test_deleting_the_person_leaves_what_was_taken_back_before(self):
        event = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        self.unalias(self.kate, self.page)
        self.client.delete("/persons/" + self.kate)
        self.assertIsNone(self.owner(event))

    def test_an_event_that_was_deleted_stays_gone(self):
        event = self.anonymous(self.page)
        self.assert_ok(self.client.delete("/events/" + event["id"]))
        self.alias(self.kate, self.page)
        self.assertEqual(self.owner(event), 404)
        self.assertEqual(self.events_of(self.kate), [])

    def test_there_is_no_alias_of_nobody(self):
        self.client.delete("/persons/" + self.kate)
        for nobody in (self.kate, new_id()):
            answer = self.client.post(f"/persons/{nobody}/aliases",
                                      {"anonymous_id": self.page})
            self.assert_refused(answer, 404)
            self.assert_refused(self.client.get(f"/persons/{nobody}/aliases"), 404)
            self.assert_refused(self.unalias(nobody, self.page), 404)

    def test_deleting_an_event_asks_whose_it_is_now(self):
        event = self.anonymous(self.page)
        self.alias(self.kate, self.page)
        path = "/events/" + event["id"]
        self.assert_refused(self.client.delete(path, {"person_id": self.ororo}), 409)
        self.assert_ok(self.client.delete(path, {"person_id": self.kate}))
        self.assertEqual(self.owner(event), 404)
        nobodys = self.anonymous("other " + self.page)
        self.assert_refused(self.client.delete("/events/" + nobodys["id"],
                                               {"person_id": self.kate}), 409)
        self.assert_ok(self.client.delete("/events/" + nobodys["id"], If_Match="*"))

    def test_a_person_made_with_an_anonymous_id(self):
        event = self.anonymous(self.page)
        made = self.client.post("/persons", {"anonymous_id": self.page})
        self.assert_ok(made, 201)
        whose = made.data["id"]
        self.assertEqual([made.data[name] for name in ("email", "first_name", "last_name")],
                         [None] * 3)
        self.assertEqual(self.events_of(whose), [event["id"]])
        self.assertEqual([record["type"] for record in self.server.log_records()[-3:]],
                         ["person.created", "event.recorded", "person.aliased"])
        head = self.client.get("/health").data["head"]
        self.refused_for(self.client.post("/persons", person(anonymous_id=self.page)),
                         "anonymous_id", whose)
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_the_person_with_its_events_can_be_put_back(self):
        self.anonymous(self.page)
        self.alias(self.kate, self.page)
        read = self.client.get("/persons/" + self.kate).data
        put = self.client.put("/persons/" + self.kate, read)
        self.assert_ok(put)
        self.assertEqual(put.data, read)

    def test_the_same_event_again_is_known_whoevers_it_is_by_then(self):
        brought = {"id": new_id(), "event_type": "click", "anonymous_id": self.page}
        first = self.client.post("/events", brought)
        self.assertEqual(first.status, 201, first.body)
        self.alias(self.kate, self.page)
        self.assert_ok(self.client.post("/events", brought))
        self.assert_refused(self.client.post("/events", {**brought,
                                                         "anonymous_id": "other"}), 409)

    def test_the_id_of_an_event_that_went_with_its_person_is_never_used_again(self):
        event, other = self.anonymous(self.page), self.created()["id"]
        items = [{**event, "person_id": None}, {"event_type": "click", "person_id": other}]
        first = self.client.post("/events/batch", items, Idempotency_Key=event["id"])
        self.assertEqual([one["status"] for one in first.data], [200, 201])
        self.alias(self.kate, self.page)
        self.client.delete("/persons/" + self.kate)
        again = self.client.post("/events/batch", items, Idempotency_Key=event["id"])
        self.assertEqual(again.body, first.body)
        for answer in (
                self.client.post("/events", {**event, "person_id": None}),
                self.client.post("/events", {"id": event["id"], "event_type": "click",
                                             "person_id": other}),
                self.client.put("/persons/" + other, person(events=[{
                    "id": event["id"], "event_type": "click", "person_id": other}]))):
            self.assert_refused(answer, 409, event["id"])

    def test_a_rebuild_changes_nothing(self):
        kept, gone, back = (self.page + name for name in (" kept", " gone", " back"))
        events = [self.anonymous(name) for name in (kept, gone, back)]
        self.alias(self.kate, kept)
        self.alias(self.ororo, gone)
        self.alias(self.kate, back)
        self.unalias(self.kate, back)
        self.client.delete("/persons/" + self.ororo)
        events.append(self.anonymous(gone))
        before = [self.owner(event) for event in events]
        self.assertEqual(before, [self.kate, 404, None, None])
        self.server.run("rebuild")
        self.assertEqual([self.owner(event) for event in events], before)


class Known(Identity):
    """Of whom e-mail and names are optional, and of whom they are not."""

    def test_email_and_names_are_optional_for_who_is_known(self):
        name = new_id()
        made = self.client.post("/persons", {"external_id": name, "email": None})
        self.assert_ok(made, 201)
        self.assertEqual(list(made.data), [
            "id", "datetime_created", "datetime_modified", "email", "events",
            "first_name", "last_name", "role", "external_id"])
        self.assertEqual(self.client.get("/persons/" + made.data["id"]).data, made.data)
        self.assert_ok(self.client.post("/persons", {"external_id": new_id()}), 201)

    def test_who_is_not_known_needs_them_as_ever(self):
        made = self.created()
        path = "/persons/" + made["id"]
        for answer, why in (
                (self.client.post("/persons", {"external_id": None}), "required"),
                (self.client.put(path, {"role": "user"}), "required"),
                (self.client.patch(path, {"email": None}), "must not be null"),
                (self.client.put(path, person(email=None)), "must not be null")):
            self.assert_refused(answer, 400, why, "email")
        self.assertEqual(self.client.get(path).data, made)

    def test_who_becomes_known_may_lose_them(self):
        made = self.created()
        path = "/persons/" + made["id"]
        answer = self.client.patch(path, {"external_id": new_id(), "email": None,
                                          "last_name": None})
        self.assert_ok(answer)
        self.assertEqual((answer.data["email"], answer.data["last_name"]), (None, None))
        self.assertEqual(self.client.get(path).data, answer.data)
        self.created(email=made["email"])

    def test_an_alias_makes_known_too(self):
        made, page = self.created(), new_id()
        path = "/persons/" + made["id"]
        self.alias(made["id"], page)
        self.assert_ok(self.client.put(path, {"role": "user"}))
        self.assert_refused(self.unalias(made["id"], page), 409)
        self.assert_ok(self.client.patch(path, person()))
        self.assert_ok(self.unalias(made["id"], page))

    def test_what_one_is_known_by_is_not_taken_away(self):
        made = self.client.post("/persons", {"external_id": new_id()}).data
        path = "/persons/" + made["id"]
        self.assert_refused(self.client.patch(path, {"external_id": None}), 409)
        self.assert_ok(self.client.patch(path, person(external_id=None)))
        self.assertNotIn("external_id", self.client.get(path).data)

    def test_an_id_may_be_brought_and_the_same_person_sent_again(self):
        body = person(id=new_id(), external_id=new_id(), properties={"a": 1.0, "b": 2})
        made = self.client.post("/persons", body)
        self.assert_ok(made, 201)
        self.assertEqual(made.data["id"], body["id"])
        again = self.client.post("/persons", {**body, "properties": {"b": 2, "a": 1}})
        self.assert_ok(again)
        self.assertEqual((again.data["id"], again.headers["ETag"]),
                         (body["id"], made.headers["ETag"]))
        patched = self.client.patch("/persons/" + body["id"], {"last_name": "Rasputin",
                                                               "properties": {"c": 3}})
        late = self.client.post("/persons", body)
        self.assert_ok(late)
        self.assertEqual(late.data, patched.data)
        for other in ({"first_name": "Kitty"}, {"properties": {}}, {"anonymous_id": "x"},
                      {"external_id": None}):
            self.assert_refused(self.client.post("/persons", {**body, **other}), 409,
                                body["id"])
        self.client.delete("/persons/" + body["id"])
        self.assert_refused(self.client.post("/persons", body), 409)

    def test_a_nil_id_is_nobodys(self):
        nil = "00000000-0000-0000-0000-000000000000"
        self.assert_refused(self.client.post("/persons", person(id=nil)), 409)


class WithoutTables(unittest.TestCase):
    """What is the log's alone is answered while there is no PostgreSQL."""

    def test_aliases_and_upserts(self):
        server = Server(env={"DB_HOST": "127.0.0.1", "DB_PORT": "1"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        path = "/persons/by/external_id/u1"
        made = client.put(path, {"properties": {"a": 1}})
        self.assertEqual(made.status, 201, made.body)
        again = client.put(path, {"role": "admin"})
        self.assertEqual((again.status, again.data["events"]), (200, None))
        self.assertEqual(again.data["properties"], {"a": 1})
        patched = client.patch(path, {"properties": {"b": 2}})
        self.assertEqual(patched.data["properties"], {"a": 1, "b": 2})
        self.assertEqual(patched.data["external_id"], "u1")
        aliases = f"/persons/{made.data['id']}/aliases"
        event = client.post("/events", {"event_type": "click", "anonymous_id": "a"})
        self.assertEqual(client.post(aliases, {"anonymous_id": "a"}).status, 201)
        self.assertEqual(len(client.get(aliases).data), 1)
        read = client.get("/events/" + event.data["id"])
        self.assertEqual(read.data["person_id"], made.data["id"])
        self.assertEqual(client.delete(aliases + "/a").status, 200)
        self.assertIsNone(client.get("/events/" + event.data["id"]).data["person_id"])


class Scopes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.tokens = {}
        for name in ("read", "write", "ingest", "audit"):
            done = cls.server.run("token", "create", name, "--scope", name)
            cls.tokens[name] = {"Authorization": "Bearer " + done.stdout.strip()}
        cls.server.start()
        cls.client = cls.server.client()

    def ask(self, token, method, path, body=None):
        return self.client.request(method, path, body, self.tokens[token])

    def test_who_may_do_what(self):
        made = self.ask("write", "PUT", "/persons/by/external_id/u1", {}).data["id"]
        aliases, by = f"/persons/{made}/aliases", "/persons/by/external_id/u1/aliases"
        for method, path, body, good in (
                ("GET", "/persons/by/external_id/u1", None, {"read": 200}),
                ("PUT", "/persons/by/external_id/u1", {}, {"write": 200}),
                ("PATCH", "/persons/by/external_id/u1", {}, {"write": 200}),
                ("POST", aliases, {"anonymous_id": "a"}, {"write": 201, "ingest": 202}),
                ("GET", aliases, None, {"read": 200}),
                ("DELETE", aliases + "/a", None, {"write": 200}),
                ("POST", by, {"anonymous_id": "b"}, {"write": 201, "ingest": 202}),
                ("GET", by, None, {"read": 200}),
                ("DELETE", by + "/b", None, {"write": 200}),
                ("DELETE", "/persons/by/external_id/u1", None, {"write": 200})):
            for token in ("read", "audit", "write", "ingest"):
                answer = self.ask(token, method, path, body)
                self.assertEqual(answer.status, good.get(token, 403),
                                 (method, path, token, answer.body))

    def test_only_who_may_read_learns_whose_it_is(self):
        first, other = (self.ask("write", "POST", "/persons", {
            "external_id": new_id(), "email": f"{new_id()}@test.mock"}).data
            for _ in range(2))
        page = new_id()
        self.ask("write", "POST", f"/persons/{first['id']}/aliases", {"anonymous_id": page})
        for method, path, body in (
                ("POST", "/persons", {"external_id": first["external_id"]}),
                ("PATCH", "/persons/" + other["id"], {"email": first["email"]}),
                ("POST", f"/persons/{other['id']}/aliases", {"anonymous_id": page})):
            answer = self.ask("write", method, path, body)
            self.assertEqual(answer.status, 409)
            self.assertNotIn(first["id"], answer.body.decode())
            self.assertNotIn("errors", answer.json["response"])

    def test_who_only_ingests_learns_nothing(self):
        made, other = (self.ask("write", "POST", "/persons", {"external_id": new_id()})
                       .data["id"] for _ in range(2))
        page, answers = new_id(), []
        for whose in (made, made, other, new_id()):
            answer = self.ask("ingest", "POST", f"/persons/{whose}/aliases",
                              {"anonymous_id": page})
            self.assertEqual(answer.data, {"anonymous_id": page, "person_id": whose})
            answers.append((answer.status, UUID.sub("", answer.body.decode()),
                            answer.headers["Daybook-Sequence"]))
        self.assertEqual(len(set(answers)), 1)
        listed = self.ask("read", "GET", f"/persons/{made}/aliases").data
        self.assertEqual([one["anonymous_id"] for one in listed], [page])

    def test_who_only_ingests_learns_not_whether_an_external_id_is_somebodys(self):
        known, page = new_id(), new_id()
        self.ask("write", "POST", "/persons", {"external_id": known})
        for external in (known, known, new_id()):
            answer = self.ask("ingest", "POST", f"/persons/by/external_id/{external}/aliases",
                              {"anonymous_id": page})
            self.assertEqual((answer.status, answer.data, answer.headers["Daybook-Sequence"]),
                             (202, {"anonymous_id": page, "external_id": external}, None))
        by = f"/persons/by/external_id/{known}/aliases"
        self.assertEqual([one["anonymous_id"] for one in self.ask("read", "GET", by).data],
                         [page])


if __name__ == "__main__":
    unittest.main()
