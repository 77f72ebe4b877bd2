"""Properties of persons."""

import unittest

from identity import Identity, at_once
from served import new_id, person


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


if __name__ == "__main__":
    unittest.main()
