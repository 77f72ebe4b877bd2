"""What Daybook must answer to a request, and append to its log, as the model has it."""

from urllib.parse import unquote

import model_bodies as bodies
from model import same_event
from model_batch import Batches
from model_bodies import Refused
from model_exchange import Draft, Expected
from model_persons import Persons


class Api(Batches, Persons):
    def expect(self, rq):
        try:
            return self._route(rq)
        except Refused as refused:
            return Expected(refused.status, details=None, fields=refused.fields,
                            holder=refused.holder)

    def _route(self, rq):
        method = "get" if rq.method == "HEAD" else rq.method.lower()
        what, *rest = map(unquote, rq.path.strip("/").split("/"))
        if rest == ["batch"]:
            return self._keyed(rq, self._batch)
        if rest[:2] == ["by", "external_id"]:
            if rest[3:4] == ["aliases"]:
                del rest[3]
                what = "aliases_by" + ("_at" if rest[3:] else "")
                return self._call(f"_{method}_{what}", rq, *rest[2:])
            return self._call(f"_{method}_person_by", rq, *rest[2:])
        if rest and what != "log":
            if not bodies.UUID.fullmatch(rest[0]):
                raise Refused(400)
            rest[0] = rest[0].lower()
        part = rest[1:2] and rest.pop(1)
        if part == "restriction" and not rq.admin:
            raise Refused(403)
        what, at = (part, rest[1:]) if part else (what, rest)
        return self._call(f"_{method}_{what}" + ("_at" if at else ""), rq, *rest)

    def _call(self, name, rq, *args):
        if not hasattr(self, name):
            raise Refused(405)
        return getattr(self, name)(rq, *args)

    def _keyed(self, rq, handle):
        """The body is looked at first: what is wrong in itself uses up no key."""
        answer, key = handle(rq), rq.headers.get("Idempotency-Key")
        if key is None:
            return answer()
        if not 1 <= len(key) <= 255:
            raise Refused(400)
        asked = rq.method, rq.path, rq.body
        if key in self.model.keys:
            before, first, loose = self.model.keys[key]
            if before != asked:
                raise Refused(422)
            return Expected(first.status, replay=first, loose=loose)
        expected = answer()
        if expected.drafts or expected.accepted:
            expected.key = key, asked
        return expected

    # Events.

    def recorded(self, event):
        """A draft of what model_bodies.event() has read."""
        data = {name: event[name] for name in ("person_id", "event_type", "properties",
                                               "datetime_created", "anonymous_id")
                if name in event}
        if "anonymous_id" in data:
            data.setdefault("person_id", self.model.aliases.get(data["anonymous_id"],
                                                                (None,))[0])
        return Draft("event.recorded", event.get("id"), data)

    def _known(self, brought):
        """The event that is there already; None where the id is new."""
        event = self.model.events.get(brought.get("id"))
        if event and (event["deleted"] or event["gone"]
                      or not same_event(event["shown"], brought)):
            raise Refused(409)
        return event

    def _somebody(self, event):
        """An event is of a person who is there, or of an anonymous id."""
        if "anonymous_id" not in event:
            self._person(event["person_id"])

    def _post_events(self, rq):
        return self._keyed(rq, lambda rq: self._new_event(bodies.event(rq.value())))

    def _post_events_at(self, rq, id):
        return self._keyed(rq, lambda rq: self._new_event(
            bodies.event_at(rq.value(), id)))

    def _new_event(self, event):
        def answer():
            self._somebody(event)
            known = self._known(event)
            if known:
                return Expected(200, [], lambda made: self.model.event(event["id"]),
                                lambda made: {"ETag": f'"{known["sequence"]}"',
                                              "Daybook-Sequence": known["sequence"],
                                              "Location": None})
            return Expected(
                201, [self.recorded(event)],
                lambda made: self.model.event(made[0]["subject_id"]),
                lambda made: {"Location": "/events/" + made[0]["subject_id"],
                              "ETag": f'"{made[0]["sequence"]}"',
                              "Daybook-Sequence": made[0]["sequence"]})
        return answer

    def _delete_events_at(self, rq, id):
        brought = bodies.delete(rq.value(), id=bodies.equal_to(id),
                                person_id=bodies.uuid) if rq.body else {}
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        self._if_match(rq, event["sequence"])
        owner = self.model.person_of(event)
        if brought.get("person_id", owner) != owner:
            raise Refused(409)
        return self._deleted(Draft("event.deleted", id, {"person_id": owner}))
