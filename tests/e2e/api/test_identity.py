"""Who somebody is: anonymous ids, external ids, traits. The orders are those of
docs/identity.md."""

import threading
import unittest
from urllib.parse import quote

from harness import Server
from served import UUID, Served, new_id, person

NOW = "2023-10-08T06:03:33.330037"


def at_once(count, work):
    """work(n) in so many threads that begin together; what they returned."""
    results, gate = [None] * count, threading.Barrier(count)

    def run(number):
        gate.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Identity(Served):
    def anonymous(self, anonymous_id, **fields):
        """An event of somebody; answered as it is read."""
        answer = self.client.post("/events", {"event_type": "click",
                                              "anonymous_id": anonymous_id, **fields})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(answer.data["anonymous_id"], anonymous_id)
        return answer.data

    def alias(self, whose, anonymous_id, status=201):
        answer = self.client.post(f"/persons/{whose}/aliases",
                                  {"anonymous_id": anonymous_id})
        self.assertEqual(answer.status, status, answer.body)
        return answer

    def unalias(self, whose, anonymous_id):
        return self.client.delete(
            f"/persons/{whose}/aliases/{quote(anonymous_id, safe='')}")

    def owner(self, event):
        """Whose it is, as every way of reading says; None: nobody's; 404: gone."""
        one = self.client.get("/events/" + event["id"])
        listed, _ = self.follow("/events?keyword=" + event["event_type"])
        listed = [each for each in listed if each["id"] == event["id"]]
        if one.status == 404:
            self.assertEqual(listed, [])
            return 404
        self.assertEqual(one.data, {**event, "person_id": one.data["person_id"]})
        self.assertEqual(listed, [one.data])
        return one.data["person_id"]

    def events_of(self, whose):
        """The ids of a person's events but for the signup, by list and with the person."""
        listed = self.client.get("/events?keyword=click&person_id=" + whose).data
        shown = [each for each in self.client.get("/persons/" + whose).data["events"]
                 if each["event_type"] == "click"]
        self.assertEqual(listed, shown)
        for each in listed:
            self.assertEqual(each["person_id"], whose)
        return [each["id"] for each in listed]

    def refused_for(self, answer, field, whose):
        """A 409 that names whose the field is."""
        self.assert_refused(answer, 409)
        error, = answer.json["response"]["errors"]
        self.assertEqual((error["field"], error["person_id"]), (field, whose))


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


