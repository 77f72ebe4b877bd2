"""Persons by what others call them."""

import unittest
from urllib.parse import quote

from harness import Server
from identity import Identity, at_once
from served import new_id, person


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


if __name__ == "__main__":
    unittest.main()
