"""Which bodies the contract takes, and what they say; for the model of the whole."""

import re

from model import TEXTS, merged_under, time_of

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(\.{LABEL})*")
EVENT_TYPE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}")


class Refused(Exception):
    """status, the fields that the answer's errors name, and whose the field is."""

    def __init__(self, status, *fields, holder=None):
        super().__init__(status)
        self.status, self.fields, self.holder = status, sorted(fields), holder


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
    if value == 7 and not isinstance(value, bool):  # milliseconds
        return "1970-01-01T00:00:00.007000"
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


def as_in_path(text):
    def read(value):
        if value != text:
            raise Wrong
        return value
    return read


def label(characters):
    return text(re.compile(rf"[^\x00-\x1f\x7f-\x9f]{{1,{characters}}}"))


def or_null(read):
    return lambda value: None if value is None else read(value)


EXTERNAL_ID, ANONYMOUS_ID = label(200), label(128)
PERSON = {"email": text(EMAIL), "first_name": name, "last_name": name, "role": role,
          "external_id": or_null(EXTERNAL_ID), "properties": or_null(properties)}
KNOWN = {**PERSON, **{field: or_null(PERSON[field]) for field in TEXTS}}
EVENT = {"event_type": text(EVENT_TYPE), "person_id": uuid, "id": uuid,
         "datetime_created": time, "properties": properties,
         "anonymous_id": or_null(ANONYMOUS_ID)}
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


def there(body, *names):
    return isinstance(body, dict) and any(body.get(name) is not None for name in names)


def whole(found):
    """Without what is null, and without properties that are none."""
    return {name: value for name, value in found.items()
            if value is not None and (name != "properties" or value)}


def new_person(body):
    """(the person, whether its role was said); id and anonymous_id are in it."""
    known = there(body, "external_id", "anonymous_id")
    found = read(body, {**(KNOWN if known else PERSON), "id": or_null(uuid),
                        "anonymous_id": or_null(ANONYMOUS_ID)}, () if known else TEXTS)
    return {"role": "user", **whole(found)}, "role" in found


def alias(body):
    known = there(body, "external_id")
    found = whole(read(body, {"anonymous_id": ANONYMOUS_ID, "person_id": uuid,
                              "external_id": or_null(EXTERNAL_ID)},
                       ("anonymous_id",) if known else ("anonymous_id", "person_id")))
    if len(found) == 3:
        raise Refused(400, "external_id")
    return found


def alias_at(body, id):
    return read(body, {"anonymous_id": ANONYMOUS_ID, "person_id": equal_to(id)},
                ("anonymous_id",))["anonymous_id"]


def alias_by(body, external_id):
    return read(body, {"anonymous_id": ANONYMOUS_ID, "external_id": as_in_path(external_id)},
                ("anonymous_id",))["anonymous_id"]


def event(body, fields=EVENT, required=("event_type", "person_id"), context=None):
    """Without what is null; properties are there only where there are some."""
    anonymous = there(body, "anonymous_id")
    if anonymous:
        fields = {**fields, "person_id": or_null(fields["person_id"])}
        required = [name for name in required if name != "person_id"]
    try:
        found = whole(read(body, fields, required))
    except Refused as refused:
        raise Refused(400, *refused.fields, *_both(body)) from None
    if _both(body):
        raise Refused(400, "anonymous_id")
    if context:
        found["properties"] = merged_under(context, found.get("properties", {}))
    return found


def _both(body):
    """An event has either."""
    try:
        uuid(body["person_id"])
        return [ANONYMOUS_ID(body["anonymous_id"]) and "anonymous_id"]
    except (Wrong, KeyError, TypeError):
        return []


def of_person(body, id):
    """An event that a PUT of the person brings: it may have both."""
    return whole(read(body, {**EVENT, "person_id": equal_to(id)},
                      ("event_type", "person_id", "id")))


def event_at(body, id):
    return dict(event(body, {**EVENT, "id": equal_to(id)}), id=id)


def events(value):
    if not isinstance(value, list):
        raise Wrong
    return value


def no_events(value):
    if events(value):
        raise Wrong
    return value


def _read_put(body, fields, required, id):
    """(what read() gives, events)"""
    found, brought, wrong = {}, [], []
    try:
        found = read(body, fields, required)
    except Refused as refused:
        wrong += refused.fields
        if not wrong:
            raise
    several = body.get("events")
    for place, one in enumerate(several if id and isinstance(several, list) else []):
        try:
            brought.append(of_person(one, id))
        except Refused as refused:
            wrong += [f"events[{place}]" + (f".{name}" if name else "")
                      for name in refused.fields or [""]]
    if wrong:
        raise Refused(400, *wrong)
    return found, brought


def _changes(found):
    """What a PUT says: of the three that are missing it says that there are none."""
    return {**dict.fromkeys(TEXTS), **{name: value for name, value in found.items()
                                       if name in PERSON}}


def put(body, id, known):
    """(fields, events)"""
    known = known or there(body, "external_id")
    found, brought = _read_put(body, {**(KNOWN if known else PERSON), **TIMES, **CUT,
                                      "id": equal_to(id), "events": events},
                               ("role",) if known else (*TEXTS, "role"), id)
    return _changes(found), brought


def put_by(body, external_id, id):
    """(fields, events, its id, its anonymous_id) of who has this external id, or, where id
    is None, is going to have it."""
    found, brought = _read_put(body, {
        **KNOWN, **TIMES, **CUT, "external_id": as_in_path(external_id),
        "anonymous_id": or_null(ANONYMOUS_ID), "id": equal_to(id) if id else uuid,
        "events": events if id else no_events}, (), id)
    fields = _changes(found)
    fields.pop("external_id", None)
    return fields, brought, found.get("id"), found.get("anonymous_id")


def patch(body, id, known):
    """properties are a patch."""
    known = known or there(body, "external_id")
    found = read(body, {**(KNOWN if known else PERSON), "id": equal_to(id)}, ())
    found.pop("id", None)
    return found


def delete(body, **fields):
    return read(body, fields, ())