class Aliases(Identity):
    def setUp(self):
        self.kate = self.created()["id"]
        self.path = f"/persons/{self.kate}/aliases"

    def test_the_answer(self):
        name = new_id()
        made = self.client.post(self.path, {"anonymous_id": name, "person_id": self.kate})
        self.assert_ok(made, 201)
        self.assertEqual(list(made.data), ["anonymous_id", "datetime_created", "person_id"])
        self.assertEqual((made.data["anonymous_id"], made.data["person_id"]),
                         (name, self.kate))
        record = self.client.get(f"/log/{made.sequence}").data
        self.assertEqual((record["type"], record["subject_id"], record["data"]),
                         ("person.aliased", self.kate, {"anonymous_id": name}))
        self.assertEqual(record["recorded_at"], made.data["datetime_created"])

    def test_they_are_listed_in_their_order(self):
        empty = self.client.get(self.path)
        self.assertEqual((empty.status, empty.data), (200, []))
        self.assertIn("no aliases", empty.details)
        names = ["z", "a/b", "Ä é", "%2F", "..", "x" * 128, "\U0001f600" * 128]
        names = [name + new_id()[:8] if len(name) < 99 else name for name in names]
        made = [self.alias(self.kate, name).data for name in names]
        listed = self.client.get(self.path)
        self.assert_ok(listed)
        self.assertEqual(listed.data, made)
        for name in names:
            self.assert_ok(self.unalias(self.kate, name))
        self.assertEqual(self.client.get(self.path).data, [])

    def test_what_is_no_anonymous_id(self):
        for name, why in (("", "empty"), ("x" * 129, "128"), ("a\n", "control"),
                          (7, "string"), (None, "null")):
            answer = self.client.post(self.path, {"anonymous_id": name})
            self.assert_refused(answer, 400, why, "anonymous_id")
        self.assert_refused(self.client.post(self.path, {}), 400, "required",
                            "anonymous_id")
        self.assert_refused(self.client.post(self.path, {"anonymous_id": "a",
                                                         "person_id": new_id()}),
                            400, "person_id", "person_id")
        for name in ("%80", "a%0A", "x" * 129, "x" * 5000):
            self.assert_refused(self.client.delete(f"{self.path}/{name}"), 404)
        self.assert_refused(self.client.delete(self.path + "/%zz"), 400)

    def test_only_one_persons_alias_is_taken(self):
        other, name = self.created()["id"], new_id()
        self.alias(other, name)
        self.assert_refused(self.unalias(self.kate, name), 404)
        self.assertEqual(len(self.client.get(f"/persons/{other}/aliases").data), 1)

    def test_an_idempotency_key_gives_the_first_answer_again(self):
        sent = {"anonymous_id": new_id()}, {"Idempotency-Key": new_id()}
        first, again = (self.client.request("POST", self.path, *sent) for _ in range(2))
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")

    def test_other_methods_are_told_the_right_ones(self):
        for path, method, allow in (
                (self.path, "PUT", "GET, HEAD, POST, OPTIONS"),
                (self.path + "/a%2Fb", "GET", "DELETE, OPTIONS"),
                ("/persons/by/external_id/a%2Fb", "POST",
                 "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")):
            answer = self.client.request(method, path, {} if method != "GET" else None)
            self.assert_refused(answer, 405)
            self.assertEqual(answer.headers["Allow"], allow)
        for path in (self.path + "/", "/persons/by/external_id/", "/persons/by/email/a"):
            self.assert_refused(self.client.get(path), 404)

    def test_of_many_who_claim_one_at_once_one_gets_it(self):
        name, persons = new_id(), [self.created()["id"] for _ in range(8)]

        def claim(number):
            client = self.server.client()
            return client.post(f"/persons/{persons[number]}/aliases",
                               {"anonymous_id": name}).status

        self.assertEqual(sorted(at_once(8, claim)), [201] + [409] * 7)

    def test_aliasing_does_not_change_the_version(self):
        read = self.client.get("/persons/" + self.kate)
        self.alias(self.kate, new_id())
        self.assert_ok(self.client.patch("/persons/" + self.kate, {"role": "user"},
                                         If_Match=read.headers["ETag"]))


