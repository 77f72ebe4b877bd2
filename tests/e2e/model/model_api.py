"""What Daybook must answer to a request, and append to its log, as the model has it."""

import re

import model_bodies as bodies
from model import same_event
from model_bodies import Refused
from model_exchange import NEW, OK, Draft, Expected
from model_reads import Reads


def recorded(event):
    """A draft of what model_bodies.event() has read."""
    data = {name: event[name] for name in ("person_id", "event_type", "properties",
                                           "datetime_created") if name in event}
    return Draft("event.recorded", event.get("id"), data)


class Api(Reads):
    def expect(self, rq):
        try:
            return self._route(rq)
        except Refused as refused:
            return Expected(refused.status, details=None, fields=refused.fields)

    def _route(self, rq):
        method = "GET" if rq.method == "HEAD" else rq.method
        what, *rest = rq.path.strip("/").split("/")
        if rest == ["batch"]:
            return self._keyed(rq, self._batch)
        name = f"_{method.lower()}_{what}" + ("_at" if rest else "")
        if rest and what != "log" and not bodies.UUID.fullmatch(rest[0]):
            raise Refused(400)
        if not hasattr(self, name):
            raise Refused(405)
        return getattr(self, name)(rq, *(one.lower() for one in rest))

    # What writes have in common.

    def _keyed(self, rq, handle):
        """The body is looked at first: what is wrong in itself uses up no key."""
        answer, key = handle(rq), rq.headers.get("Idempotency-Key")
        if key is None:
            return answer()
        if not 1 <= len(key) <= 255:
            raise Refused(400)
        asked = rq.method, rq.path, rq.body
        if key in self.model.keys:
            before, first = self.model.keys[key]
            if before != asked:
                raise Refused(422)
            return Expected(first.status, replay=first)
        expected = answer()
        if expected.drafts:
            expected.key = key, asked
        return expected

    def _if_match(self, rq, version):
        tags = rq.headers.get("If-Match", "*")
        if tags == "*":
            return
        if not re.fullmatch(r'(W/)?"[^"]*"(, *(W/)?"[^"]*")*', tags):
            raise Refused(400)
        if f'"{version}"' not in [re.sub("-[0-9a-f]+", "", tag)
                                  for tag in re.split(", *", tags)]:
            raise Refused(412)

    def _email_free(self, email, but=None):
        if self.model.owner(email) not in (None, but):
            raise Refused(409, "email")

    # Persons.

    def _post_persons(self, rq):
        return self._keyed(rq, self._new_person)

    def _new_person(self, rq):
        fields = bodies.new_person(rq.value())

        def answer():
            self._email_free(fields["email"])
            return Expected(
                201, [Draft("person.created", None, fields),
                      Draft("event.recorded", None,
                            {"person_id": NEW, "event_type": "signup"})],
                lambda made: self.model.person(made[0]["subject_id"]),
                lambda made: {"Location": "/persons/" + made[0]["subject_id"],
                              "ETag": f'"{made[0]["sequence"]}"',
                              "Daybook-Sequence": made[1]["sequence"]})
        return answer

    def _put_persons_at(self, rq, id):
        return self._update(rq, id, *bodies.put(rq.value(), id))

    def _patch_persons_at(self, rq, id):
        return self._update(rq, id, bodies.patch(rq.value(), id), [])

    def _update(self, rq, id, fields, brought):
        person = self._person(id)
        self._if_match(rq, person["version"])
        drafts = [recorded(event) for event in brought if not self._known(event)]
        changes = {name: value for name, value in fields.items()
                   if person["shown"][name] != value}
        if "email" in changes:
            self._email_free(changes["email"], id)
        if changes:
            drafts.insert(0, Draft("person.updated", id, changes))
        return Expected(
            200, drafts, lambda made: self._updated(id),
            lambda made: {"ETag": f'"{person["version"]}"', "Daybook-Sequence":
                          made[-1]["sequence"] if made else person["version"]},
            None if self.away else OK)

    def _updated(self, id):
        """What is written is answered from the log, which does not show events."""
        return {**self.model.person(id), "events": None} if self.away \
            else self.model.person(id)

    def _delete_persons_at(self, rq, id):
        if rq.body:
            bodies.delete(rq.value(), id=bodies.equal_to(id))
        self._if_match(rq, self._person(id)["version"])
        return self._deleted(Draft("person.deleted", id, {}))

    def _deleted(self, draft):
        return Expected(200, [draft],
                        headers=lambda made: {"Daybook-Sequence": made[0]["sequence"]})

    # Events.

    def _known(self, brought):
        """The event that is there already; None where the id is new."""
        event = self.model.events.get(brought.get("id"))
        if event and (event["deleted"] or not same_event(event["shown"], brought)):
            raise Refused(409)
        return event

    def _post_events(self, rq):
        return self._keyed(rq, lambda rq: self._new_event(bodies.event(rq.value())))

    def _post_events_at(self, rq, id):
        return self._keyed(rq, lambda rq: self._new_event(
            bodies.event_at(rq.value(), id)))

    def _new_event(self, event):
        def answer():
            self._person(event["person_id"])
            known = self._known(event)
            if known:
                return Expected(200, [], lambda made: known["shown"],
                                lambda made: {"ETag": f'"{known["sequence"]}"',
                                              "Daybook-Sequence": known["sequence"],
                                              "Location": None})
            return Expected(
                201, [recorded(event)],
                lambda made: self.model.events[made[0]["subject_id"]]["shown"],
                lambda made: {"Location": "/events/" + made[0]["subject_id"],
                              "ETag": f'"{made[0]["sequence"]}"',
                              "Daybook-Sequence": made[0]["sequence"]})
        return answer

    def _batch(self, rq):
        if rq.method != "POST":
            raise Refused(405)
        items = rq.items()
        return lambda: self._verdicts(items)

    def _verdicts(self, items):
        drafts, verdicts, here = [], [], {}  # here: id -> (event, its place in drafts)
        for index, item in enumerate(items):
            verdict = {"index": index}
            try:
                event = bodies.event(item)
                verdict.update({"id": event["id"]} if "id" in event else {})
                self._person(event["person_id"])
                earlier, place = here.get(event.get("id"), (None, None))
                known = None if earlier else self._known(event)
                if earlier and not same_event(earlier, event):
                    raise Refused(409)
                verdict["status"] = 200 if known or earlier else 201
                if not known and not earlier:
                    place = len(drafts)
                    drafts.append(recorded(event))
                    here.update({event["id"]: (event, place)} if "id" in event else {})
                verdict.update({"sequence": known["sequence"]} if known
                               else {"place": place})
            except Refused as refused:
                verdict.update(status=refused.status, fields=refused.fields)
            verdicts.append(verdict)
        counts = [sum(one["status"] in which for one in verdicts)
                  for which in ((201,), (200,), (400, 404, 409))]
        status = 200 if not counts[2] else 207 if counts[0] + counts[1] else 422
        return Expected(
            status, drafts, lambda made: [self._verdict(one, made) for one in verdicts],
            lambda made: {"Daybook-Sequence": made[-1]["sequence"] if made else None},
            "{} recorded, {} known already, {} refused".format(*counts))

    def _verdict(self, verdict, made):
        shown = dict(verdict)
        if "place" in shown:
            record = made[shown.pop("place")]
            shown.update(id=record["subject_id"], sequence=record["sequence"])
        return shown

    def _delete_events_at(self, rq, id):
        brought = bodies.delete(rq.value(), id=bodies.equal_to(id),
                                person_id=bodies.uuid) if rq.body else {}
        event = self.model.live_event(id)
        if not event:
            raise Refused(404)
        self._if_match(rq, event["sequence"])
        owner = event["shown"]["person_id"]
        if brought.get("person_id", owner) != owner:
            raise Refused(409)
        return self._deleted(Draft("event.deleted", id, {"person_id": owner}))
