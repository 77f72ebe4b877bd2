"""Requests by chance, about what a model has: right ones, and wrong ones now and then."""

import json
import uuid

from model_exchange import LINES, Request

TIMES = ("2015-09-12T00:46:58.771", "2016-02-29T23:59:59Z", "2020-01-01T00:00:00",
         "2020-01-01T00:00:00.000001", "2026-07-01T12:00:00.5")
TYPES = ("click", "page_edit", "x:y.z-1", "signup", "Order Completed", " $ü,\"\u202e ")
NAMES = ("Zoë", "O'Load", "  李 ", "Ω-Ω", "a" * 100, "\U0001f600")
JSON = "application/json"


class Requests:
    def __init__(self, chance, model):
        self.chance, self.model, self.count = chance, model, 0
        self.kinds = ((self.post_person, 8), (self.put_person, 6), (self.patch_person, 9),
                      (self.delete_person, 2), (self.post_event, 22), (self.batch, 5),
                      (self.delete_event, 6), (self.again, 8), (self.get_person, 9),
                      (self.get_event, 9), (self.list_persons, 5), (self.list_events, 10),
                      (self.log, 5), (self.wrong_route, 1))
        self.sent = []  # POSTs that carried a key

    def next(self):
        self.count += 1
        kinds, weights = zip(*self.kinds)
        request = self.chance.choices(kinds, weights)[0]()
        if request.method == "GET" and self.one_in(12):
            request.method = "HEAD"
        request.headers["X-Request-Id"] = f"step-{self.count}"
        return request

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
        live = [event["shown"]["id"] for event in self.model.live_events()]
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
            return taken["shown"]["email"].swapcase()
        return f"p{self.count}.{self.chance.randrange(100)}@model.test"

    def fields(self):
        return {"email": self.email(), "first_name": self.chance.choice(NAMES),
                "last_name": self.chance.choice(NAMES),
                "role": self.chance.choice(("user", "admin"))}

    def properties(self):
        return {"n": self.chance.randrange(4), "tags": [self.chance.randrange(3), "a"],
                "at": {"page": self.chance.choice((None, True, 0.5, "\u2028é\\"))}}

    def an_event(self, person=None):
        event = {"event_type": self.chance.choice(TYPES),
                 "person_id": person or self.person_id()}
        if self.one_in(2):
            event["id"] = self.uuid()
        if self.one_in(3):
            event["datetime_created"] = self.chance.choice(TIMES)
        if self.one_in(2):
            event["properties"] = self.properties() if not self.one_in(5) else {}
        return event

    def event_there(self, person=None):
        """One that is there already, as it was read; or nearly so."""
        there = [event["shown"] for event in self.model.events.values()
                 if person in (None, event["shown"]["person_id"])]
        if not there:
            return dict(self.an_event(person), id=self.uuid())
        event = dict(self.chance.choice(there[-20:]))
        if self.one_in(2):
            del event["datetime_created"]
        if self.one_in(4):
            event["event_type"] = "other"
        return event

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
        tags = [f'"{now}"', f'"{now}"', f'"{now - 1}"', "*", f'"x", "{now}-0af3"',
                f'W/"{now}"', "7"]
        tags += [tag for tag, shown in self.model.tags.items() if shown["id"] == id]
        return {"If-Match": self.chance.choice(tags)}

    # Writes.

    def post_person(self):
        body = self.fields()
        if self.one_in(3):
            del body["role"]
        return self.keyed(self.request("POST", "/persons", self.spoiled(body)))

    def put_person(self):
        id = self.person_id()
        body = self.fields()
        if self.model.live_person(id) and self.one_in(2):
            body = dict(self.model.person(id, 5))  # as it was read
            if self.one_in(2):
                body["last_name"] = self.chance.choice(NAMES)
        elif self.one_in(2):
            body["events"] = [self.event_there(id) if self.one_in(4)
                              else dict(self.an_event(id), id=self.uuid())
                              for _ in range(self.chance.randrange(4))]
            body["events"] = list({one["id"]: one for one in body["events"]}.values())
        if self.one_in(3):
            body["id"] = id if not self.one_in(5) else self.uuid()
        return self.request("PUT", "/persons/" + id, self.spoiled(body),
                            self.if_match(id))

    def patch_person(self):
        id, fields = self.person_id(), self.fields()
        body = {name: value for name, value in fields.items() if self.one_in(3)}
        return self.request("PATCH", "/persons/" + id,
                            self.spoiled(body) if body else body, self.if_match(id))

    def lines(self, items):
        lines = [json.dumps(item) for item in items]
        lines += ["", "{", " "][:self.chance.randrange(4)]
        return Request("POST", "/events/batch", {}, "\n".join(lines).encode(),
                       {"Content-Type": LINES})

    def delete_person(self):
        return self.deletion("/persons/", self.person_id(), {})

    def delete_event(self):
        id = self.event_id()
        event, body = self.model.events.get(id), {}
        if event and self.one_in(3):
            body["person_id"] = event["shown"]["person_id"] if not self.one_in(4) \
                else self.person_id()
        return self.deletion("/events/", id, body)

    def deletion(self, path, id, body):
        if self.one_in(4):
            body["id"] = id if not self.one_in(4) else self.uuid()
        if body:
            return self.request("DELETE", path + id, body, self.if_match(id))
        return Request("DELETE", path + id, headers=self.if_match(id))

    def post_event(self):
        event = self.event_there() if self.one_in(8) else self.an_event()
        if self.one_in(6):
            id = event.pop("id", None) or self.uuid()
            event.update({"id": id} if self.one_in(3) else {})
            path = "/events/" + id
        else:
            path = "/events"
        return self.keyed(self.request("POST", path, self.spoiled(event)))

    def batch(self):
        items = [self.spoiled(self.event_there() if self.one_in(6) else self.an_event())
                 for _ in range(self.chance.randrange(1, 12))]
        if self.one_in(3):
            items.append(self.chance.choice(items))
        if self.one_in(8):
            items = [7, {"event_type": "no\tperson"}]
        if self.one_in(3):
            return self.keyed(self.lines(items))
        return self.keyed(self.request("POST", "/events/batch", items))

    def again(self):
        """A key that was used: with what it was used for, or with something else."""
        if not self.sent:
            return self.post_person()
        old = self.chance.choice(self.sent)
        request = old if not self.one_in(4) else self.chance.choice(
            (self.post_person, self.post_event, self.batch))()
        return Request(request.method, request.path, {}, request.body, {
            **request.headers, "Idempotency-Key": old.headers["Idempotency-Key"]})

    # Reads.

    def get_person(self):
        id = self.person_id()
        query = {"events_limit": str(self.chance.choice((0, 1, 3, 1000, 1001)))} \
            if self.one_in(3) else {}
        tags = [tag for tag, shown in self.model.tags.items() if shown["id"] == id]
        headers = {"If-None-Match": self.chance.choice(tags[-3:])} \
            if tags and self.one_in(2) else {}
        return Request("GET", "/persons/" + id, query, headers=headers)

    def get_event(self):
        id = self.event_id()
        event = self.model.events.get(id)
        headers = {"If-None-Match": f'"{event["sequence"] - self.chance.randrange(2)}"'} \
            if event and self.one_in(3) else {}
        return Request("GET", "/events/" + id, headers=headers)

    def page(self):
        query = {}
        if self.one_in(2):
            query["limit"] = str(self.chance.choice((1, 2, 7, 50, 10000)))
        if self.one_in(3):
            query["after"] = str(self.chance.randrange(self.model.head + 3))
        if self.one_in(40):
            query.update(self.chance.choice((
                {"limit": "0"}, {"limit": "10001"}, {"after": "x"}, {"page": "2"})))
        return query

    def list_of(self):
        query = self.page()
        if self.one_in(2):
            query["order"] = self.chance.choice(("asc", "desc", "desc", "desc"))
        if self.one_in(5) and self.model.persons:
            some = self.chance.choice(list(self.model.persons.values()))["shown"]["email"]
            query["email"] = self.chance.choice((some, some.upper(), "nobody@model.test"))
        if self.one_in(40):
            query.update(self.chance.choice(({"order": "up"}, {"email": "nobody"})))
        return query

    def list_persons(self):
        query = self.list_of()
        if self.one_in(2):
            query["events_limit"] = str(self.chance.choice((0, 1, 5)))
        return Request("GET", "/persons", query)

    def list_events(self):
        query, times = self.list_of(), TIMES + ("2026-02-30T00:00:00",)
        if self.model.events:
            some = self.chance.choice(list(self.model.events.values()))["shown"]
            times += (some["datetime_created"],) * 4
        for name, values in (("keyword", TYPES), ("person_id", (self.person_id(),)),
                             ("since", times), ("until", times)):
            if self.one_in(4):
                query[name] = self.chance.choice(values)
        if self.one_in(4):
            query["properties"] = json.dumps(self.chance.choice((
                {"n": 2}, {"tags": [1]}, {"tags": ["a", 0], "n": 1}, {"at": {"page": True}},
                {"at": {}}, {"n": True}, {})))
        return Request("GET", "/events", query)

    def log(self):
        if self.one_in(2):
            return Request("GET", "/log", self.page())
        return Request("GET", f"/log/{self.chance.randrange(1, self.model.head + 3)}")

    def wrong_route(self):
        return self.chance.choice((
            Request("DELETE", "/persons"), Request("DELETE", "/events"),
            Request("POST", "/persons/" + self.person_id()),
            Request("PUT", "/events/" + self.event_id()), Request("GET", "/persons/7"),
            Request("GET", "/events/batch"), Request("DELETE", "/log")))
