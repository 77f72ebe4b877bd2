"""A test case with a server of its own, shared by the tests of the class, and what they
all ask of an answer."""

import itertools
import json
import re
import unittest
import uuid

from harness import Server

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UUIDV7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")

PERSON = ["id", "datetime_created", "datetime_modified", "email", "events", "first_name",
          "last_name", "role"]
EVENT = ["id", "datetime_created", "event_type", "person_id"]

_numbers = itertools.count(1)


def person(**fields):
    """The body of a POST /persons, with an email that no other has."""
    return {"email": f"kate.pryde{next(_numbers)}@marauders.mock", "first_name": "Kate",
            "last_name": "Pryde", "role": "admin", **fields}


def new_id():
    return str(uuid.uuid4())


class Served(unittest.TestCase):
    maxDiff = 4000
    settings = {}  # the server's environment

    @classmethod
    def setUpClass(cls):
        cls.server = Server(env=cls.settings)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.client = cls.server.client()
        cls.server.wait_for(
            lambda: cls.client.get("/health").data["projection"] == "following",
            "following the log")
        cls.addClassCleanup(cls.client.close)

    def created(self, **fields):
        """A new person, as POST /persons answers it."""
        answer = self.client.post("/persons", person(**fields))
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data

    def recorded(self, person_id, event_type="click", **fields):
        """A new event, as POST /events answers it."""
        answer = self.client.post(
            "/events", {"event_type": event_type, "person_id": person_id, **fields})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data

    def assert_ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(list(answer.json), ["data", "response"])
        self.assertEqual(answer.json["response"], {
            "details": "The request was successful", "message": "Ok", "status": status})

    def assert_refused(self, answer, status, saying="", field=None):
        """An error in the envelope, whose details say so; field is the one that the
        errors must name."""
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(list(answer.json), ["data", "response"])
        response = answer.json["response"]
        self.assertIsNone(answer.data)
        self.assertEqual(response["status"], status)
        self.assertNotEqual(response["message"], "Ok")
        self.assertLessEqual(set(response), {"details", "errors", "message", "status",
                                             "title", "type"})
        self.assertRegex(response["type"], "^/docs/errors.md#[a-z-]+$")
        self.assertTrue(response["title"])
        self.assertIn(saying.lower(), response["details"].lower())
        if status in (429, 503):
            self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        if field is None:
            return
        self.assertIn(field, [error["field"] for error in response["errors"]])
        for error in response["errors"]:
            self.assertEqual(set(error), {"field", "message"})
            self.assertTrue(error["message"])

    def assert_person(self, data):
        self.assertEqual(list(data), PERSON)
        self.assertRegex(data["id"], f"^{UUID.pattern}$")
        self.assertRegex(data["datetime_created"], f"^{TIMESTAMP.pattern}$")
        self.assertRegex(data["datetime_modified"], f"^{TIMESTAMP.pattern}$")
        for event in data["events"]:
            self.assert_event(event)
            self.assertEqual(event["person_id"], data["id"])

    def assert_event(self, data):
        self.assertEqual([name for name in data if name != "properties"], EVENT)
        self.assertRegex(data["id"], f"^{UUID.pattern}$")
        self.assertRegex(data["person_id"], f"^{UUID.pattern}$")
        self.assertRegex(data["datetime_created"], f"^{TIMESTAMP.pattern}$")

    def follow(self, path, client=None):
        """A list from its first page to its last, by the Link headers."""
        client, items, pages = client or self.client, [], 0
        while path:
            answer = client.get(path)
            self.assertEqual(answer.status, 200, answer.body)
            items += answer.data
            pages += 1
            path = next_page(answer)
        return items, pages


def next_page(answer):
    """The path of Link: <...>; rel="next", or None."""
    link = answer.headers["Link"]
    if link is None:
        return None
    found = re.fullmatch(r'<([^>]+)>; rel="next"', link)
    if not found:
        raise AssertionError(f"not a link to the next page: {link}")
    return found[1]


def blank(value):
    """Every id and timestamp replaced by what kind it is, for comparing shapes."""
    text = json.dumps(value)
    return json.loads(TIMESTAMP.sub("a timestamp", UUID.sub("an id", text)))
