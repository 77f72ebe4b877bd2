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
    if "properties" in data:
        event["properties"] = data["properties"]
    return event


def person_of(record):
    data = record["data"]
    created = data.get("datetime_created", record["recorded_at"])
    return {"id": record["subject_id"], "datetime_created": created,
            "datetime_modified": created, "email": data["email"],
            "first_name": data["first_name"], "last_name": data["last_name"],
            "role": data["role"]}


def fold(records):
    """(persons, events) by id, each in the order in which the log made them."""
    persons, events = {}, {}
    of_person = {}  # ids of all events that each ever had
    for record in records:
        kind, subject = record["type"], record["subject_id"]
        if kind == "person.created":
            persons[subject] = person_of(record)
        elif kind == "person.updated":
            persons[subject].update(record["data"],
                                    datetime_modified=record["recorded_at"])
        elif kind == "person.deleted":
            del persons[subject]
            for id in of_person.pop(subject, ()):
                events.pop(id, None)
        elif kind == "event.recorded":
            events[subject] = event_of(record)
            of_person.setdefault(record["data"]["person_id"], []).append(subject)
        elif kind == "event.deleted":
            del events[subject]
        else:
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


def check_reads(server, records):
    """That GET /persons and GET /events are the fold of these records, which must be the
    whole log. They wait for what was written, so nothing here does."""
    check_gapless(records)
    persons, events = fold(records)
    of_person = {id: [] for id in persons}
    for event in events.values():
        of_person[event["person_id"]].append(event)
    wanted = [dict(person, events=of_person[id][-100:]) for id, person in persons.items()]
    client = server.client()
    check_equal("events", pages(client, "/events?limit=997"), list(events.values()))
    check_equal("persons", pages(client, "/persons?limit=37"), wanted)
    client.close()
