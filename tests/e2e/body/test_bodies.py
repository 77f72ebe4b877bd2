"""Bodies: JSON read strictly, fields checked one by one, each mistake told for what it
is and where it is."""

import json
import unittest

from served import Served, new_id, person


class Bodies(Served):
    settings = {"BODY_MAX": "16 KiB"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]

    def setUp(self):
        self.head = self.client.get("/health").data["head"]

    def tearDown(self):
        """None of what is refused leaves anything in the log."""
        self.assertEqual(self.client.get("/health").data["head"], self.head)

    def refuse(self, path, cases):
        """Each case is (body, what the details say[, the field that errors name])."""
        for body, *expected in cases:
            with self.subTest(body):
                self.assert_refused(self.client.post(path, body), 400, *expected)

    def refuse_event(self, *cases):
        self.refuse("/events", [
            ({"event_type": "click", "person_id": self.kate, **fields}, name, name)
            for fields in cases for name in fields])

    def event(self, properties):
        return (b'{"event_type":"click","person_id":"%s","properties":%s}'
                % (self.kate.encode(), properties))

    def test_text_that_is_not_json(self):
        self.refuse("/persons", [
            (b"", "empty"), (b" \n", "empty"), (b"{", "too early"), (b"nul", "JSON"),
            (b"{'email': 1}", "double quotes"), (b'{"a" 1}', "colon"),
            (b'{"a":1,}', "double quotes"), (b'{"a":01}', "begin with 0"),
            (b'{"a":+1}', "JSON value"), (b'{"a":NaN}', "JSON value"),
            (b'{"a":1.}', "digit"), (b'{"a":"\\x"}', "escape"),
            (b'{"a":"\n"}', "control character"), (b'{"a":"', "string"),
            (b'// no\n{}', "JSON value"), (b"\xef\xbb\xbf\xef\xbb\xbf{}", "JSON value"),
            (b'\n\n  {"a": ?}', "line 3, column 9")])

    def test_more_than_one_value(self):
        self.refuse("/persons", [(b"{} {}", "trailing"), (b"{}x", "trailing"),
                                 (b"{}\0", "trailing")])

    def test_duplicate_keys(self):
        self.refuse("/persons", [
            (b'{"email":"a@b.c","email":"a@b.c"}', 'duplicate key "email"'),
            (b'{"email":"a@b.c","\\u0065mail":"d@b.c"}', "duplicate key")])
        self.refuse("/events", [(self.event(b'{"a":{"b":1,"b":1}}'), 'key "b"')])

    def test_bytes_that_are_no_text(self):
        self.refuse("/events", [
            (self.event(b'{"a":"\xff"}'), "UTF-8"), (self.event(b'{"\xc3":1}'), "UTF-8"),
            (self.event(b'{"a":"\xc0\xaf"}'), "UTF-8"),
            (self.event(b'{"a":"\xed\xa0\x80"}'), "UTF-8"),
            (self.event(b'{"a":"\xf4\x90\x80\x80"}'), "UTF-8")])

    def test_characters_that_postgresql_cannot_keep(self):
        self.refuse("/events", [
            (self.event(b'{"a":"\\u0000"}'), "u0000"),
            (self.event(b'{"\\u0000":1}'), "u0000"), (self.event(b'{"a":"\0"}'), "control"),
            (self.event(b'{"a":"\\ud800"}'), "surrogate"),
            (self.event(b'{"a":"\\udc00"}'), "surrogate"),
            (self.event(b'{"a":"\\udc00\\ud800"}'), "surrogate"),
            (self.event(b'{"\\ud800x":1}'), "surrogate")])

    def test_numbers_that_nobody_can_keep(self):
        """One rule: at most 1,000 digits written out, and no more than a double holds."""
        self.refuse("/events", [(self.event(b'{"a":%s}' % number), *said)
                                for number, *said in (
            (b"1e309", "308"), (b"-1.8e308", "308"), (b"1" + b"0" * 309, "308"),
            (b"1e-1000", "1000 digits"), (b"1e99999999999999999999", "1000 digits"),
            (b"-1e-99999999999999999999", "1000 digits"), (b"0e-1000", "1000 digits"),
            (b"0." + b"1" * 1000, "1000 digits"), (b"1" * 1001, "1000 digits"),
            (b"0." + b"0" * 1000 + b"1e1001", "1000 digits"))])

    def test_too_deep(self):
        self.refuse("/events", [
            (self.event(b'{"a":' * 32 + b"1" + b"}" * 32), "deeper"),
            (self.event(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"), "deeper"),
            (b"[" * 16000, "deeper"), (b'{"a":' * 3000, "deeper")])

    def test_too_large(self):
        for size in (16 * 1024 + 1, 1 << 20):
            answer = self.server.client().post("/persons", b" " * size)
            self.assert_refused(answer, 413, str(16 * 1024))

    def test_what_is_no_object(self):
        self.refuse("/persons", [(b"[]", "not an array"), (b"null", "not null"),
                                 (b'"x"', "not a string"), (b"7", "not a number"),
                                 (b"true", "not a boolean")])

    def test_another_content_type(self):
        body = json.dumps(person())
        for header in ("text/plain", "application/x-www-form-urlencoded", "", "json",
                       "application/json; charset=latin1", "application/jsonx",
                       "application/merge-patch+json", "application/x-ndjson"):
            answer = self.client.request("POST", "/persons", body,
                                         {"Content-Type": header})
            self.assert_refused(answer, 415, "application/json")
        patch = self.client.patch("/persons/" + self.kate, {}, Content_Type="text/plain")
        self.assert_refused(patch, 415, "application/merge-patch+json")

    def test_a_content_encoding(self):
        answer = self.client.post("/persons", b"{}", Content_Encoding="br")
        self.assertEqual(answer.status, 415)
        self.assertIn("Content-Encoding", answer.details)
        answer = self.client.post("/persons", b"{}", Content_Encoding="gzip")
        self.assertEqual(answer.status, 400)
        self.assertIn("gzip", answer.details)

    def test_a_charset_may_be_said_where_it_is_utf_8(self):
        for header in ("application/json; charset=utf-8", "Application/JSON;charset=UTF-8",
                       'application/json; charset="utf-8"'):
            answer = self.client.patch("/persons/" + self.kate, {}, Content_Type=header)
            self.assert_ok(answer)

    def test_missing_fields_are_all_named(self):
        answer = self.client.post("/persons", {})
        self.assert_refused(answer, 400)
        self.assertEqual([each["field"] for each in answer.json["response"]["errors"]],
                         ["email", "first_name", "last_name"])
        self.refuse("/events", [({"person_id": self.kate}, "", "event_type"),
                                ({"event_type": "click"}, "", "person_id")])

    def test_a_field_is_named_as_it_is_written(self):
        self.refuse("/persons", [(person(first_name=7), "first_name: expected a string")])
        for answer in (self.client.post("/persons", person(colour="red")),
                       self.client.post("/persons", person(events=[]))):
            error, = answer.json["response"]["errors"]
            self.assertEqual(answer.details, f"{error['field']}: {error['message']}")
        answer = self.client.post("/events/batch", [{"person_id": self.kate}])
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.data[0]["details"], "event_type: required")

    def test_unknown_fields(self):
        self.refuse("/persons", [(person(colour="red"), "unknown", "colour"),
                                 (person(Email="a@b.c"), "unknown", "Email")])
        self.refuse_event({"colour": "red"}, {"Properties": {}})

    def test_read_only_fields(self):
        self.refuse("/persons", [
            (person(datetime_created="2023-10-08T06:03:33"), "read-only",
             "datetime_created"),
            (person(datetime_modified="2023-10-08T06:03:33"), "read-only",
             "datetime_modified"), (person(events=[]), "read-only", "events")])
        self.assert_refused(self.client.patch("/persons/" + self.kate, {"events": []}),
                            400, "read-only", "events")

    def test_wrong_types(self):
        for wrong in (None, 7, True, [], {}, ["x"], 1.5):
            self.refuse("/persons", [(person(**{name: wrong}), name, name)
                                     for name in ("email", "first_name", "last_name",
                                                  "role")])
            self.refuse_event({"event_type": wrong}, {"person_id": wrong}, {"id": wrong})
            if wrong not in (7, 1.5) or wrong is True:  # milliseconds
                self.refuse_event({"datetime_created": wrong})
        self.refuse_event({"properties": None}, {"properties": []}, {"properties": "x"})

    def test_emails_that_html_would_not_take(self):
        for email in ("", "x", "@", "a@", "@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b-.c",
                      "a@b_c.d", "a@@b.c", "ü@b.c", "a@b.c\n", "a@" + "b" * 64 + ".c",
                      "a@b.", "a" * 250 + "@b.cd"):
            self.refuse("/persons", [(person(email=email), "email", "email")])

    def test_names_out_of_bounds(self):
        for name in ("", "  ", "x" * 101, "ü" * 101, "a\tb", "a\nb", "\x7f", "a\u0085b"):
            self.refuse("/persons", [(person(first_name=name), "first_name", "first_name"),
                                     (person(last_name=name), "last_name", "last_name")])

    def test_roles_that_there_are_not(self):
        for role in ("", "User", "root"):
            self.refuse("/persons", [(person(role=role), '"user" or "admin"', "role")])

    def test_event_types_out_of_bounds(self):
        self.refuse_event(*({"event_type": each} for each in (
            "", "x" * 201, "ü" * 201, "a\n", "\x7f", "a\u0085b", "\t")))

    def test_ids_that_are_no_uuids(self):
        for each in ("", "1", "d7584bb53-bef2-49c2-8490-8780c85d8744",
                     self.kate.replace("-", ""), "{" + self.kate + "}", self.kate + " "):
            self.refuse_event({"id": each}, {"person_id": each})

    def test_events_of_a_put_are_named_by_their_place(self):
        made = self.client.get("/persons/" + self.kate).data
        event = {"id": new_id(), "event_type": "click", "person_id": self.kate}
        for events, field in (
                ([7], "events[0]"), ([{**event, "event_type": ""}], "events[0].event_type"),
                ([event, {**event, "id": "x"}], "events[1].id"),
                ([event, event], "events[1].id"),
                ([{**event, "person_id": new_id()}], "events[0].person_id"),
                ([{**event, "colour": 1}], "events[0].colour"), ({}, "events")):
            answer = self.client.put("/persons/" + self.kate, {**made, "events": events})
            self.assert_refused(answer, 400, field, field)

    def test_bodies_of_a_delete_are_checked_too(self):
        for body in ({"colour": 1}, {"id": 7}, {"id": new_id()}):
            answer = self.client.delete("/persons/" + self.kate, body)
            self.assert_refused(answer, 400, field=list(body)[0])
        self.assert_refused(self.client.delete("/persons/" + self.kate, b"{"), 400)


class Accepted(Served):
    """The other side of each bound."""

    def test_null_as_the_body_of_a_delete_is_none(self):
        made = self.created()
        event = self.recorded(made["id"], "click")
        self.assert_ok(self.client.delete("/events/" + event["id"], b"null\n"))
        self.assert_ok(self.client.delete("/persons/" + made["id"], b"null"))

    def test_the_longest_fields_are_taken_and_come_back(self):
        body = person(first_name="ü" * 100, last_name="\U0001f600" * 100,
                      email="a" * 64 + "@" + (("b" * 63 + ".") * 3)[:-5] + ".c")
        made = self.created(**body)
        read = self.client.get("/persons/" + made["id"]).data
        self.assertEqual({name: read[name] for name in body}, body)
        event = self.recorded(made["id"], "\U0001f600" * 200, properties={"text": "y" * 65000})
        self.assertEqual(self.client.get("/events/" + event["id"]).data, event)

    def test_properties_over_their_bound_are_named(self):
        made = self.created()
        answer = self.client.post("/events", {
            "event_type": "click", "person_id": made["id"],
            "properties": {"text": "y" * 65536}})
        self.assertIn(answer.status, (400, 413))
        self.assert_refused(answer, answer.status, "properties", "properties")

    def test_28_levels_of_properties_are_taken(self):
        made = self.created()
        event = self.client.post("/events", (
            '{"event_type":"click","person_id":"%s","properties":%s}'
            % (made["id"], '{"a":' * 28 + "1" + "}" * 28)))
        self.assert_ok(event, 201)
        self.assertEqual(self.client.get("/events/" + event.data["id"]).data, event.data)

    def test_all_that_unicode_has_comes_back(self):
        text = "\u0001\u007f\u0080\u2028\ufeff\uffff\U0001f600\U0010ffff\\\"/"
        made = self.created()
        event = self.recorded(made["id"], properties={text: text})
        self.assertEqual(event["properties"], {text: text})
        self.assertEqual(self.client.get("/events/" + event["id"]).data, event)


if __name__ == "__main__":
    unittest.main()
