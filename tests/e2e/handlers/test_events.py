"""Events: recorded, recorded again, read, deleted."""

import unittest
from urllib.parse import quote

from served import Served, new_id, person


class Events(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]

    def test_recording_answers_the_event_as_reading_does(self):
        made = self.client.post("/events", {"event_type": "click", "person_id": self.kate})
        self.assert_ok(made, 201)
        self.assert_event(made.data)
        self.assertEqual(made.headers["Location"], "/events/" + made.data["id"])
        read = self.client.get("/events/" + made.data["id"])
        self.assert_ok(read)
        self.assertEqual(read.data, made.data)

    def test_what_the_client_brings_is_kept(self):
        body = {"id": new_id(), "datetime_created": "2023-10-08T06:03:33.330037",
                "event_type": "page:edit-1.0_x", "person_id": self.kate,
                "properties": {"page": "Übersicht", "n": [1, 2.5, None, True], "o": {}}}
        made = self.client.post("/events", body)
        self.assert_ok(made, 201)
        self.assertEqual(made.data, body)
        self.assertEqual(self.client.get("/events/" + body["id"]).data, body)

    def test_empty_properties_are_not_shown(self):
        made = self.recorded(self.kate, properties={})
        self.assertNotIn("properties", made)
        self.assertNotIn("properties", self.client.get("/events/" + made["id"]).data)

    def test_numbers_come_back_as_exact_as_they_were_sent(self):
        numbers = b'{"a":0.1,"b":9007199254740993,"c":-9223372036854775808,"d":1e2}'
        made = self.client.post("/events", b'{"event_type":"n","person_id":"%s",'
                                b'"properties":%s}' % (self.kate.encode(), numbers))
        self.assert_ok(made, 201)
        self.assertIn(b'"properties":' + numbers, made.body)
        read = self.client.get("/events/" + made.data["id"])
        self.assertIn(b"9007199254740993", read.body)
        self.assertIn(b"-9223372036854775808", read.body)
        self.assertIn(b"0.1", read.body)
        self.assertNotIn(b"0.10000", read.body)

    def test_times_are_told_in_utc(self):
        for said, meant in (
                ("2023-10-08T06:03:33.330037Z", "2023-10-08T06:03:33.330037"),
                ("2023-10-08T06:03:33+02:00", "2023-10-08T04:03:33.000000"),
                ("2023-10-08 06:03:33.5", "2023-10-08T06:03:33.500000"),
                ("2023-10-08t06:03:33z", "2023-10-08T06:03:33.000000"),
                ("2023-10-08T06:03:33.123456999Z", "2023-10-08T06:03:33.123456"),
                ("2023-10-08T06:03:33.1234567890123456789-23:59", "2023-10-09T06:02:33.123456"),
                ("2023-10-08T06:03:33-00:00", "2023-10-08T06:03:33.000000"),
                (1696745013330, "2023-10-08T06:03:33.330000"),
                (1696745013330.037, "2023-10-08T06:03:33.330037"),
                (0, "1970-01-01T00:00:00.000000"),
                (-1.5, "1969-12-31T23:59:59.998500"),
                ("2024-02-29T23:59:59.999999", "2024-02-29T23:59:59.999999")):
            made = self.recorded(self.kate, datetime_created=said)
            self.assertEqual(made["datetime_created"], meant)
            self.assertEqual(
                self.client.get("/events/" + made["id"]).data["datetime_created"], meant)

    def test_a_new_one_of_an_anonymous_id_does_not_come_with_its_person(self):
        event = {"id": new_id(), "event_type": "click", "anonymous_id": new_id(),
                 "person_id": self.kate}
        shown = self.client.get("/persons/" + self.kate)
        answer = self.client.put("/persons/" + self.kate, {**shown.data, "events": [event]})
        self.assert_refused(answer, 400, event["id"])
        self.assertIn("POST /events", answer.details)
        del event["person_id"]
        made = self.client.post("/events", event)
        self.assert_ok(made, 201)
        self.assertEqual({**made.data, "person_id": None}, made.data)

    def test_types_are_any_text_to_the_character(self):
        for name in ("Order Completed", "$pageview", " a ", "a,b;c", "\u00fc", "u\u0308",
                     "\u202eright\ue000", "\\\"'%&+=#?", "\U0001f600", "\u2028"):
            made = self.recorded(self.kate, name)
            self.assertEqual(made["event_type"], name)
            read = self.client.get("/events/" + made["id"])
            self.assertEqual(read.data, made)
            found = self.client.get(f"/events?person_id={self.kate}&keyword={quote(name)}")
            self.assertEqual([each["id"] for each in found.data], [made["id"]], name)

    def test_days_that_no_calendar_has_are_refused(self):
        for said in ("2023-02-29T00:00:00", "2023-13-01T00:00:00", "2023-10-08",
                     "2023-10-08T24:00:00", "2023-10-08T06:60:00", "yesterday", "",
                     "0000-01-01T00:00:00", "10000-01-01T00:00:00",
                     "2023-10-08T06:03:33.33003.1"):
            answer = self.client.post("/events", {
                "event_type": "click", "person_id": self.kate, "datetime_created": said})
            self.assert_refused(answer, 400, field="datetime_created")

    def test_the_same_id_and_content_again_is_the_first_one(self):
        body = {"id": new_id(), "event_type": "click", "person_id": self.kate,
                "properties": {"a": 1, "b": [1.50]}}
        made = self.client.post("/events", body)
        self.assert_ok(made, 201)
        again = self.client.post("/events", {
            "properties": {"b": [1.5], "a": 1.0}, "person_id": self.kate.upper(),
            "event_type": "click", "id": body["id"]})
        self.assert_ok(again, 200)
        self.assertEqual(again.data, made.data)
        self.assertEqual(again.sequence, made.sequence)

    def test_the_same_id_with_other_content_is_a_conflict(self):
        other = self.created()["id"]
        body = {"id": new_id(), "event_type": "click", "person_id": self.kate,
                "datetime_created": "2023-10-08T06:03:33", "properties": {"a": 1}}
        first = self.client.post("/events", body).data
        for change in ({"event_type": "clicks"}, {"person_id": other},
                       {"datetime_created": "2023-10-08T06:03:34"},
                       {"properties": {"a": 2}}, {"properties": {}}):
            answer = self.client.post("/events", {**body, **change})
            self.assert_refused(answer, 409)
        self.assertEqual(self.client.get("/events/" + body["id"]).data, first)

    def test_an_id_in_the_path_counts_as_one_in_the_body(self):
        body = {"event_type": "click", "person_id": self.kate}
        event_id = new_id()
        self.assert_ok(self.client.post("/events/" + event_id, body), 201)
        self.assert_ok(self.client.post("/events/" + event_id,
                                        {**body, "id": event_id}), 200)
        self.assert_ok(self.client.post("/events", {**body, "id": event_id}), 200)
        self.assert_refused(self.client.post("/events/" + event_id,
                                             {**body, "id": new_id()}), 400, field="id")

    def test_a_person_must_exist(self):
        body = {"event_type": "click", "person_id": new_id()}
        self.assert_refused(self.client.post("/events", body), 404, "person")
        gone = self.created()["id"]
        self.client.delete("/persons/" + gone)
        self.assert_refused(self.client.post("/events", {**body, "person_id": gone}), 404,
                            "person")

    def test_deleting_takes_it_out_and_keeps_its_id(self):
        made = self.recorded(self.kate)
        self.assert_ok(self.client.delete("/events/" + made["id"]))
        self.assert_refused(self.client.get("/events/" + made["id"]), 404)
        self.assert_refused(self.client.delete("/events/" + made["id"]), 404)
        self.assert_refused(self.client.post("/events", made), 409)
        events = self.client.get("/persons/" + self.kate + "?events_limit=1000").data
        self.assertNotIn(made["id"], [event["id"] for event in events["events"]])

    def test_deleting_with_what_does_not_match_deletes_nothing(self):
        made = self.recorded(self.kate)
        path = "/events/" + made["id"]
        self.assert_refused(self.client.delete(path, {"id": new_id()}), 400, field="id")
        self.assertIn(self.client.delete(path, {"person_id": new_id()}).status, (400, 409))
        self.assert_ok(self.client.get(path))
        self.assert_ok(self.client.delete(path, {"person_id": self.kate}))

    def test_an_event_that_never_was_is_not_found(self):
        self.assert_refused(self.client.get("/events/" + new_id()), 404)
        self.assert_refused(self.client.delete("/events/" + new_id()), 404)


class Restricted(Served):
    settings = {"EVENT_TYPES": "click,submitted_feedback,signup"}

    def test_only_the_listed_types_are_taken(self):
        kate = self.created()["id"]
        self.recorded(kate, "submitted_feedback")
        answer = self.client.post("/events", {"event_type": "clicks", "person_id": kate})
        self.assert_refused(answer, 400, "click, submitted_feedback, signup",
                            field="event_type")


if __name__ == "__main__":
    unittest.main()
