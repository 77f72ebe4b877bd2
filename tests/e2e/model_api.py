"""What Daybook must answer to a request, and append to its log, as the model has it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import model_bodies as bodies
from model import Model, contains, same, same_event
from model_bodies import Refused, Wrong

OK = "The request was successful"
NEW = object()  # in a draft's data: the subject of the command's first record


@dataclass
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    body: Optional[bytes] = None
    headers: dict = field(default_factory=dict)

    def value(self):
        """What the body says."""
        if self.headers.get("Content-Type") != "application/json":
            raise Refused(415)
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused(400) from None


@dataclass
class Draft:
    """A record to be appended; subject None: the server makes its id."""
    type: str
    subject: Optional[str]
    data: dict


@dataclass
class Expected:
    """The status, what is appended, and from the records that were: data and headers. A
    header that is None must not be there."""
    status: int
    drafts: list = field(default_factory=list)
    data: Callable[[list], Any] = lambda made: None
    headers: Callable[[list], dict] = lambda made: {}
    details: Optional[str] = OK   # None: some other words
    fields: list = field(default_factory=list)  # that errors name
    key: Optional[tuple] = None   # this answer is the key's from now on
    replay: Any = None            # the Answer that comes again


def recorded(event):
    """A draft of what model_bodies.event() has read."""
    data = {name: event[name] for name in ("person_id", "event_type", "properties",
                                           "datetime_created") if name in event}
    return Draft("event.recorded", event.get("id"), data)


def number(least, most):
    def read(text):
        if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
            raise Wrong
        return int(text)
    return read


PAGE = {"after": number(0, 2 ** 63 - 1), "limit": number(1, 10000)}


def events_limit(query):
    return 100 if query["events_limit"] is None else query["events_limit"]


def matches(event, query):
    """Whether GET /events with this query shows it."""
    wanted, made = query["properties"], event["datetime_created"]
    return query["person_id"] in (None, event["person_id"]) \
        and query["keyword"] in (None, event["event_type"]) \
        and (query["since"] is None or made >= query["since"]) \
        and (query["until"] is None or made < query["until"]) \
        and (wanted is None or contains(event.get("properties"), wanted))


class Api:
    def __init__(self, model: Model):
        self.model = model

    def expect(self, rq):
        try:
            return self._route(rq)
        except Refused as refused:
            return Expected(refused.status, details=None, fields=refused.fields)

    def _route(self, rq):
        method = "GET" if rq.method == "HEAD" else rq.method
        what, *rest = rq.path.strip("/").split("/")
        if rest == ["batch"]:
            return self._keyed(rq, self._batch)
        name = f"_{method.lower()}_{what}" + ("_at" if rest else "")
        if rest and what != "log" and not bodies.UUID.fullmatch(rest[0]):
            raise Refused(400)
        if not hasattr(self, name):
            raise Refused(405)
        return getattr(self, name)(rq, *(one.lower() for one in rest))

    # What writes have in common.

    def _keyed(self, rq, handle):
        """The body is looked at first: what is wrong in itself uses up no key."""
        answer, key = handle(rq), rq.headers.get("Idempotency-Key")
        if key is None:
            return answer()
        if not 1 <= len(key) <= 255:
            raise Refused(400)
        asked = rq.method, rq.path, rq.body
        if key in self.model.keys:
            before, first = self.model.keys[key]
            if before != asked:
                raise Refused(422)
            return Expected(first.status, replay=first)
        expected = answer()
        if expected.drafts:
            expected.key = key, asked
        return expected

    def _person(self, id):
        person = self.model.live_person(id)
        if not person:
            raise Refused(404)
        return person

    def _if_match(self, rq, version):
        tags = rq.headers.get("If-Match", "*")
        if tags == "*":
            return
        if not re.fullmatch(r'(W/)?"[^"]*"(, *(W/)?"[^"]*")*', tags):
            raise Refused(400)
        if f'"{version}"' not in [re.sub("-[0-9a-f]+", "", tag)
                                  for tag in re.split(", *", tags)]:
            raise Refused(412)

    def _email_free(self, email, but=None):
        if self.model.owner(email) not in (None, but):
            raise Refused(409)

    # Persons.

    def _post_persons(self, rq):
        return self._keyed(rq, self._new_person)

    def _new_person(self, rq):
        fields = bodies.new_person(rq.value())

        def answer():
            self._email_free(fields["email"])
            return Expected(
                201, [Draft("person.created", None, fields),
                      Draft("event.recorded", None,
                            {"person_id": NEW, "event_type": "signup"})],
                lambda made: self.model.person(made[0]["subject_id"]),
                lambda made: {"Location": "/persons/" + made[0]["subject_id"],
                              "ETag": f'"{made[0]["sequence"]}"',
                              "Daybook-Sequence": made[1]["sequence"]})
        return answer

    def _put_persons_at(self, rq, id):
        return self._update(rq, id, *bodies.put(rq.value(), id))

    def _patch_persons_at(self, rq, id):
        return self._update(rq, id, bodies.patch(rq.value(), id), [])

    def _update(self, rq, id, fields, brought):
        person = self._person(id)
        self._if_match(rq, person["version"])
        drafts = [recorded(event) for event in brought if not self._known(event)]
        changes = {name: value for name, value in fields.items()
                   if person["shown"][name] != value}
        if "email" in changes:
            self._email_free(changes["email"], id)
        if changes:
            drafts.insert(0, Draft("person.updated", id, changes))
        return Expected(
            200, drafts, lambda made: self.model.person(id),
            lambda made: {"ETag": f'"{person["version"]}"', "Daybook-Sequence":
                          made[-1]["sequence"] if made else person["version"]})

    def _delete_persons_at(self, rq, id):
        if rq.body:
            bodies.delete(rq.value(), id=bodies.equal_to(id))
        self._if_match(rq, self._person(id)["version"])
        return self._deleted(Draft("person.deleted", id, {}))

    def _deleted(self, draft):
        return Expected(200, [draft],
                        headers=lambda made: {"Daybook-Sequence": made[0]["sequence"]})

    # Events.

    def _known(self, brought):
        """The event that is there already; None where the id is new."""
        event = self.model.events.get(brought.get("id"))
        if event and (event["deleted"] or not same_event(event["shown"], brought)):
            raise Refused(409)
        return event

    def _post_events(self, rq):
        return self._keyed(rq, lambda rq: self._new_event(bodies.event(rq.value())))

    def _post_events_at(self, rq, id):
        return self._keyed(rq, lambda rq: self._new_event(
            bodies.event_at(rq.value(), id)))

    def _new_event(self, event):
        def answer():
            self._person(event["person_id"])
            known = self._known(event)
            if known:
                return Expected(200, [], lambda made: known["shown"],
                                lambda made: {"ETag": f'"{known["sequence"]}"',
                                              "Daybook-Sequence": known["sequence"],
                                              "Location": None})
            return Expected(
                201, [recorded(event)],
                lambda made: self.model.events[made[0]["subject_id"]]["shown"],
                lambda made: {"Location": "/events/" + made[0]["subject_id"],
                              "ETag": f'"{made[0]["sequence"]}"',
                              "Daybook-Sequence": made[0]["sequence"]})
        return answer

    def _batch(self, rq):
        if rq.method != "POST":
            raise Refused(405)
        items = rq.value()
        if not isinstance(items, list) or not items:
            raise Refused(400)
        return lambda: self._verdicts(items)

    def _verdicts(self, items):
        drafts, verdicts, here = [], [], {}  # here: id -> (event, its place in drafts)
        for index, item in enumerate(items):
            verdict = {"index": index}
            try:
                event = bodies.event(item)
                verdict.update({"id": event["id"]} if "id" in event else {})
                self._person(event["person_id"])
                earlier, place = here.get(event.get("id"), (None, None))
                known = None if earlier else self._known(event)
                if earlier and not same_event(earlier, event):
                    raise Refused(409)
                verdict["status"] = 200 if known or earlier else 201
                if not known and not earlier:
                    place = len(drafts)
                    drafts.append(recorded(event))
                    here.update({event["id"]: (event, place)} if "id" in event else {})
                verdict.update({"sequence": known["sequence"]} if known
                               else {"place": place})
            except Refused as refused:
                verdict.update(status=refused.status, fields=refused.fields)
            verdicts.append(verdict)
        counts = [sum(one["status"] in which for one in verdicts)
                  for which in ((201,), (200,), (400, 404, 409))]
        return Expected(
            200, drafts, lambda made: [self._verdict(one, made) for one in verdicts],
            lambda made: {"Daybook-Sequence": made[-1]["sequence"] if made else None},
            "{} recorded, {} known already, {} refused".format(*counts))

    def _verdict(self, verdict, made):
        shown = dict(verdict)
        if "place" in shown:
            record = made[shown.pop("place")]
            shown.update(id=record["subject_id"], sequence=record["sequence"])
        return shown

    def _delete_events_at(self, rq, id):
        brought = bodies.delete(rq.value(), id=bodies.equal_to(id),
                                person_id=bodies.uuid) if rq.body else {}
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        self._if_match(rq, event["sequence"])
        owner = event["shown"]["person_id"]
        if brought.get("person_id", owner) != owner:
            raise Refused(409)
        return self._deleted(Draft("event.deleted", id, {"person_id": owner}))

    # Reads.

    def _listed(self, rq, rows, cursor, projected=True):
        following = cursor and (rq.path, {**rq.query, "after": str(cursor)})
        headers = {"Link": following, **self._fresh(projected)}
        return Expected(200, [], lambda made: rows, lambda made: headers,
                        OK if rows else None)

    def _fresh(self, projected=True):
        return {"Daybook-Projected-Sequence": self.model.head if projected else None}

    def _read(self, rq, **params):
        """What the query says of these parameters, each with what reads it."""
        strange = set(rq.query) - set(params)
        if strange:
            raise Refused(400, *strange)
        found, wrong = {}, []
        for name, read in params.items():
            try:
                found[name] = read(rq.query[name]) if name in rq.query else None
            except Wrong:
                wrong.append(name)
        if wrong:
            raise Refused(400, *wrong)
        return found

    def _get_persons(self, rq):
        query = self._read(rq, **PAGE, events_limit=number(0, 1000))
        return self._listed(rq, *self.model.list_persons(
            query["after"] or 0, query["limit"] or 1000, events_limit(query)))

    def _get_events(self, rq):
        query = self._read(rq, **PAGE, keyword=str, person_id=bodies.uuid,
                           since=bodies.time, until=bodies.time, properties=json.loads)
        return self._listed(rq, *self.model.list_events(
            query["after"] or 0, query["limit"] or 1000,
            lambda event: matches(event, query)))

    def _get_log(self, rq):
        query = self._read(rq, **PAGE)
        return self._listed(rq, *self.model.list_records(
            query["after"] or 0, query["limit"] or 1000), False)

    def _get_log_at(self, rq, sequence):
        if not 1 <= int(sequence) <= self.model.head:
            raise Refused(404)
        return Expected(200, [], lambda made: self.model.records[int(sequence) - 1])

    def _get_persons_at(self, rq, id):
        limit = events_limit(self._read(rq, events_limit=number(0, 1000)))
        self._person(id)
        shown = self.model.person(id, limit)
        known = self.model.tags.get(rq.headers.get("If-None-Match"))
        return Expected(304 if known and same(known, shown) else 200, [], lambda made: shown,
                        lambda made: self._fresh())

    def _get_events_at(self, rq, id):
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        tag = f'"{event["sequence"]}"'
        return Expected(304 if rq.headers.get("If-None-Match") == tag else 200, [],
                        lambda made: event["shown"],
                        lambda made: {"ETag": tag, **self._fresh()})