class ExternalIds(Identity):
    def setUp(self):
        self.name = "user/17 é " + new_id()
        self.path = "/persons/by/external_id/" + quote(self.name, safe="")

    def test_put_creates_and_then_replaces(self):
        made = self.client.put(self.path, person(properties={"plan": "free"}))
        self.assert_ok(made, 201)
        self.assertEqual(made.headers["Location"], "/persons/" + made.data["id"])
        self.assertEqual(made.data["external_id"], self.name)
        self.assertEqual(self.client.get(made.headers["Location"]).data, made.data)
        put = self.client.put(self.path, {"first_name": "Kitty", "role": "user"})
        self.assert_ok(put)
        self.assertEqual(put.data, {
            **made.data, "first_name": "Kitty", "last_name": None, "email": None,
            "role": "user", "datetime_modified": put.data["datetime_modified"]})
        self.assertEqual(self.client.get(self.path).data, put.data)

    def test_it_is_read_patched_and_deleted_by_it(self):
        self.assert_refused(self.client.get(self.path), 404, "external_id")
        self.assert_refused(self.client.patch(self.path, {}), 404)
        self.assert_refused(self.client.delete(self.path), 404)
        made = self.client.put(self.path, {}).data
        read = self.client.get(self.path + "?events_limit=0")
        self.assert_ok(read)
        self.assertEqual(read.data, {**made, "events": []})
        self.assert_ok(self.client.patch(self.path, {"last_name": "Pryde"}))
        self.assert_ok(self.client.delete(self.path))
        self.assert_refused(self.client.get(self.path), 404)
        self.assert_ok(self.client.put(self.path, {}), 201)

    def test_what_was_read_can_be_put_back(self):
        self.client.put(self.path, {"properties": {"a": 1}})
        self.recorded(self.client.get(self.path).data["id"])
        read = self.client.get(self.path).data
        head = self.client.get("/health").data["head"]
        put = self.client.put(self.path, read)
        self.assert_ok(put)
        self.assertEqual(put.data, read)
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_of_many_puts_at_once_none_fails_and_one_creates(self):
        def put(number):
            client = self.server.client()
            return client.put(self.path, {"first_name": f"Kate {number}"})

        answers = at_once(16, put)
        self.assertEqual(sorted(one.status for one in answers), [200] * 15 + [201])
        self.assertEqual(len({one.data["id"] for one in answers}), 1)
        made = [record for record in self.server.log_records()
                if record["data"].get("external_id") == self.name]
        self.assertEqual([record["type"] for record in made], ["person.created"])

    def test_a_put_beside_a_delete_replaces_or_creates(self):
        deletes = []

        def run(number):
            if number == 0:
                return {self.client.put(self.path, {"first_name": str(turn)}).status
                        for turn in range(150)}
            client = self.server.client()
            while len(deletes) < 150:
                deletes.append(client.delete(self.path).status)

        self.assertLessEqual(at_once(2, run)[0], {200, 201})
        self.assertLessEqual(set(deletes), {200, 404})

    def test_it_is_one_persons(self):
        whose = self.client.put(self.path, {}).data["id"]
        other = self.created()
        for answer in (self.client.post("/persons", {"external_id": self.name}),
                       self.client.patch("/persons/" + other["id"],
                                         {"external_id": self.name}),
                       self.client.put("/persons/" + other["id"],
                                       person(external_id=self.name))):
            self.refused_for(answer, "external_id", whose)
        self.refused_for(self.client.post("/persons", person(email=other["email"].upper())),
                         "email", other["id"])
        self.refused_for(self.client.put(self.path, {"email": other["email"]}), "email",
                         other["id"])

    def test_the_body_contradicts_neither_the_path_nor_the_person(self):
        answer = self.client.put(self.path, {"external_id": "other"})
        self.assert_refused(answer, 400, "path", "external_id")
        brought = new_id()
        made = self.client.put(self.path, {"external_id": self.name, "id": brought})
        self.assert_ok(made, 201)
        self.assertEqual(made.data["id"], brought)
        self.assert_ok(self.client.put(self.path, {"id": brought}))
        self.assert_refused(self.client.put(self.path, {"id": new_id()}), 400, brought,
                            "id")

    def test_what_is_no_external_id(self):
        base = "/persons/by/external_id/"
        for name, why in (("x" * 201, "200"), ("%F0%9F%98%80" * 201, "200"),
                          ("a%0A", "control"), ("%FF", "utf-8")):
            for ask in (self.client.get, lambda path: self.client.put(path, {})):
                self.assert_refused(ask(base + name), 400, why, "external_id")
        self.assert_ok(self.client.put(base + "%F0%9F%98%80" * 200, {}), 201)

    def test_a_person_can_be_tied_to_a_page_by_the_way(self):
        page, other = new_id(), new_id()
        event = self.anonymous(page)
        made = self.client.put(self.path, {"anonymous_id": page})
        self.assert_ok(made, 201)
        self.assertEqual(self.owner(event), made.data["id"])
        self.assert_ok(self.client.put(self.path, {"anonymous_id": other}))
        self.assert_ok(self.client.put(self.path, {"anonymous_id": other}))
        aliases = self.client.get(f"/persons/{made.data['id']}/aliases").data
        self.assertEqual([one["anonymous_id"] for one in aliases], [page, other])

    def test_conditions(self):
        self.assert_refused(self.client.put(self.path, {}, If_Match="*"), 412)
        made = self.client.put(self.path, {}, If_None_Match="*")
        self.assert_ok(made, 201)
        self.assert_refused(self.client.put(self.path, {}, If_None_Match="*"), 412)
        self.assert_ok(self.client.put(self.path, {"role": "admin"},
                                       If_Match=made.headers["ETag"]))
        for ask in (self.client.put, self.client.patch):
            self.assert_refused(ask(self.path, {}, If_Match=made.headers["ETag"]), 412)
        self.assert_refused(self.client.delete(self.path, If_Match=made.headers["ETag"]),
                            412)

    def test_no_log_line_shows_it(self):
        self.client.put(self.path, {}, X_Request_Id="put-by-name")
        self.client.get(self.path + "%3Fa", X_Request_Id="get-by-name")
        self.client.get(self.path + "%zz", X_Request_Id="torn-by-name")
        self.client.request("POST", self.path, {}, {"X-Request-Id": "post-by-name"})
        self.server.wait_for(lambda: "post-by-name" in self.server.told(), "its line")
        self.assertIn("/persons/by/external_id/*", self.server.told())
        self.assertNotIn(self.path.rpartition("/")[2], self.server.told())
        self.assertNotIn(self.name, self.server.told())

    def test_of_many_who_create_only_one_does(self):
        def put(number):
            return self.server.client().put(self.path, {}, If_None_Match="*").status

        self.assertEqual(sorted(at_once(8, put)), [201] + [412] * 7)


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


