"""Every example request of the API's document, with the answer it shows: field names,
formats and all that is not an id or a time of the server's own. The document's slips (a
time with a space, an id of 37 digits, single quotes) are not expected back."""

import unittest

from served import Served, blank

MAX = {"email": "Max.Rolfson@test.mock", "first_name": "Max", "last_name": "Rolfson",
       "role": "user"}
JEAN = {"email": "Jean.Grey@phoenix.mock", "first_name": "Jean", "last_name": "Grey",
        "role": "admin"}
SCOTT = {"email": "scott.summers@themoon.mock", "first_name": "Scott",
         "last_name": "Summers", "role": "admin"}
KATE = {"email": "kate.pryde@marauders.mock", "first_name": "Kate", "last_name": "Pryde",
        "role": "admin"}

OK = {"details": "The request was successful", "message": "Ok", "status": 200}
CREATED = {**OK, "status": 201}
CLICKS = ["2023-10-07T23:36:54.430671", "2023-10-07T23:36:55.224951"]


def event(event_type):
    return {"id": "an id", "datetime_created": "a timestamp", "event_type": event_type,
            "person_id": "an id"}


def with_events(fields, *event_types):
    return {"id": "an id", "datetime_created": "a timestamp",
            "datetime_modified": "a timestamp", "email": fields["email"],
            "events": [event(each) for each in event_types],
            "first_name": fields["first_name"], "last_name": fields["last_name"],
            "role": fields["role"]}


class Seed(Served):
    """The persons of the document: Max has signed up, Jean and Scott clicked too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.max, cls.jean, cls.scott = (
            cls.client.post("/persons", each).data["id"] for each in (MAX, JEAN, SCOTT))
        cls.clicks = [
            cls.client.post("/events", {"event_type": "click", "person_id": cls.jean,
                                        "datetime_created": at}).data["id"]
            for at in CLICKS]
        cls.client.post("/events", {"event_type": "submitted_feedback",
                                    "person_id": cls.scott})

    def assert_same(self, answer, expected):
        """Equal, names in the document's order included."""
        self.assertEqual(answer.status, expected["response"]["status"], answer.body)
        self.assertEqual(blank(answer.json), expected)
        self.assertEqual(names(answer.json), names(expected))

    def test_get_persons(self):
        self.assert_same(self.client.get("/persons"), {"data": [
            with_events(MAX, "signup"),
            with_events(JEAN, "signup", "click", "click"),
            with_events(SCOTT, "signup", "submitted_feedback"),
        ], "response": OK})

    def test_get_person_by_id(self):
        answer = self.client.get("/persons/" + self.jean)
        self.assert_same(answer, {
            "data": with_events(JEAN, "signup", "click", "click"), "response": OK})
        self.assertEqual(answer.data["id"], self.jean)
        self.assertEqual([each["datetime_created"] for each in answer.data["events"][1:]],
                         CLICKS)

    def test_post_persons(self):
        answer = self.client.post("/persons", KATE)
        self.addCleanup(self.client.delete, "/persons/" + answer.data["id"])
        self.assert_same(answer, {"data": with_events(KATE, "signup"),
                                  "response": CREATED})
        self.assertEqual(answer.data["events"][0]["person_id"], answer.data["id"])

    def test_put_persons(self):
        made = self.client.post("/persons", KATE).data
        self.addCleanup(self.client.delete, "/persons/" + made["id"])
        answer = self.client.put("/persons/" + made["id"], {
            "id": made["id"], "email": "Scott.Summers@test.mock", "events": [],
            "first_name": "Scott", "last_name": "Summers", "role": "admin"})
        # The document shows no events; the one that happened is not taken back.
        self.assert_same(answer, {"data": with_events(
            {**SCOTT, "email": "Scott.Summers@test.mock"}, "signup"), "response": OK})
        self.assertEqual(answer.data["id"], made["id"])

    def test_delete_persons(self):
        made = self.client.post("/persons", KATE).data
        answer = self.client.delete("/persons/" + made["id"], {"id": made["id"]})
        self.assert_same(answer, {"data": None, "response": OK})

    def test_get_events(self):
        self.assert_same(self.client.get("/events"), {"data": [
            event("signup"), event("signup"), event("signup"), event("click"),
            event("click"), event("submitted_feedback")], "response": OK})

    def test_get_events_by_keyword_and_person_id(self):
        answer = self.client.get(f"/events?keyword=click&person_id={self.jean}")
        self.assert_same(answer, {"data": [event("click"), event("click")],
                                  "response": OK})
        self.assertEqual([each["id"] for each in answer.data], self.clicks)
        self.assertEqual({each["person_id"] for each in answer.data}, {self.jean})

    def test_get_events_by_id(self):
        answer = self.client.get("/events/" + self.clicks[1])
        self.assert_same(answer, {"data": event("click"), "response": OK})
        self.assertEqual(answer.data, {
            "id": self.clicks[1], "datetime_created": CLICKS[1], "event_type": "click",
            "person_id": self.jean})

    def test_post_events(self):
        made = self.client.post("/persons", KATE).data
        self.addCleanup(self.client.delete, "/persons/" + made["id"])
        body = {"event_type": "signup", "person_id": made["id"]}
        self.assert_same(self.client.post("/events", body),
                         {"data": event("signup"), "response": CREATED})

    def test_post_events_at_an_id_as_the_document_writes_it(self):
        made = self.client.post("/persons", KATE).data
        self.addCleanup(self.client.delete, "/persons/" + made["id"])
        answer = self.client.post("/events/9c65af1a-c109-4c17-9bf1-5f4bcac95e3c", {
            "event_type": "signup", "person_id": made["id"]})
        self.assert_same(answer, {"data": event("signup"), "response": CREATED})
        self.assertEqual(answer.data["id"], "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c")
        self.assertEqual(answer.data["person_id"], made["id"])

    def test_delete_events(self):
        made = self.recorded(self.max, "submitted_feedback")
        answer = self.client.delete("/events/" + made["id"], {
            "id": made["id"], "person_id": self.max})
        self.assert_same(answer, {"data": None, "response": OK})


def names(value):
    """The names in an answer, in order, at every level."""
    if isinstance(value, dict):
        return [(name, names(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [names(each) for each in value]
    return None


if __name__ == "__main__":
    unittest.main()
