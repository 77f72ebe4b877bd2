"""A small model of what Daybook keeps: the records, and what follows from them. Written
from the contract, not from the program; nothing here is fast."""

import json
import re

from fold import change, event_of, person_of

TEXTS = ("email", "first_name", "last_name")
FIELDS = (*TEXTS, "role")


class Model:
    """What append() takes over is never changed afterwards: others hold it, too."""

    def __init__(self):
        self.records = []
        self.persons = {}   # id -> as shown without events, and version, created, deleted
        self.events = {}    # id -> as recorded, sequence, deleted (or gone with a person)
        self.aliases = {}   # anonymous id -> (person's id, sequence)
        self.restricted = {}  # person's id, also of one who was deleted -> sequence
        self.keys = {}      # Idempotency-Key -> (what was asked, its answer, whether that is loose)
        self.tags = {}      # ETag of a person or event that was read -> what was shown

    def copy(self):
        """One that can be appended to besides; without keys and tags."""
        other = Model()
        for name in "records", "persons", "events", "aliases", "restricted":
            setattr(other, name, getattr(self, name).copy())
        return other

    @property
    def head(self):
        return len(self.records)

    def append(self, record):
        self.records.append(record)
        kind, id, sequence = record["type"], record["subject_id"], record["sequence"]
        if kind == "person.created":
            shown = person_of(record)
            self.persons[id] = {"shown": shown, "version": sequence, "created": sequence,
                                "first": shown, "deleted": False}
        elif kind == "person.updated":
            shown = dict(self.persons[id]["shown"])
            change(shown, dict(record["data"], datetime_modified=record["recorded_at"]))
            self.persons[id] = {**self.persons[id], "version": sequence, "shown": shown}
        elif kind in ("person.deleted", "person.erased"):
            self._delete_person(id)
        elif kind == "event.recorded":
            self.events[id] = {"shown": event_of(record), "sequence": sequence,
                               "deleted": False, "gone": False}
        elif kind == "event.deleted":
            self.events[id] = {**self.events[id], "deleted": True}
        elif kind == "events.expired":
            for event_id, event in self.events.items():
                if event["sequence"] <= record["data"]["through"]:
                    self.events[event_id] = {**event, "gone": True}
        elif kind == "person.aliased":
            self.aliases[record["data"]["anonymous_id"]] = id, sequence
        elif kind == "person.unaliased":
            del self.aliases[record["data"]["anonymous_id"]]
        elif kind == "person.restricted":
            self.restricted[id] = sequence
        elif kind == "person.unrestricted":
            del self.restricted[id]
        elif kind != "log.resealed":
            raise ValueError(f"what becomes of {kind}?")

    def _delete_person(self, id):
        """With its events, and with its aliases and their events until now."""
        for event_id, event in self.events.items():
            if self.person_of(event) == id:
                self.events[event_id] = {**event, "gone": True}
        self.aliases = {name: alias for name, alias in self.aliases.items()
                        if alias[0] != id}
        self.persons[id] = {**self.persons[id], "deleted": True}

    def live_person(self, id):
        person = self.persons.get(id)
        return person if person and not person["deleted"] else None

    def person_of(self, event):
        """The id of whom it is now; None: nobody's."""
        if "anonymous_id" in event["shown"]:
            return self.aliases.get(event["shown"]["anonymous_id"], (None,))[0]
        return event["shown"]["person_id"]

    def event(self, id):
        """As the API shows it."""
        event = self.events[id]
        return dict(event["shown"], person_id=self.person_of(event))

    def live_event(self, id):
        event = self.events.get(id)
        return event if event and not event["deleted"] and not event["gone"] else None

    def owner(self, email):
        """The id of the person who has it, in whatever case."""
        return self._who(lambda shown: (shown["email"] or "").lower() == email.lower())

    def owner_of_external(self, external_id):
        return self._who(lambda shown: shown.get("external_id") == external_id)

    def _who(self, has):
        for id, person in self.persons.items():
            if not person["deleted"] and has(person["shown"]):
                return id
        return None

    def aliases_of(self, id):
        """(anonymous id, sequence) each, in the order of their records."""
        return sorted(((name, sequence) for name, (owner, sequence) in self.aliases.items()
                       if owner == id), key=lambda alias: alias[1])

    def is_known(self, id):
        """By something else than e-mail and names."""
        return "external_id" in self.persons[id]["shown"] or bool(self.aliases_of(id))

    def live_persons(self):
        return [id for id in self.persons if self.live_person(id)]

    def live_events(self):
        return [(id, event) for id, event in self.events.items() if self.live_event(id)]

    def person(self, id, events_limit=100):
        """As the API shows it."""
        of_person = [(event_id, event) for event_id, event in self.live_events()
                     if self.person_of(event) == id]
        events = of_person[max(len(of_person) - events_limit, 0):]
        shown = dict(self.persons[id]["shown"],
                     events=[self.event(event_id) for event_id, _ in events])
        if events and len(events) < len(of_person):
            shown.update(events_total=len(of_person),
                         events_next=f"/events?person_id={id}&order=desc"
                                     f"&after={events[0][1]['sequence']}")
        return shown

    def shown_record(self, record):
        """As who is not to see who is restricted gets it. Whose an event with an anonymous id
        was, where that went with somebody, nobody knows."""
        data, kind = record["data"], record["type"]
        whose = record["subject_id"] if kind.startswith("person.") else data.get("person_id")
        hidden = whose in self.restricted
        if "anonymous_id" in data and kind == "event.recorded":
            event = self.events[record["subject_id"]]
            hidden = hidden or event["gone"] or self.person_of(event) in self.restricted
        if not self.restricted or not hidden or not self.is_sealed(kind):
            return record
        left = {"person_id": data["person_id"]} if kind == "event.recorded" else {}
        return {**record, "data": {**left, "restricted": True}}

    @staticmethod
    def is_sealed(kind):
        """Whether records of this type say something of somebody."""
        return kind in ("person.created", "person.updated", "person.aliased",
                        "person.unaliased", "event.recorded")

    def list_persons(self, page, events_limit, matches):
        """(rows, the cursor of the next page or None)"""
        rows = [(self.persons[id]["created"], id) for id in self.live_persons()
                if matches(id)]
        shown, cursor = _page(rows, **page)
        return [self.person(id, events_limit) for id in shown], cursor

    def list_events(self, page, matches):
        rows = [(event["sequence"], self.event(id)) for id, event in self.live_events()]
        rows = [row for row in rows if matches(row[1])]
        return _page(rows, **page)

    def list_records(self, after, limit, shown=lambda record: record):
        return _page([(record["sequence"], shown(record)) for record in self.records], after,
                     limit)


