"""Lists of who is known by what, and of an anonymous id."""

import json
import unittest
from urllib.parse import quote

from served import Served, person
from tables import Locked


class Whose(Served):
    """Persons and events by what a person is known by."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate, cls.kurt, cls.anna = (
            cls.client.post("/persons", person(**fields)).data for fields in (
                {"email": "Kate+tag@Marauders.mock"},
                {"external_id": "crm/7 é", "properties": {"plan": "pro", "seats": 3}},
                {"properties": {"plan": "pro", "seats": 5}}))
        cls.known = [cls.client.post("/events", {"event_type": "click", "person_id": each["id"]}
                                     ).data for each in (cls.kate, cls.kurt, cls.kurt)]
        cls.unknown = [cls.client.post("/events", {"event_type": kind, "anonymous_id": who}).data
                       for kind, who in (("click", "a 1"), ("view", "a 1"), ("view", "a 2"))]

    def ids(self, path):
        answer = self.client.get(path)
        self.assertEqual(answer.status, 200, answer.body)
        return [each["id"] for each in answer.data]

    def test_a_person_by_email_in_any_case(self):
        for email in ("Kate%2Btag@Marauders.mock", "kate%2btag@marauders.MOCK"):
            answer = self.client.get("/persons?email=" + email)
            self.assert_ok(answer)
            self.assertEqual(answer.data, [self.client.get(f"/persons/{self.kate['id']}").data])

    def test_a_person_by_external_id_to_the_byte(self):
        answer = self.client.get("/persons?external_id=" + quote("crm/7 é"))
        self.assertEqual(answer.data, [self.client.get(f"/persons/{self.kurt['id']}").data])
        self.assertEqual(self.ids("/persons?external_id=" + quote("CRM/7 é")), [])

    def test_nobody_is_an_empty_list_that_says_so(self):
        for path in ("/persons?email=none@x.mock", "/persons?external_id=none",
                     "/events?email=none@x.mock", "/events?external_id=none",
                     f"/events?email={quote(self.kate['email'])}&person_id={self.kurt['id']}",
                     f"/persons?external_id=none&email={quote(self.kate['email'])}"):
            answer = self.client.get(path + "&count=exact")
            self.assertEqual((answer.status, answer.data), (200, []))
            self.assertIn("no ", answer.details)
            self.assertEqual(answer.json["response"]["count"], 0)
            self.assertEqual(answer.json["response"]["count_is"], "exact")
            self.assertIsNotNone(answer.headers["Daybook-Projected-Sequence"])

    def test_who_has_an_email_now_is_found(self):
        one = self.created(email="first@x.mock")
        self.client.patch("/persons/" + one["id"], {"email": "second@x.mock"})
        self.assertEqual(self.ids("/persons?email=first@x.mock"), [])
        self.assertEqual(self.ids("/persons?email=second@x.mock"), [one["id"]])
        self.client.delete("/persons/" + one["id"])
        self.assertEqual(self.ids("/persons?email=second@x.mock"), [])
        self.assertEqual(self.ids("/events?email=second@x.mock"), [])

    def test_who_is_not_in_the_tables_yet_is_not_nobody(self):
        with Locked(self.server, "person", "exclusive"):
            one = self.created(email="late@x.mock", external_id="late")
            for path in ("/persons?email=late@x.mock", "/persons?external_id=late"):
                self.assert_refused(self.client.get(path, prefer="wait=0"), 503, "not yet")
            self.assertEqual(self.client.get("/persons?email=never@x.mock", prefer="wait=0").data,
                             [])
        self.assertEqual(self.ids("/persons?email=late@x.mock"), [one["id"]])
        self.client.delete("/persons/" + one["id"])

    def test_events_of_who_has_it(self):
        of_kurt = self.ids(f"/events?person_id={self.kurt['id']}")
        self.assertEqual(of_kurt[1:], [each["id"] for each in self.known[1:]])
        for query in ("external_id=" + quote("crm/7 é"), "email=" + quote(self.kurt["email"]),
                      f"person_id={self.kurt['id']}&email={quote(self.kurt['email'])}"):
            self.assertEqual(self.ids("/events?" + query), of_kurt)
            self.assertEqual(self.ids(f"/events?order=desc&limit=2&{query}"),
                             of_kurt[:0:-1])
            self.assertEqual(self.ids("/events?keyword=click&" + query), of_kurt[1:])

    def test_persons_by_properties(self):
        for wanted, persons in (({"plan": "pro"}, [self.kurt, self.anna]),
                                ({"plan": "pro", "seats": 5}, [self.anna]),
                                ({"plan": "free"}, [])):
            query = "/persons?properties=" + quote(json.dumps(wanted))
            self.assertEqual(self.ids(query), [each["id"] for each in persons])
            self.assertEqual(self.ids(query + "&order=desc"),
                             [each["id"] for each in persons[::-1]])
        self.assertEqual(self.ids("/persons?external_id=" + quote("crm/7 é") +
                                  "&properties=" + quote('{"seats": 5}')), [])

    def test_events_of_an_anonymous_id_claimed_or_not(self):
        first, second = self.ids("/events?anonymous_id=a%201"), self.ids("/events?anonymous_id=a%202")
        self.assertEqual(first, [each["id"] for each in self.unknown[:2]])
        self.assertEqual(second, [self.unknown[2]["id"]])
        self.assertEqual(self.ids("/events?anonymous_id=a%201&keyword=view"), first[1:])
        self.assertEqual(self.ids("/events?anonymous_id=a%201&order=desc"), first[::-1])
        self.assertEqual(self.ids("/events?anonymous_id=none"), [])
        claimed = self.client.post(f"/persons/{self.anna['id']}/aliases", {"anonymous_id": "a 2"})
        self.assertIn(claimed.status, (200, 201), claimed.body)
        found = self.client.get("/events?anonymous_id=a%202").data
        self.assertEqual([(each["id"], each["person_id"]) for each in found],
                         [(second[0], self.anna["id"])])
        self.assertIn(second[0], self.ids(f"/events?person_id={self.anna['id']}"))
        self.assertEqual(
            self.ids(f"/events?anonymous_id=a%201&person_id={self.anna['id']}"), [])

    def test_the_tag_of_an_anonymous_event_moves_with_whose_it_is(self):
        event = self.client.post("/events", {"event_type": "click", "anonymous_id": "a 3"}).data
        path = "/events/" + event["id"]
        tag = self.client.get(path).headers["ETag"]
        self.assertEqual(self.client.get(path, if_none_match=tag).status, 304)
        claimed = self.client.post(f"/persons/{self.anna['id']}/aliases", {"anonymous_id": "a 3"})
        self.assertIn(claimed.status, (200, 201), claimed.body)
        answer = self.client.get(path, if_none_match=tag)
        self.assertEqual((answer.status, answer.data["person_id"]), (200, self.anna["id"]))

    def test_when_it_was_received_is_listed(self):
        recorded = {each["subject_id"]: each["recorded_at"]
                    for each in self.client.get("/log").data}
        for each in self.client.get("/events?include=received").data:
            self.assertEqual(list(each)[-1], "received")
            self.assertEqual(each["received"], recorded[each["id"]])

    def test_what_nobody_can_be_known_by_is_refused(self):
        for path, name in (("/persons?email=kate", "email"), ("/events?email=a+b@x.mock", "email"),
                           ("/events?email=", "email"), ("/persons?external_id=", "external_id"),
                           ("/events?external_id=" + "x" * 201, "external_id"),
                           ("/events?anonymous_id=a%0Ab", "anonymous_id"),
                           ("/events?anonymous_id=" + "x" * 129, "anonymous_id"),
                           ("/persons?anonymous_id=", "anonymous_id"),
                           ("/persons?person_id=" + self.kate["id"], "person_id"),
                           ("/persons?properties=7", "properties")):
            self.assert_refused(self.client.get(path), 400, name, field=name)


if __name__ == "__main__":
    unittest.main()
