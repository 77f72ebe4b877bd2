"""Requests by chance, about what a model has."""

import json
from urllib.parse import quote

from model_exchange import LINES, Request
from model_request_bodies import NAMES, TIMES, TYPES, Bodies


class Requests(Bodies):
    def __init__(self, chance, model):
        super().__init__(chance, model)
        self.kinds = ((self.post_person, 8), (self.put_person, 5), (self.patch_person, 9),
                      (self.put_by, 6), (self.post_alias, 7), (self.delete_alias, 4),
                      (self.delete_person, 3), (self.restriction, 5),
                      (self.post_event, 22), (self.batch, 6),
                      (self.delete_event, 6), (self.again, 8), (self.get_person, 9),
                      (self.get_event, 9), (self.get_aliases, 3), (self.list_persons, 5),
                      (self.list_events, 10), (self.log, 5), (self.wrong_route, 1))

    def next(self):
        self.count += 1
        kinds, weights = zip(*self.kinds)
        kind = self.chance.choices(kinds, weights)[0]
        request = kind()
        if request.method == "GET" and kind != self.wrong_route:
            request.admin = not self.one_in(3)
        if request.method == "GET" and self.one_in(12):
            request.method = "HEAD"
        request.headers["X-Request-Id"] = f"step-{self.count}"
        return request

    # Writes.

    def post_person(self):
        return self.keyed(self.request("POST", "/persons", self.spoiled(self.new_person())))

    def a_put(self, id):
        """A body for a person, who need not be there."""
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
        if self.one_in(4):
            body["external_id"] = self.external_id() if self.one_in(2) else None
        if self.one_in(3):
            body["properties"] = self.traits()
        if self.one_in(3):
            body["id"] = id if not self.one_in(5) else self.uuid()
        for name in ("email", "first_name", "last_name"):
            if self.one_in(12):
                body[name] = None
            elif self.one_in(12):
                body.pop(name, None)
        return body

    def put_person(self):
        id = self.person_id()
        return self.request("PUT", "/persons/" + id, self.spoiled(self.a_put(id)),
                            self.condition(id))

    def put_by(self):
        external_id = self.external_id() or "x"
        id = self.model.owner_of_external(external_id)
        body = self.a_put(id or self.uuid())
        if not id and not self.one_in(20):
            body.pop("events", None)
        if "external_id" in body and not self.one_in(10):
            body["external_id"] = external_id
        if self.one_in(3):
            body["anonymous_id"] = self.anonymous_id() if not self.one_in(4) else None
        if self.one_in(3):
            body.pop("role", None)
        headers = self.condition(id or "") if self.one_in(3) else {}
        return self.request("PUT", self.by(external_id), self.spoiled(body), headers)

    def patch_person(self):
        id = self.person_id()
        fields = {**self.fields(), "external_id": self.external_id()}
        body = self.some(fields) if self.one_in(2) else \
            {name: value for name, value in fields.items() if self.one_in(3)}
        if self.one_in(2):
            body["properties"] = self.traits()
        path = "/persons/" + id
        if self.one_in(4):
            external_id = self.external_id()
            path, id = self.by(external_id), self.model.owner_of_external(external_id) or ""
        return self.request("PATCH", path, self.spoiled(body) if body else body,
                            self.condition(id))

    def post_alias(self):
        id = self.person_id()
        body = {"anonymous_id": self.anonymous_id()}
        if self.one_in(3):
            external_id = self.external_id() or "x"
            if self.one_in(6):
                body["external_id"] = external_id if not self.one_in(3) else "y"
            return self.keyed(self.request("POST", self.by(external_id) + "/aliases",
                                           self.spoiled(body)))
        if self.one_in(8):
            body["person_id"] = id if not self.one_in(3) else self.uuid()
        return self.keyed(self.request("POST", f"/persons/{id}/aliases",
                                       self.spoiled(body)))

    def delete_alias(self):
        anonymous_id = self.anonymous_id() or "x"
        id = self.model.aliases.get(anonymous_id, (self.person_id(),))[0]
        if self.one_in(8):
            id = self.person_id()
        whose = "/persons/" + id
        if self.one_in(3):
            person = self.model.live_person(id)
            whose = self.by(person and person["shown"].get("external_id"))
        return Request("DELETE", f"{whose}/aliases/{quote(anonymous_id, safe='')}")

    def lines(self, items):
        lines = [json.dumps(item) for item in items]
        lines += ["", "{", " "][:self.chance.randrange(4)]
        return Request("POST", "/events/batch", {}, "\n".join(lines).encode(),
                       {"Content-Type": LINES})

    def delete_person(self):
        if self.one_in(5):
            return Request("DELETE", self.by(self.external_id()))
        return self.deletion("/persons/", self.person_id(), {})

    def delete_event(self):
        id = self.event_id()
        event, body = self.model.events.get(id), {}
        if event and self.one_in(3):
            body["person_id"] = self.model.person_of(event) or self.uuid() \
                if not self.one_in(4) else self.person_id()
        return self.deletion("/events/", id, body)

    def deletion(self, path, id, body):
        if self.one_in(4):
            body["id"] = id if not self.one_in(4) else self.uuid()
        if body:
            return self.request("DELETE", path + id, body, self.if_match(id))
        return Request("DELETE", path + id, headers=self.if_match(id))

    def restriction(self):
        """Rather of those who are not, that are to be; or who are, that it ends."""
        id, whose = self.person_id(), list(self.model.restricted)
        method = self.chance.choice(("POST", "POST", "DELETE", "GET"))
        if whose and method != "POST" and not self.one_in(4):
            id = self.among(whose)
        request = Request(method, f"/persons/{id}/restriction")
        return self.keyed(request) if method == "POST" else request

    def post_event(self):
        event = self.event_there() if self.one_in(8) else self.an_event()
        if self.one_in(6):
            id = event.pop("id", None) or self.uuid()
            event.update({"id": id} if self.one_in(3) else {})
            path = "/events/" + id
        else:
            path = "/events"
        return self.keyed(self.request("POST", path, self.spoiled(event)))

    def item(self):
        """An event as it is, or in an object that says what it is."""
        event = self.event_there() if self.one_in(6) else self.an_event()
        return self.chance.choice((
            lambda: self.spoiled(event), lambda: self.spoiled(event),
            lambda: {"event": self.spoiled(event)},
            lambda: {"person": self.spoiled(self.new_person())},
            lambda: {"alias": self.spoiled(self.an_alias())}))()

    def batch(self):
        items = [self.item() for _ in range(self.chance.randrange(1, 12))]
        if self.one_in(3):
            items.append(self.chance.choice(items))
        if self.one_in(8):
            items = [7, {"event_type": "no\tperson"}, {"person": 7}, {"alias": {}}]
        if self.one_in(3):
            return self.keyed(self.lines(items))
        body = items
        if self.one_in(3):
            body = self.spoiled({"context": self.traits() or {}, "items": items})
        return self.keyed(self.request("POST", "/events/batch", body))

    def again(self):
        """A key that was used: with what it was used for, or with something else."""
        if not self.sent:
            return self.post_person()
        old = self.chance.choice(self.sent)
        request = old if not self.one_in(4) else self.chance.choice(
            (self.post_person, self.post_event, self.batch, self.post_alias))()
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
        path = "/persons/" + id
        if self.one_in(4):
            path = self.by(self.external_id())
        return Request("GET", path, query, headers=headers)

    def get_aliases(self):
        if self.one_in(3):
            return Request("GET", self.by(self.external_id()) + "/aliases")
        return Request("GET", f"/persons/{self.person_id()}/aliases")

    def get_event(self):
        id = self.event_id()
        event, headers = self.model.events.get(id), {}
        tags = [tag for tag, shown in self.model.tags.items() if shown["id"] == id]
        if tags and self.one_in(2):
            headers = {"If-None-Match": self.chance.choice(tags)}
        elif event and self.one_in(3):
            headers = {"If-None-Match": f'"{event["sequence"] - self.chance.randrange(2)}"'}
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
            some = some or "nobody@model.test"
            query["email"] = self.chance.choice((some, some.upper(), "nobody@model.test"))
        if self.one_in(8):
            query["external_id"] = self.external_id() or "x"
        if self.one_in(40):
            query.update(self.chance.choice(({"order": "up"}, {"email": "nobody"})))
        return query

    def contained(self):
        return json.dumps(self.chance.choice((
            {"n": 2}, {"tags": [1]}, {"tags": ["a", 0], "n": 1}, {"at": {"page": True}},
            {"at": {}}, {"n": True}, {})))

    def list_persons(self):
        query = self.list_of()
        if self.one_in(2):
            query["events_limit"] = str(self.chance.choice((0, 1, 5)))
        if self.one_in(4):
            query["properties"] = self.contained()
        if self.one_in(10):
            query["anonymous_id"] = self.anonymous_id() or "x"
        return Request("GET", "/persons", query)

    def list_events(self):
        query, times = self.list_of(), TIMES + ("2026-02-30T00:00:00",)
        if self.model.events:
            some = self.chance.choice(list(self.model.events.values()))["shown"]
            times += (some["datetime_created"],) * 4
            if "anonymous_id" in some and self.one_in(3):
                query["anonymous_id"] = some["anonymous_id"]
        for name, values in (("keyword", TYPES), ("person_id", (self.person_id(),)),
                             ("since", times), ("until", times)):
            if self.one_in(4):
                query[name] = self.chance.choice(values)
        if self.one_in(4):
            query["properties"] = self.contained()
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
