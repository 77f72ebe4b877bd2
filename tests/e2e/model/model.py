"""A small model of what Daybook keeps: the records, and what follows from them. Written
from the contract, not from the program; nothing here is fast."""

import json
import re

from fold import event_of, person_of

FIELDS = ("email", "first_name", "last_name", "role")


class Model:
    def __init__(self):
        self.records = []
        self.persons = {}   # id -> as shown without events, and version, created, deleted
        self.events = {}    # id -> shown, sequence, deleted
        self.keys = {}      # Idempotency-Key -> (what was asked, its answer)
        self.tags = {}      # ETag of a person that was read -> what was shown

    @property
    def head(self):
        return len(self.records)

    def append(self, record):
        self.records.append(record)
        kind, id = record["type"], record["subject_id"]
        if kind == "person.created":
            self.persons[id] = {"shown": person_of(record), "version": record["sequence"],
                                "created": record["sequence"], "deleted": False}
        elif kind == "person.updated":
            self.persons[id]["version"] = record["sequence"]
            self.persons[id]["shown"].update(record["data"],
                                             datetime_modified=record["recorded_at"])
        elif kind == "person.deleted":
            self.persons[id]["deleted"] = True
        elif kind == "event.recorded":
            self.events[id] = {"shown": event_of(record), "sequence": record["sequence"],
                               "deleted": False}
        elif kind == "event.deleted":
            self.events[id]["deleted"] = True
        else:
            raise ValueError(f"what becomes of {kind}?")

    def live_person(self, id):
        person = self.persons.get(id)
        return person if person and not person["deleted"] else None

    def live_event(self, id):
        event = self.events.get(id)
        if not event or event["deleted"]:
            return None
        return event if self.live_person(event["shown"]["person_id"]) else None

    def owner(self, email):
        """The id of the person who has it, in whatever case."""
        for id, person in self.persons.items():
            if not person["deleted"] and \
                    person["shown"]["email"].lower() == email.lower():
                return id
        return None

    def live_persons(self):
        return [id for id in self.persons if self.live_person(id)]

    def live_events(self):
        return [event for id, event in self.events.items() if self.live_event(id)]

    def person(self, id, events_limit=100):
        """As the API shows it."""
        of_person = [event for event in self.live_events()
                     if event["shown"]["person_id"] == id]
        events = of_person[max(len(of_person) - events_limit, 0):]
        shown = dict(self.persons[id]["shown"], events=[each["shown"] for each in events])
        if events and len(events) < len(of_person):
            shown.update(events_total=len(of_person),
                         events_next=f"/events?person_id={id}&order=desc"
                                     f"&after={events[0]['sequence']}")
        return shown

    def list_persons(self, page, events_limit, matches):
        """(rows, the cursor of the next page or None)"""
        rows = [(self.persons[id]["created"], id) for id in self.live_persons()
                if matches(id)]
        shown, cursor = _page(rows, **page)
        return [self.person(id, events_limit) for id in shown], cursor

    def list_events(self, page, matches):
        rows = [(event["sequence"], event["shown"]) for event in self.live_events()
                if matches(event["shown"])]
        return _page(rows, **page)

    def list_records(self, after, limit):
        return _page([(record["sequence"], record) for record in self.records], after,
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
    """Whether an event that is brought again is the one there; its time may be left out.
    """
    return same({**shown, **brought}, shown) and \
        ("properties" in shown) == ("properties" in brought)


def time_of(text):
    """A timestamp as it is shown: UTC, six digits. None where it is none. The forms here
    are those the generator writes."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?", text)
    if not found or found[1][5:10] == "02-30":
        return None
    return f"{found[1]}.{(found[2] or '').ljust(6, '0')}"
