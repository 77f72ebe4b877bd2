"""Which bodies the contract takes, and what they say; for the model of the whole."""

import re

from model import FIELDS, time_of

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(\.{LABEL})*")
EVENT_TYPE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}")


class Refused(Exception):
    """status, and the fields that the answer's errors name."""

    def __init__(self, status, *fields):
        super().__init__(status)
        self.status, self.fields = status, sorted(fields)


class Wrong(Exception):
    """A value that its field does not take."""


def text(pattern):
    def read(value):
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Wrong
        return value
    return read


def name(value):
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 100 \
            or re.search(r"[\x00-\x1f\x7f]", value.strip()):
        raise Wrong
    return value.strip()


def role(value):
    if value not in ("user", "admin"):
        raise Wrong
    return value


def uuid(value):
    return text(UUID)(value).lower()


def time(value):
    found = time_of(value) if isinstance(value, str) else None
    if not found:
        raise Wrong
    return found


def properties(value):
    if not isinstance(value, dict):
        raise Wrong
    return value


def equal_to(id):
    def read(value):
        if uuid(value) != id:
            raise Wrong
        return id
    return read


PERSON = {"email": text(EMAIL), "first_name": name, "last_name": name, "role": role}
EVENT = {"event_type": text(EVENT_TYPE), "person_id": uuid, "id": uuid,
         "datetime_created": time, "properties": properties}
TIMES = {"datetime_created": time, "datetime_modified": time}
CUT = {"events_total": lambda value: value, "events_next": lambda value: value}  # ignored


def read(body, fields, required):
    """{name: value} of a body; a field that is not among these is refused."""
    if not isinstance(body, dict):
        raise Refused(400)
    found, wrong = {}, [name for name in required if name not in body]
    for name, value in body.items():
        try:
            if name not in fields:
                raise Wrong
            found[name] = fields[name](value)
        except Wrong:
            wrong.append(name)
    if wrong:
        raise Refused(400, *wrong)
    return found


def new_person(body):
    return {"role": "user", **read(body, PERSON, FIELDS[:3])}


def event(body, fields=EVENT, required=("event_type", "person_id")):
    """properties are there only where there are some."""
    found = read(body, fields, required)
    if not found.get("properties"):
        found.pop("properties", None)
    return found


def event_at(body, id):
    return dict(event(body, {**EVENT, "id": equal_to(id)}), id=id)


def put(body, id):
    """(the four fields, events)"""
    def events(value):
        if not isinstance(value, list):
            raise Wrong
        return value
    found = read(body, {**PERSON, **TIMES, **CUT, "id": equal_to(id), "events": events},
                 FIELDS)
    brought, wrong = [], []
    for place, one in enumerate(found.get("events", [])):
        try:
            brought.append(event(one, {**EVENT, "person_id": equal_to(id)},
                                 ("event_type", "person_id", "id")))
        except Refused as refused:
            wrong += [f"events[{place}].{name}" for name in refused.fields]
    if wrong:
        raise Refused(400, *wrong)
    return {name: found[name] for name in FIELDS}, brought


def patch(body, id):
    found = read(body, {**PERSON, "id": equal_to(id)}, ())
    found.pop("id", None)
    return found


def delete(body, **fields):
    return read(body, fields, ())
