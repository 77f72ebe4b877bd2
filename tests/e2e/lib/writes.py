"""What a client writes, and the marks it leaves in the log.

Every record that a write asks for carries a mark that no other record has, so that the
log can be asked whether it is there, whether it is there twice, and who sent it:

    person.created   its email              person.updated   its first_name
    event.recorded   properties["mark"], or "signup " + person for the automatic one
    ....deleted      "deleted " + id, for an id can be deleted once only

Of who was erased nothing is said any more: "erased " and the sequence.
"""

import json
import uuid

from fold import is_erased


def mark_of(record):
    """The mark of a record as GET /log shows it."""
    kind, data = record["type"], record["data"]
    if is_erased(record):
        return f"erased {record['sequence']}"
    if kind == "person.created":
        return data["email"]
    if kind == "person.updated":
        return data["first_name"]
    if kind == "event.recorded":
        return data.get("properties", {}).get("mark") or "signup " + data["person_id"]
    if kind in ("person.restricted", "person.unrestricted"):  # again and again
        return f"{kind} {record['sequence']}"
    return kind.removeprefix("event.").removeprefix("person.") + " " + record["subject_id"]


class Write:
    """One request.

    marks   of the records it asks for, in the order of an answer's items
    retry   sent a second time it changes nothing: it may be repeated when unanswered
    """

    def __init__(self, kind, method, path, body, marks, retry, headers=None):
        self.kind, self.method, self.path = kind, method, path
        self.body = json.dumps(body).encode() if body is not None else None
        self.headers = {"Content-Type": "application/json"} if self.body else {}
        self.headers.update(headers or {})
        self.marks, self.retry = marks, retry
        self.tries = 0

    def acknowledged(self, answer):
        """[(mark, sequence)] that this answer promises; None where it promises nothing.
        """
        if self.kind == "batch" and answer.status == 200:
            if any(item["status"] not in (200, 201) for item in answer.data):
                return None
            return [(mark, item["sequence"])
                    for mark, item in zip(self.marks, answer.data, strict=True)]
        if self.kind == "delete" and answer.status == 404 and self.tries > 1:
            return []  # the try that was not answered did it, which the log will show
        if answer.status not in (200, 201):
            return None
        if self.kind == "person":
            created = answer.sequence - 1
            return [(self.marks[0], created),
                    ("signup " + answer.data["id"], answer.sequence)]
        return [(self.marks[0], answer.sequence)]


class Author:
    """Thinks up writes for one client, about persons and events of its own."""

    def __init__(self, random, name):
        self.random, self.name = random, name
        self.count = 0
        self.persons = []  # ids
        self.events = []   # (event id, person id)
        self.kinds = [(self.person, 10), (self.event, 45), (self.batch, 8),
                      (self.patch, 12), (self.delete_event, 8), (self.delete_person, 3)]

    def next(self):
        if not self.persons:
            return self.person()
        kinds, weights = zip(*self.kinds)
        return self.random.choices(kinds, weights)[0]()

    def learn(self, write, answer):
        """Remember what there is now."""
        if write.kind == "person":
            found, known = answer.data["id"], self.persons
        elif write.kind == "event" and answer.data["person_id"] in self.persons:
            found, known = (answer.data["id"], answer.data["person_id"]), self.events
        else:
            return
        if found not in known:  # it may be a repetition
            known.append(found)

    def mark(self):
        self.count += 1
        return f"{self.name}.{self.count}"

    def key(self):
        """Half of the requests bring a key."""
        if self.random.random() < 0.5:
            return {}
        return {"Idempotency-Key": self.uuid()}

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def person(self):
        email, key = self.mark() + "@load.test", self.key()
        body = {"email": email, "first_name": "Zoë", "last_name": "O'Load",
                "role": self.random.choice(["user", "admin"])}
        # Without a key a repetition would be told that the email is taken.
        return Write("person", "POST", "/persons", body, [email], bool(key), key)

    def an_event(self, with_id):
        event = {"event_type": self.random.choice(["click", "page_edit", "x:y.z-1"]),
                 "person_id": self.random.choice(self.persons),
                 "properties": {"mark": self.mark(), "n": self.random.randint(-9, 9),
                                "tags": ["a", None, True, {"é": "\u2028\U0001f600\\"}]}}
        if with_id:
            event["id"] = self.uuid()
        if self.random.random() < 0.2:
            event["datetime_created"] = "2015-09-12T00:46:58.771000"
        return event

    def event(self):
        with_id, key = self.random.random() < 0.6, self.key()
        event = self.an_event(with_id)
        return Write("event", "POST", "/events", event, [event["properties"]["mark"]],
                     with_id or bool(key), key)

    def batch(self):
        with_ids, key = self.random.random() < 0.6, self.key()
        items = [self.an_event(with_ids) for _ in range(self.random.randint(1, 60))]
        return Write("batch", "POST", "/events/batch", items,
                     [item["properties"]["mark"] for item in items],
                     with_ids or bool(key), key)

    def patch(self):
        name = self.mark()
        return Write("patch", "PATCH", "/persons/" + self.random.choice(self.persons),
                     {"first_name": name}, [name], True)

    def delete_event(self):
        if not self.events:
            return self.event()
        event, _ = self.events.pop(self.random.randrange(len(self.events)))
        return Write("delete", "DELETE", "/events/" + event, None, ["deleted " + event],
                     True)

    def delete_person(self):
        person = self.persons.pop(self.random.randrange(len(self.persons)))
        self.events = [one for one in self.events if one[1] != person]
        return Write("delete", "DELETE", "/persons/" + person, None,
                     ["deleted " + person], True)