class Traits(Identity):
    def setUp(self):
        self.made = self.created(properties={"plan": "free", "seats": 3,
                                             "at": {"city": "Bern", "zip": "3011"}})
        self.path = "/persons/" + self.made["id"]

    def properties(self):
        return self.client.get(self.path).data.get("properties")

    def test_they_are_shown(self):
        self.assertEqual(list(self.made)[-1], "properties")
        self.assertEqual(self.client.get(self.path).data, self.made)
        listed, _ = self.follow("/persons")
        self.assertIn(self.made, listed)

    def test_a_patch_merges(self):
        patched = self.client.patch(self.path, {"properties": {
            "plan": "pro", "seats": None, "at": {"zip": None}, "new": {"a": None}}})
        self.assert_ok(patched)
        wanted = {"plan": "pro", "at": {"city": "Bern"}, "new": {}}
        self.assertEqual(patched.data["properties"], wanted)
        self.assertEqual(self.properties(), wanted)
        self.assert_ok(self.client.patch(self.path, {"properties": None}))
        self.assertIsNone(self.properties())

    def test_a_patch_of_nothing_appends_nothing(self):
        head = self.client.get("/health").data["head"]
        for change in ({}, {"seats": 3.0, "x": None}, {"at": {"city": "Bern"}}):
            self.assert_ok(self.client.patch(self.path, {"properties": change}))
        self.assert_ok(self.client.put(self.path, {**self.made}))
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_a_put_of_what_is_there_appends_nothing_however_it_is_written(self):
        self.assert_ok(self.client.patch(self.path, {"properties": {"seats": 4}}))
        read = self.client.get(self.path).data
        head = self.client.get("/health").data["head"]
        self.assert_ok(self.client.put(self.path, read))
        properties = dict(reversed(read["properties"].items()))
        self.assert_ok(self.client.put(self.path, {**read, "properties": properties}))
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_a_put_leaves_or_replaces(self):
        body = {name: self.made[name] for name in ("email", "first_name", "last_name",
                                                   "role")}
        self.assertEqual(self.client.put(self.path, body).data, self.made)
        put = self.client.put(self.path, {**body, "properties": {"a": 1}})
        self.assertEqual(put.data["properties"], {"a": 1})
        self.assert_ok(self.client.put(self.path, {**body, "properties": None}))
        self.assertIsNone(self.properties())

    def test_of_many_patches_at_once_none_is_lost(self):
        def patch(number):
            client = self.server.client()
            change = {"properties": {f"p{number}": number, "at": {f"z{number}": number}}}
            if number % 3 == 0:
                change["role"] = "admin"  # as it is
            return client.patch(self.path, change).status

        self.assertEqual(set(at_once(60, patch)), {200})
        now = self.properties()
        for number in range(60):
            self.assertEqual((now[f"p{number}"], now["at"][f"z{number}"]),
                             (number, number))
        self.assertEqual((now["plan"], now["at"]["city"]), ("free", "Bern"))

    def test_they_are_bounded_merged_too(self):
        self.assert_ok(self.client.patch(self.path, {"properties": {"a": "x" * 40000}}))
        answer = self.client.patch(self.path, {"properties": {"b": "x" * 40000}})
        self.assert_refused(answer, 400, "properties: merged they must have at most")
        self.assert_ok(self.client.patch(self.path, {"properties": {
            "a": None, "b": "x" * 40000}}))

    def test_what_is_no_object(self):
        for wrong in ([], "x", 7, True):
            for ask in (self.client.patch, self.client.put):
                self.assert_refused(ask(self.path, person(properties=wrong)), 400,
                                    "expected an object", "properties")


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
        aliases = f"/persons/{made}/aliases"
        for method, path, body, good in (
                ("GET", "/persons/by/external_id/u1", None, {"read": 200}),
                ("PUT", "/persons/by/external_id/u1", {}, {"write": 200}),
                ("PATCH", "/persons/by/external_id/u1", {}, {"write": 200}),
                ("POST", aliases, {"anonymous_id": "a"}, {"write": 201, "ingest": 202}),
                ("GET", aliases, None, {"read": 200}),
                ("DELETE", aliases + "/a", None, {"write": 200}),
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


if __name__ == "__main__":
    unittest.main()
