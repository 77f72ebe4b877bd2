"""Reads the log, one record, and the stream by the CloudEvents SDK for Python, which checks
each event against the specification."""

import json
import os
import sys
import urllib.request

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents+json"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ask(path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Authorization"] = "Bearer " + os.environ["DAYBOOK_TOKEN"]
    return urllib.request.urlopen(urllib.request.Request(
        sys.argv[1] + path, body and json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers}))


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def read(text):
    return JSONFormat().read(CloudEvent, text)


def hold(event, record):
    """It says what the record says, and is of this log."""
    same(event.get_specversion(), "1.0")
    same(event.get_id(), str(record["sequence"]))
    same(event.get_type(), "daybook." + record["type"])
    same(event.get_subject(), record["subject_id"])
    same(event.get_time().isoformat(timespec="microseconds"),
         record["recorded_at"] + "+00:00")
    same(event.get_datacontenttype(), "application/json")
    same(event.get_data(), record)


ask("/persons", {"email": "ada@cloud.test", "first_name": "Ada", "last_name": "L"},
    traceparent=TRACE).close()
ask("/events", {"event_type": "click", "anonymous_id": "a/cloud",
                "properties": {"of": ["x", 1.5, None]}}).close()
records = json.load(ask("/log"))["data"]
assert len(records) == 3, records

with ask("/log", Accept=BATCH) as answer:
    same(answer.headers["Content-Type"], BATCH)
    events = [read(json.dumps(each)) for each in json.load(answer)]
for event, record in zip(events, records, strict=True):
    hold(event, record)
same({event.get_source() for event in events}, {events[0].get_source()})
same(events[0].get_extension("traceparent"), TRACE)
same(events[2].get_extension("traceparent"), None)

with ask("/log/3", Accept=ONE) as answer:
    event = from_http_event(HTTPMessage(dict(answer.headers), answer.read()))
    hold(event, records[2])

with ask("/log/stream?after=0", Accept="text/event-stream, " + ONE) as stream:
    for record in records:
        while not (line := stream.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        hold(read(line[6:]), record)