def _page(rows, after, limit, order="asc"):
    """Of rows (cursor, what is shown) in the order of their cursors."""
    if order == "desc":
        behind = [row for row in rows[::-1] if after == 0 or row[0] < after]
    else:
        behind = [row for row in rows if row[0] > after]
    page = behind[:limit]
    cursor = page[-1][0] if len(behind) > limit else None
    return [shown for _, shown in page], cursor


def same(one, other):
    """Equal as JSON: in Python 1 == True."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def contains(value, wanted):
    """As jsonb's @> does: objects and arrays contain their parts, whatever the order."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and contains(value[name], part) for name, part in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(
            any(contains(one, part) for one in value) for part in wanted)
    return same(value, wanted)


def same_event(shown, brought):
    """Whether an event that is brought again is the one there; its time may be left out,
    and of an anonymous one it does not matter whose it is by now."""
    if "anonymous_id" in shown or "anonymous_id" in brought:
        shown, brought = ({**event, "person_id": None} for event in (shown, brought))
    return same({**shown, **brought}, shown) and \
        all((name in shown) == (name in brought) for name in ("properties", "anonymous_id"))


def time_of(text):
    """A timestamp as it is shown: UTC, six digits. None where it is none. The forms here
    are those the generator writes."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?", text)
    if not found or found[1][5:10] == "02-30":
        return None
    return f"{found[1]}.{(found[2] or '').ljust(6, '0')}"


def merged(current, patch):
    """As RFC 7396 says."""
    found = dict(current)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            inner = found.get(name)
            found[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            found[name] = value
    return found


def merged_under(context, properties):
    """What is there stays, also where it is null."""
    found = {**context, **properties}
    for name, value in properties.items():
        if isinstance(value, dict) and isinstance(context.get(name), dict):
            found[name] = merged_under(context[name], value)
    return found
