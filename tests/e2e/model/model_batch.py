"""What Daybook must answer to a batch, as the model has it: each item is decided after
those before it, on a copy of the model."""

import model_bodies as bodies
from model_bodies import Refused
from model_exchange import Expected, New, settled

KINDS = ("event", "person", "alias")
LATER = "when it was appended"  # no time that is brought is this


def kind_of(item):
    if isinstance(item, dict) and len(item) == 1 and list(item)[0] in KINDS:
        return list(item.items())[0]
    return "event", item


class Batch:
    """Decided on api's model."""

    def __init__(self, api, context):
        self.api, self.model, self.context = api, api.model, context
        self.drafts, self.counts, self.untold = [], [0, 0, 0], 0
        self.accepted = False  # also where it appended nothing
        self.may_be_known = []  # (verdict, a person): where the id is another's

    def decide(self, index, item):
        kind, value = kind_of(item)
        verdict = {"index": index}
        try:
            getattr(self, "_" + kind)(verdict, value)
        except Refused as refused:
            self._refuse(verdict, refused)
        return verdict

    def _refuse(self, verdict, refused):
        verdict.update(status=refused.status, fields=refused.fields)
        if refused.holder:
            verdict["holder"] = refused.holder
        self.counts[2] += 1
        self.untold += refused.status == 503

    def _append(self, verdict, status, id, drafts):
        """id None: that of the first record."""
        verdict.update(status=status, id=id or New(len(self.drafts)))
        for draft in drafts:
            self.model.append({
                "type": draft.type, "sequence": self.model.head + 1, "recorded_at": LATER,
                "subject_id": self._here(draft.subject) or New(len(self.drafts)),
                "data": {name: self._here(value) for name, value in draft.data.items()}})
            self.drafts.append(draft)
        verdict["sequence"] = self.model.head
        self.counts[0] += 1

    def _here(self, value):
        """The id that was brought where one may be made."""
        if isinstance(value, New) and value.place < len(self.drafts):
            return self._here(self.drafts[value.place].subject) or value
        return value

    def _know(self, verdict, id, sequence):
        verdict.update(status=200, id=id, sequence=sequence)
        self.counts[1] += 1

    def _event(self, verdict, value):
        event = bodies.event(value, context=self.context)
        verdict.update({"id": event["id"]} if "id" in event else {})
        self.api._somebody(event)
        known = self.api._known(event)
        if known:
            return self._know(verdict, event["id"], known["sequence"])
        return self._append(verdict, 201, event.get("id"), [self.api.recorded(event)])

    def _alias(self, verdict, value):
        alias = bodies.alias(value)
        id = alias.get("person_id")
        verdict.update({"id": id} if id else {})
        if not id:
            id = self.model.owner_of_external(alias["external_id"])
        self.api._person(id)
        drafts = self.api._claims(alias["anonymous_id"], id)
        if drafts:
            return self._append(verdict, 201, id, drafts)
        return self._know(verdict, id, self.model.aliases[alias["anonymous_id"]][1])

    def _person(self, verdict, value):
        fields, says_role = bodies.new_person(value)
        verdict.update({"id": fields["id"]} if "id" in fields else {})
        whose = "external_id" in fields \
            and self.model.owner_of_external(fields["external_id"])
        if whose:
            return self._update(verdict, whose, fields, says_role)
        if fields.get("id") in self.model.persons:
            if not self.model.live_person(fields["id"]):
                raise Refused(409)
            verdict["sequence"] = self.model.persons[fields["id"]]["version"]
            self.may_be_known.append((verdict, fields))
            return None
        return self._append(verdict, 201, fields.get("id"),
                            self.api._drafts_of(fields, len(self.drafts)))

    def _update(self, verdict, id, fields, says_role):
        said = {name: value for name, value in fields.items()
                if name not in ("id", "anonymous_id", "external_id")
                and (name != "role" or says_role)}
        drafts, _ = self.api._upsert(id, said, fields.get("anonymous_id"), merges=True)
        if drafts:
            return self._append(verdict, 200, id, drafts)
        self.accepted = True
        return self._know(verdict, id, self.model.persons[id]["version"])

    def end(self):
        """Whether it is the same person again is looked at behind all."""
        for verdict, fields in self.may_be_known:
            sequence = verdict.pop("sequence")
            try:
                if not self.api._is_again(fields):
                    raise Refused(409)
                self._know(verdict, fields["id"], sequence)
            except Refused as refused:
                self._refuse(verdict, refused)

    def status(self):
        if not self.counts[2]:
            return 200
        if self.counts[0] + self.counts[1]:
            return 207
        return 503 if self.untold == self.counts[2] else 422


class Batches:
    def _batch(self, rq):
        if rq.method != "POST":
            raise Refused(405)
        items, context = rq.items()
        return lambda: self._decided(items, context)

    def _decided(self, items, context):
        api = type(self)(self.model.copy())
        api.away = self.away
        batch = Batch(api, context)
        verdicts = [batch.decide(index, item) for index, item in enumerate(items)]
        batch.end()
        return Expected(
            batch.status(), batch.drafts, lambda made: settled(verdicts, made),
            lambda made: {"Daybook-Sequence": made[-1]["sequence"] if made else None},
            "{} recorded, {} known already, {} refused".format(*batch.counts),
            loose=bool(batch.may_be_known), accepted=batch.accepted)
