"""What requests are about, and their bodies, by chance: right ones, and wrong ones now and
then."""

import json
import uuid
from urllib.parse import quote

from model_exchange import Request

TIMES = ("2015-09-12T00:46:58.771", "2016-02-29T23:59:59Z", "2020-01-01T00:00:00",
         "2020-01-01T00:00:00.000001", "2026-07-01T12:00:00.5")
TYPES = ("click", "page_edit", "x:y.z-1", "signup", "Order Completed", " $ü,\"\u202e ")
NAMES = ("Zoë", "O'Load", "  李 ", "Ω-Ω", "a" * 100, "\U0001f600")
LABELS = ("a", "A", "%2F/..?#&", " ü\u202e", "\U0001f600" * 100, "\"'\\", "b+c")
JSON = "application/json"
HASH = "0123456789abcdef"  # as tags had behind the version before they had a checksum


class Bodies:
    def __init__(self, chance, model):
        self.chance, self.model, self.count = chance, model, 0
        self.sent = []  # POSTs that carried a key

    def one_in(self, n):
        return self.chance.randrange(n) == 0

    def uuid(self):
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    # What requests are about.

    def among(self, ids):
        """One of them, the later ones more often; now and then one that is not there."""
        ids = list(ids)
        if not ids or self.one_in(25):
            return self.uuid()
        if self.one_in(2):
            ids = ids[-5:]
        id = self.chance.choice(ids)
        return id.upper() if self.one_in(20) else id

    def person_id(self):
        return self.among(self.model.persons if self.one_in(10)
                          else self.model.live_persons())

    def event_id(self):
        live = [id for id, _ in self.model.live_events()]
        return self.among(self.model.events if self.one_in(10) else live)

    # Bodies.

    def request(self, method, path, value, headers=None):
        text = json.dumps(value, ensure_ascii=self.one_in(2))
        if self.one_in(50):
            text = self.chance.choice((text[:-1], text + ",", "", "nil"))
        type = "text/plain" if self.one_in(100) else JSON
        return Request(method, path, {}, text.encode(),
                       {"Content-Type": type, **(headers or {})})

    def spoiled(self, body):
        """One thing of it wrong, now and then."""
        if not self.one_in(15):
            return body
        name = self.chance.choice(list(body))
        return self.chance.choice((
            {**body, name: None}, {**body, name: 7}, {**body, name: "\u00e9 \x07"},
            {**body, "colour": "red"}, [body],
            {key: value for key, value in body.items() if key != name}))

    def email(self):
        if self.model.persons and self.one_in(12):  # taken, or free again
            taken = self.model.persons[self.chance.choice(list(self.model.persons))]
            if taken["shown"]["email"]:
                return taken["shown"]["email"].swapcase()
        return f"p{self.count}.{self.chance.randrange(100)}@model.test"

    def fields(self):
        return {"email": self.email(), "first_name": self.chance.choice(NAMES),
                "last_name": self.chance.choice(NAMES),
                "role": self.chance.choice(("user", "admin"))}

    def properties(self):
        return {"n": self.chance.randrange(4), "tags": [self.chance.randrange(3), "a"],
                "at": {"page": self.chance.choice((None, True, 0.5, "\u2028é\\"))}}

    def label(self, taken):
        """Of few, so that they meet; now and then one that is none."""
        if taken and self.one_in(2):
            return self.chance.choice(taken)
        if self.one_in(40):
            return self.chance.choice(("", "\x07", "\U0001f600" * 201))
        return self.chance.choice(LABELS) + self.chance.choice(("", "1", "2", "3"))

    def anonymous_id(self):
        return self.label(list(self.model.aliases))

    def external_id(self):
        return self.label([person["shown"]["external_id"]
                           for person in self.model.persons.values()
                           if "external_id" in person["shown"]])

    def some(self, fields):
        """Some of them, and of these some null."""
        return {name: None if self.one_in(4) else value for name, value in fields.items()
                if not self.one_in(2)}

    def new_person(self):
        body = self.fields()
        if self.one_in(3):
            del body["role"]
        if self.one_in(3):
            body["external_id"] = self.external_id()
        if self.one_in(4):
            body["anonymous_id"] = self.anonymous_id()
        if {"external_id", "anonymous_id"} & body.keys() or self.one_in(20):
            for name in ("email", "first_name", "last_name"):
                if self.one_in(3):
                    body[name] = None
                elif self.one_in(2):
                    del body[name]
        if self.one_in(3):
            body["properties"] = self.properties() if not self.one_in(5) else {}
        if self.one_in(4):
            body["id"] = self.uuid() if not self.one_in(4) else self.person_id()
        if self.one_in(12) and self.model.persons:
            body = self.person_there()
        return body

    def person_there(self):
        """One as it is, or as it was at first."""
        person = self.chance.choice(list(self.model.persons.values())[-20:])
        shown = person[self.chance.choice(("shown", "first"))]
        return {name: value for name, value in shown.items() if name[:8] != "datetime"}

    def traits(self):
        """For persons that are there."""
        return self.chance.choice((self.properties(), {}, None, {"n": None},
                                   {"at": {"page": None, "z": self.chance.randrange(3)}},
                                   {"at": {"page": {"a": {"b": None}}}, "tags": 7}))

    def an_event(self, person=None):
        event = {"event_type": self.chance.choice(TYPES)}
        if person or not self.one_in(3):
            event["person_id"] = person or self.person_id()
        if "person_id" not in event or self.one_in(60):
            event["anonymous_id"] = self.anonymous_id()
        if self.one_in(30):
            event[self.chance.choice(("person_id", "anonymous_id"))] = None
        if self.one_in(2):
            event["id"] = self.uuid()
        if self.one_in(3):
            event["datetime_created"] = self.chance.choice(TIMES)
        if self.one_in(2):
            event["properties"] = self.properties() if not self.one_in(5) else {}
        return event

    def event_there(self, person=None):
        """One that is there already, as it was read; or nearly so."""
        there = [id for id, event in self.model.events.items()
                 if person in (None, self.model.person_of(event))]
        if not there:
            return dict(self.an_event(person), id=self.uuid())
        event = self.model.event(self.chance.choice(there[-20:]))
        if not person and "anonymous_id" in event and not self.one_in(10):
            del event["person_id"]
        if self.one_in(2):
            del event["datetime_created"]
        if self.one_in(4):
            event["event_type"] = "other"
        return event

    def an_alias(self):
        alias = {"anonymous_id": self.anonymous_id()}
        if self.one_in(2) or self.one_in(20):
            alias["person_id"] = self.person_id()
        if "person_id" not in alias or self.one_in(20):
            alias["external_id"] = self.external_id()
        return alias

    def keyed(self, request):
        if self.one_in(3):
            key = "" if self.one_in(40) else self.uuid()
            request.headers["Idempotency-Key"] = key
            self.sent.append(request)
        return request

    def if_match(self, id):
        """A condition, half of the times: what holds, what held, or what never did."""
        person = self.model.persons.get(id.lower())
        event = self.model.events.get(id.lower())
        if self.one_in(2) or not (person or event):
            return {}
        now = person["version"] if person else event["sequence"]
        tags = [f'"{now}"', f'"{now}"', f'"{now - 1}"', "*", f'"x", "{now}-{HASH}"',
                f'"{now}-0af3"', f'W/"{now}"', "7"]
        tags += [tag for tag, shown in self.model.tags.items() if shown["id"] == id]
        return {"If-Match": self.chance.choice(tags)}

    def condition(self, id):
        """The same of what may have to be new."""
        headers = self.if_match(id)
        if self.one_in(8):
            headers["If-None-Match"] = self.chance.choice(("*", f'"1-{HASH}"'))
        return headers

    def by(self, external_id):
        return "/persons/by/external_id/" + quote(external_id or "x", safe="")
