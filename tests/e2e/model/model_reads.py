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
WHOSE = {"email": email, "external_id": bodies.EXTERNAL_ID}
LIST = {**PAGE, "order": order, **WHOSE}


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
        and query["anonymous_id"] in (None, event.get("anonymous_id")) \
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

    def _hidden(self, rq):
        """The persons who are not shown here."""
        return {} if rq.admin else self.model.restricted

    def _visible(self, rq, id):
        if id in self._hidden(rq):
            raise Refused(403)

    def _of_whom(self, rq, query, *whose_else):
        """Whether the person of an id is who is asked for. None: nobody is, which the log
        knows."""
        email, external_id = query["email"], query["external_id"]
        whose = list(whose_else)
        whose += [self.model.owner(email)] if email else []
        whose += [self.model.owner_of_external(external_id)] if external_id else []
        whose += [query["person_id"]] if query.get("person_id") else []
        hidden = self._hidden(rq)
        if None in whose or len(set(whose)) > 1 or (whose and whose[0] in hidden):
            return None
        return lambda id: id == whose[0] if whose else id not in hidden

    def _of_nobody(self, rq):
        """Of what is not read PostgreSQL's absence may be seen, or not."""
        expected = self._listed(rq, [], None, {"Daybook-Projected-Sequence": self.model.head})
        expected.may_be_away = self.away
        return expected

    def _contained(self, rq, **narrow):
        """An index must find it, or what else is asked for."""
        def asks(name, read):
            try:
                return name in rq.query and bool(read(rq.query[name]))
            except Wrong:
                return False

        def read(text):
            value = json.loads(text)
            if not has_scalar(value) \
                    and not any(asks(*one) for one in narrow.items()):
                raise Wrong
            return value
        return read

    def _get_persons(self, rq):
        query = self._read(rq, **LIST, events_limit=number(0, 1000),
                           anonymous_id=bodies.ANONYMOUS_ID, properties=self._contained(
                               rq, **WHOSE, anonymous_id=str))
        alias = query["anonymous_id"]
        owner = self.model.aliases.get(alias, (None,))[0]
        of_whom = self._of_whom(rq, query, *([owner] if alias else []))
        if not of_whom:
            return self._of_nobody(rq)
        return self._listed(rq, *self.model.list_persons(
            page(query), events_limit(query),
            lambda id: of_whom(id) and (query["properties"] is None or contains(
                self.model.persons[id]["shown"].get("properties"), query["properties"]))),
            self._tables())

    def _get_events(self, rq):
        query = self._read(rq, **LIST, keyword=str, person_id=bodies.uuid,
                           since=bodies.time, until=bodies.time,
                           anonymous_id=bodies.ANONYMOUS_ID, properties=self._contained(
                               rq, **WHOSE, person_id=bodies.uuid, anonymous_id=str))
        of_whom = self._of_whom(rq, query)
        if not of_whom:
            return self._of_nobody(rq)
        return self._listed(rq, *self.model.list_events(
            page(query), lambda event: matches(event, query)
            and of_whom(event["person_id"])), self._tables())

    def _get_log(self, rq):
        query = self._read(rq, **PAGE)
        return self._listed(rq, *self.model.list_records(
            query["after"] or 0, query["limit"] or 1000, self._shown_record(rq)),
            {"Daybook-Projected-Sequence": None})

    def _get_log_at(self, rq, sequence):
        if not 1 <= int(sequence) <= self.model.head:
            raise Refused(404)
        shown = self._shown_record(rq)
        return Expected(200, [], lambda made: shown(self.model.records[int(sequence) - 1]))

    def _shown_record(self, rq):
        return (lambda record: record) if rq.admin else self.model.shown_record

    def _get_persons_at(self, rq, id):
        limit = events_limit(self._read(rq, events_limit=number(0, 1000)))
        headers = self._tables()
        self._person(id)
        self._visible(rq, id)
        shown = self.model.person(id, limit)
        known = self.model.tags.get(rq.headers.get("If-None-Match"))
        return Expected(304 if known and same(known, shown) else 200, [], lambda made: shown,
                        lambda made: headers)

    def _check_external(self, external_id):
        try:
            bodies.EXTERNAL_ID(external_id)
        except Wrong:
            raise Refused(400, "external_id") from None

    def _by(self, external_id):
        self._check_external(external_id)
        id = self.model.owner_of_external(external_id)
        if not id:
            raise Refused(404)
        return id

    def _get_person_by(self, rq, external_id):
        return self._get_persons_at(rq, self._by(external_id))

    def _alias(self, id, anonymous_id, sequence):
        return {"anonymous_id": anonymous_id, "person_id": id,
                "datetime_created": self.model.records[sequence - 1]["recorded_at"]}

    def _get_aliases(self, rq, id):
        """The log tells them."""
        self._person(id)
        self._visible(rq, id)
        rows = [self._alias(id, *alias) for alias in self.model.aliases_of(id)]
        return self._listed(rq, rows, None, {"Daybook-Projected-Sequence": self.model.head})

    def _get_aliases_by(self, rq, external_id):
        return self._get_aliases(rq, self._by(external_id))

    def _get_events_at(self, rq, id):
        headers = {"Daybook-Projected-Sequence": self.model.head}  # the log tells it
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        self._visible(rq, self.model.person_of(event))
        shown, asked = self.model.event(id), rq.headers.get("If-None-Match")
        tag = f'"{event["sequence"]}"'
        known = asked == tag if "anonymous_id" not in shown else \
            asked in self.model.tags and same(self.model.tags[asked], shown)
        return Expected(304 if known else 200, [], lambda made: shown,
                        lambda made: {"ETag": tag, **headers})
