"""Aliases: the anonymous ids that are a person's."""

import unittest
from urllib.parse import quote

from identity import Identity, at_once
from served import new_id, person


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


class AliasesByExternalId(Identity):
    def setUp(self):
        self.external = "crm/7 é " + new_id()
        self.kate = self.created(external_id=self.external)["id"]
        self.path = f"/persons/by/external_id/{quote(self.external, safe='')}/aliases"

    def test_they_are_those_of_the_person(self):
        name = "a/" + new_id()
        event = self.anonymous(name)
        made = self.client.post(self.path, {"anonymous_id": name})
        self.assert_ok(made, 201)
        self.assertEqual((made.data["anonymous_id"], made.data["person_id"]),
                         (name, self.kate))
        self.assertEqual(self.owner(event), self.kate)
        again = self.client.post(self.path, {"anonymous_id": name,
                                             "external_id": self.external})
        self.assert_ok(again)
        self.assertEqual((again.data, again.sequence), (made.data, made.sequence))
        for path in (self.path, f"/persons/{self.kate}/aliases"):
            self.assertEqual(self.client.get(path).data, [made.data])
        self.assert_ok(self.client.delete(self.path + "/" + quote(name, safe="")))
        self.assertEqual(self.client.get(self.path).data, [])
        self.assertIsNone(self.owner(event))

    def test_a_key_gives_the_first_answer_again(self):
        sent = {"anonymous_id": new_id()}, {"Idempotency-Key": new_id()}
        first, again = (self.client.request("POST", self.path, *sent) for _ in range(2))
        self.assertEqual((again.status, again.body), (201, first.body))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")

    def test_what_is_not_there_or_anothers_is_refused(self):
        nobody, name = "/persons/by/external_id/nobodys/aliases", new_id()
        for answer in (self.client.post(nobody, {"anonymous_id": name}),
                       self.client.get(nobody), self.client.delete(nobody + "/a")):
            self.assert_refused(answer, 404, "external_id")
        self.assert_refused(self.client.delete(self.path + "/" + name), 404)
        other = self.created()["id"]
        self.alias(other, name)
        self.refused_for(self.client.post(self.path, {"anonymous_id": name}),
                         "anonymous_id", other)

    def test_bodies_and_paths_are_checked(self):
        for body, field in (({}, "anonymous_id"),
                            ({"anonymous_id": "a", "external_id": "b"}, "external_id"),
                            ({"anonymous_id": "a", "person_id": self.kate}, "person_id")):
            self.assert_refused(self.client.post(self.path, body), 400, field=field)
        self.assert_refused(self.client.get(
            f"/persons/by/external_id/{'x' * 201}/aliases"), 400, "200", "external_id")
        self.assert_refused(self.client.delete(self.path + "/" + "x" * 129), 404)

    def test_no_log_line_shows_them(self):
        self.client.delete(self.path + "/whose-page", X_Request_Id="delete-by-name")
        self.server.wait_for(lambda: "delete-by-name" in self.server.told(), "its line")
        self.assertIn("method=DELETE path=/persons/by/external_id/* ", self.server.told())
        self.assertNotIn("crm%2F7", self.server.told())
        self.assertNotIn("whose-page", self.server.told())

    def test_who_has_one_now_is_found_by_it(self):
        name, ask = new_id() + "é&", "/persons?anonymous_id="
        self.assertEqual(self.client.get(ask + "nobodys").data, [])
        self.alias(self.kate, name)
        ask += quote(name, safe="")
        shown = self.client.get(f"/persons/{self.kate}").data
        for more in ("", f"&external_id={quote(self.external)}", "&order=desc&limit=1"):
            self.assertEqual(self.client.get(ask + more).data, [shown])
        other = self.created()
        self.assertEqual(self.client.get(ask + "&email=" + other["email"]).data, [])
        self.assert_ok(self.unalias(self.kate, name))
        self.assertEqual(self.client.get(ask).data, [])
        self.alias(other["id"], name)
        self.assertEqual([each["id"] for each in self.client.get(ask).data], [other["id"]])
        self.assert_refused(self.client.get("/persons?anonymous_id=" + "x" * 129), 400, "128",
                            "anonymous_id")


if __name__ == "__main__":
    unittest.main()
