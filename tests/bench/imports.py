"""Files for daybook import."""

import json
import uuid

import load

PERSONS = 1000


def _id(number):
    """A version 7 id; they sort as they count."""
    return str(uuid.UUID(int=(0x01890A5DAC96 << 80) + (number << 80) + (7 << 76) +
                         (2 << 62) + number))


def _time(number):
    seconds = number % 86400
    return (f"2025-06-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            ".000000")


def write(world, events):
    """A file of persons and one of that many events."""
    people = [_id(number) for number in range(PERSONS)]
    persons = load.write_lines(world, "persons.ndjson", (json.dumps({
        "id": each, "email": f"person{number}@example.org", "first_name": "Kate",
        "last_name": "Pryde", "role": "user", "datetime_created": _time(0)})
        for number, each in enumerate(people)))
    return persons, load.write_lines(world, "events.ndjson", (
        '{"id":"%s","datetime_created":"%s",%s' % (
            _id(PERSONS + number), _time(number),
            load.event_body(people[number % PERSONS], number)[1:])
        for number in range(events)))


def records(events):
    """How many records they make: a person comes with its signup event."""
    return events + 2 * PERSONS
