"""Folds the log in Python, and holds the read tables against it, field by field."""

import json
import re


def check_gapless(records):
    assert [record["sequence"] for record in records] == \
        list(range(1, len(records) + 1)), "the log has a gap"


def event_of(record):
    """An event as the API shows it."""
    data = record["data"]
    event = {"id": record["subject_id"],
             "datetime_created": data.get("datetime_created", record["recorded_at"]),
             "event_type": data["event_type"], "person_id": data["person_id"]}
    for name in "anonymous_id", "properties":
        if name in data:
            event[name] = data[name]
    return event


def change(person, data):
    """What is null was removed; of these there is nothing to show then."""
    person.update(data)
    for name in "external_id", "properties":
        if person.get(name, "") is None:
            del person[name]


def person_of(record):
    data = dict(record["data"])
    created = data.pop("datetime_created", record["recorded_at"])
    person = {"id": record["subject_id"], "datetime_created": created,
              "datetime_modified": created, "email": None, "first_name": None,
              "last_name": None}
    change(person, data)
    return person


def is_erased(record):
    """Whether what it said is gone with the key: of a person, or of an anonymous id, who was."""
    return record["data"].get("erased") is True


def fold(records):
    """(persons, events) by id, each in the order in which the log made them."""
    persons, events = {}, {}
    recorded = {}  # sequence of each event
    of_person = {}  # ids of all events that each ever had
    of_anonymous = {}  # and that each anonymous id ever had
    for record in records:
        kind, subject = record["type"], record["subject_id"]
        if is_erased(record) and kind != "person.created":
            continue  # nobody's events, of whom the end is told further behind
        if kind == "person.created":
            persons[subject] = person_of(record)
        elif kind == "person.updated":
            change(persons[subject],
                   dict(record["data"], datetime_modified=record["recorded_at"]))
        elif kind in ("person.deleted", "person.erased"):
            if kind == "person.deleted" or subject in persons:
                del persons[subject]
            for id in of_person.pop(subject, ()):
                if id in events and events[id]["person_id"] == subject:
                    del events[id]
        elif kind == "event.recorded":
            event = events[subject] = event_of(record)
            recorded[subject] = record["sequence"]
            of_person.setdefault(event["person_id"], []).append(subject)
            if "anonymous_id" in event:
                of_anonymous.setdefault(event["anonymous_id"], []).append(subject)
        elif kind == "event.deleted":
            events.pop(subject, None)  # of one that was erased since there is no more
        elif kind == "events.expired":
            for id in [id for id in events if recorded[id] <= record["data"]["through"]]:
                del events[id]
        elif kind in ("person.aliased", "person.unaliased"):
            owner = subject if kind == "person.aliased" else None
            for id in of_anonymous.get(record["data"]["anonymous_id"], ()):
                if id in events:
                    events[id]["person_id"] = owner
                    of_person.setdefault(owner, []).append(id)
        elif kind not in ("person.restricted", "person.unrestricted", "log.resealed"):
            raise AssertionError(f"a record of type {kind}")
    return persons, events


def pages(client, path):
    """Every row of a list, page by page as Link says."""
    rows = []
    while path:
        answer = client.get(path)
        assert answer.status == 200, (path, answer.status, answer.details)
        rows += answer.data
        link = re.search(r'<([^>]*)>; *rel="next"', answer.headers.get("Link", ""))
        assert not link or answer.data, f"{path}: no rows, and a next page"
        path = link and link[1]
    return rows


def check_equal(what, found, wanted):
    """Equal as JSON: in Python 1 == True."""
    for place, (one, other) in enumerate(zip(found, wanted)):
        one, other = (json.dumps(row, sort_keys=True) for row in (one, other))
        assert one == other, f"{what} {place}:\n  is {one}\n  not {other}"
    assert len(found) == len(wanted), f"{len(found)} {what}, not {len(wanted)}"


def shown_events(person_id, events, sequences):
    """The newest of a person's events, as the person shows them, and where the others are."""
    shown = events[-100:]
    if len(shown) == len(events):
        return {"events": shown}
    return {"events": shown, "events_total": min(len(events), 10000),
            "events_next": f"/events?person_id={person_id}&order=desc"
                           f"&after={sequences[shown[0]['id']]}"}


def check_reads(server, records):
    """That GET /persons and GET /events are the fold of these records, which must be the
    whole log. They wait for what was written, so nothing here does."""
    check_gapless(records)
    persons, events = fold(records)
    of_person = {id: [] for id in persons}
    for event in events.values():
        if event["person_id"]:
            of_person[event["person_id"]].append(event)
    sequences = {record["subject_id"]: record["sequence"] for record in records
                 if record["type"] == "event.recorded"}
    wanted = [dict(person, **shown_events(id, of_person[id], sequences))
              for id, person in persons.items()]
    client = server.client()
    check_equal("events", pages(client, "/events?limit=997"), list(events.values()))
    check_equal("persons", pages(client, "/persons?limit=37"), wanted)
    client.close()
