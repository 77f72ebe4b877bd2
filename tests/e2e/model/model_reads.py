"""What Daybook must answer to a read, as the model has it."""

import json
import re

import model_bodies as bodies
from model import Model, contains, same
from model_bodies import Refused, Wrong
from model_exchange import OK, Expected


def number(least, most):
    def read(text):
        if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
            raise Wrong
        return int(text)
    return read


def order(text):
    if text not in ("asc", "desc"):
        raise Wrong
    return text


def email(text):
    if "@" not in text:
        raise Wrong
    return text


PAGE = {"after": number(0, 2 ** 63 - 1), "limit": number(1, 10000)}
LIST = {**PAGE, "order": order, "email": email}


def page(query):
    return {"after": query["after"] or 0, "limit": query["limit"] or 1000,
            "order": query["order"] or "asc"}


def events_limit(query):
    return 100 if query["events_limit"] is None else query["events_limit"]


def has_scalar(value):
    """Whether an index finds what contains it."""
    parts = value.values() if isinstance(value, dict) else value
    return not isinstance(value, (dict, list)) or any(map(has_scalar, parts))


def matches(event, query):
    """Whether GET /events with this query shows it."""
    wanted, made = query["properties"], event["datetime_created"]
    return query["person_id"] in (None, event["person_id"]) \
        and query["keyword"] in (None, event["event_type"]) \
        and (query["since"] is None or made >= query["since"]) \
        and (query["until"] is None or made < query["until"]) \
        and (wanted is None or contains(event.get("properties"), wanted))


class Reads:
    """away: PostgreSQL is not there."""

    def __init__(self, model: Model):
        self.model, self.away = model, False

    def _person(self, id):
        person = self.model.live_person(id)
        if not person:
            raise Refused(404)
        return person

    def _tables(self):
        """Headers of what is read from them."""
        if self.away:
            raise Refused(503)
        return {"Daybook-Projected-Sequence": self.model.head}

    def _listed(self, rq, rows, cursor, headers):
        following = cursor and (rq.path, {**rq.query, "after": str(cursor)})
        return Expected(200, [], lambda made: rows,
                        lambda made: {"Link": following, **headers}, OK if rows else None)

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
        query = self._read(rq, **LIST, events_limit=number(0, 1000))
        whose = query["email"] and self.model.owner(query["email"])
        return self._listed(rq, *self.model.list_persons(
            page(query), events_limit(query),
            lambda id: query["email"] is None or id == whose), self._tables())

    def _get_events(self, rq):
        query = self._read(rq, **LIST, keyword=str, person_id=bodies.uuid,
                           since=bodies.time, until=bodies.time, properties=json.loads)
        if query["properties"] is not None and not has_scalar(query["properties"]) \
                and not query["person_id"] and not query["email"]:
            raise Refused(400, "properties")
        whose = query["email"] and self.model.owner(query["email"])
        return self._listed(rq, *self.model.list_events(
            page(query), lambda event: matches(event, query) and (
                query["email"] is None or event["person_id"] == whose)), self._tables())

    def _get_log(self, rq):
        query = self._read(rq, **PAGE)
        return self._listed(rq, *self.model.list_records(
            query["after"] or 0, query["limit"] or 1000),
            {"Daybook-Projected-Sequence": None})

    def _get_log_at(self, rq, sequence):
        if not 1 <= int(sequence) <= self.model.head:
            raise Refused(404)
        return Expected(200, [], lambda made: self.model.records[int(sequence) - 1])

    def _get_persons_at(self, rq, id):
        limit = events_limit(self._read(rq, events_limit=number(0, 1000)))
        headers = self._tables()
        self._person(id)
        shown = self.model.person(id, limit)
        known = self.model.tags.get(rq.headers.get("If-None-Match"))
        return Expected(304 if known and same(known, shown) else 200, [], lambda made: shown,
                        lambda made: headers)

    def _get_events_at(self, rq, id):
        headers = {"Daybook-Projected-Sequence": self.model.head}  # the log tells it
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        tag = f'"{event["sequence"]}"'
        return Expected(304 if rq.headers.get("If-None-Match") == tag else 200, [],
                        lambda made: event["shown"],
                        lambda made: {"ETag": tag, **headers})
