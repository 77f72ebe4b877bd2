"""What Daybook must answer to writes of persons and aliases, as the model has it."""

import re

import model_bodies as bodies
from model import TEXTS, merged, same
from model_bodies import Refused, Wrong
from model_exchange import OK, Draft, Expected, New
from model_reads import Reads

SAID = ("email", "first_name", "last_name", "role", "external_id")


def differing(shown, fields):
    """Those of the fields that are not as shown, but for properties."""
    return {name: value for name, value in fields.items()
            if name != "properties" and shown.get(name) != value}


def same_person(shown, brought):
    return all(shown.get(name) == brought.get(name) for name in SAID) \
        and same(shown.get("properties"), brought.get("properties"))


# A checksum, a hash, or both: what else is there is no tag of ours.
BEHIND_VERSION = r'-([0-9a-f]{8}|[0-9a-f]{16}|[0-9a-f]{24})"'


class Persons(Reads):
    # What writes have in common.

    def _if_match(self, rq, version):
        tags = rq.headers.get("If-Match", "*")
        if not re.fullmatch(r'\*|(W/)?"[^"]*"(, *(W/)?"[^"]*")*', tags):
            raise Refused(400)
        if tags != "*" and f'"{version}"' not in [re.sub(BEHIND_VERSION, '"', tag)
                                                  for tag in re.split(", *", tags)]:
            raise Refused(412)
        but = re.sub(BEHIND_VERSION, '"', rq.headers.get("If-None-Match", ""))
        if but in ("*", f'"{version}"'):
            raise Refused(412)

    def _free(self, field, holder, but):
        if holder not in (None, but):
            raise Refused(409, field, holder=holder)

    def _texts_free(self, fields, but=None):
        """Of these that are new."""
        if fields.get("email"):
            self._free("email", self.model.owner(fields["email"]), but)
        if fields.get("external_id"):
            self._free("external_id",
                       self.model.owner_of_external(fields["external_id"]), but)

    def _claims(self, anonymous_id, id):
        """The draft of an alias, unless there is none, or it is there."""
        holder = self.model.aliases.get(anonymous_id, (None,))[0]
        self._free("anonymous_id", holder, id)
        return [] if anonymous_id is None or holder else \
            [Draft("person.aliased", id, {"anonymous_id": anonymous_id})]

    def _check_known(self, shown, aliases):
        if shown.get("external_id") is None and not aliases \
                and None in [shown[name] for name in TEXTS]:
            raise Refused(409)

    # New ones.

    def _post_persons(self, rq):
        return self._keyed(rq, self._new_person)

    def _new_person(self, rq):
        fields, _ = bodies.new_person(rq.value())

        def answer():
            if self.model.persons.get(fields.get("id")):
                return self._person_again(fields)
            return self._created(self._drafts_of(fields))
        return answer

    def _drafts_of(self, fields, place=0):
        """Of a person whose id, where it brings one, is new; the first gets this place."""
        data = dict(fields)
        id, anonymous_id = data.pop("id", None), data.pop("anonymous_id", None)
        self._texts_free(data)
        whose = New(place)
        return [Draft("person.created", id, data),
                Draft("event.recorded", None, {"person_id": whose, "event_type": "signup"}),
                *self._claims(anonymous_id, whose)]

    def _created(self, drafts):
        """Answered from the records alone: the signup is all that was done."""
        def data(made):
            id, signup = (record["subject_id"] for record in made[:2])
            return {**self.model.person(id, 0), "events": [self.model.event(signup)]}
        return Expected(201, drafts, data,
                        lambda made: {"Location": "/persons/" + made[0]["subject_id"],
                                      "ETag": f'"{made[0]["sequence"]}"',
                                      "Daybook-Sequence": made[-1]["sequence"]})

    def _is_again(self, fields):
        """Whether the person is just so, or was first; which record that was of who was
        changed since, only the tables know."""
        id, anonymous_id = fields["id"], fields.get("anonymous_id")
        person = self.model.persons[id]
        aliased = anonymous_id is None \
            or self.model.aliases.get(anonymous_id, (None,))[0] == id
        if person["deleted"] or (aliased and same_person(person["shown"], fields)):
            return not person["deleted"]
        if self.away and person["version"] != person["created"]:
            raise Refused(503)
        return aliased and same_person(person["first"], fields)

    def _person_again(self, fields):
        if not self._is_again(fields):
            raise Refused(409)
        return self._as_it_is(fields["id"], [])

    # Those that are there.

    def _as_it_is(self, id, drafts, may_be_less=False):
        def headers(made):
            version = self.model.persons[id]["version"]
            return {"ETag": f'"{version}"', "Location": None,
                    "Daybook-Sequence": made[-1]["sequence"] if made else version}
        return Expected(200, drafts, lambda made: self._updated(id), headers,
                        None if self.away else OK, may_be_less=may_be_less)

    def _updated(self, id):
        """What is written is answered from the log, which does not show events."""
        return {**self.model.person(id, 0), "events": None} if self.away \
            else self.model.person(id)

    def _known_by(self, id):
        return bool(self.model.live_person(id)) and self.model.is_known(id)

    def _put_persons_at(self, rq, id):
        return self._update(rq, id, *bodies.put(rq.value(), id, self._known_by(id)))

    def _patch_persons_at(self, rq, id):
        return self._update(rq, id, bodies.patch(rq.value(), id, self._known_by(id)), [],
                            merges=True)

    def _is_gone(self, event):
        """With a person who had its anonymous id: only the append knows its id."""
        there = self.model.events.get(event["id"])
        return there and there["gone"] and "anonymous_id" in there["shown"]

    def _properties(self, shown, fields, merges):
        """What becomes of them; an empty tuple where they stay."""
        if "properties" not in fields:
            return ()
        now, value = shown.get("properties"), fields["properties"]
        if merges and value is not None:
            value = merged(now or {}, value)
        return () if same(value or None, now) else (value or None,)

    def _update(self, rq, id, fields, brought, merges=False):
        person = self._person(id)
        self._if_match(rq, person["version"])
        gone = [event for event in brought if self._is_gone(event)]
        drafts = [self.recorded(event) for event in brought
                  if event in gone or not self._known(event)]
        if any("anonymous_id" in draft.data for draft in drafts):
            raise Refused(400)
        changes = differing(person["shown"], fields)
        for value in self._properties(person["shown"], fields, merges):
            changes["properties"] = value
        self._check_known({**person["shown"], **changes}, self.model.aliases_of(id))
        self._texts_free(changes, id)
        if gone:
            raise Refused(409)
        if changes:
            drafts.insert(0, Draft("person.updated", id, changes))
        return self._as_it_is(id, drafts)

    def _delete_persons_at(self, rq, id):
        if rq.body:
            bodies.delete(rq.value(), id=bodies.equal_to(id))
        self._if_match(rq, self._person(id)["version"])
        return self._deleted(Draft("person.deleted", id, {}))

    def _deleted(self, draft):
        return Expected(200, [draft],
                        headers=lambda made: {"Daybook-Sequence": made[0]["sequence"]})

    # Who is restricted.

    def _restriction(self, status, id, drafts=()):
        """As of then."""
        def sequence():
            return self.model.restricted[id]

        def data(made):
            return {"person_id": id, "sequence": sequence(),
                    "datetime_created": self.model.records[sequence() - 1]["recorded_at"]}
        headers = (lambda made: {}) if drafts is None else \
            lambda made: {"Daybook-Sequence": sequence()}
        return Expected(status, list(drafts or ()), data, headers)

    def _post_restriction(self, rq, id):
        def answer():
            self._person(id)
            if id in self.model.restricted:
                return self._restriction(200, id)
            return self._restriction(201, id, [Draft("person.restricted", id, {})])
        return self._keyed(rq, lambda rq: answer)

    def _get_restriction(self, rq, id):
        """Also of one who was deleted since."""
        if id not in self.model.restricted:
            raise Refused(404)
        return self._restriction(200, id, None)

    def _delete_restriction(self, rq, id):
        self._person(id)
        if id not in self.model.restricted:
            raise Refused(404)
        return self._deleted(Draft("person.unrestricted", id, {}))

    # By what others call them.

    def _patch_person_by(self, rq, external_id):
        rq.check_type()
        return self._patch_persons_at(rq, self._by(external_id))

    def _delete_person_by(self, rq, external_id):
        if rq.body:
            rq.check_type()
        return self._delete_persons_at(rq, self._by(external_id))

    def _put_person_by(self, rq, external_id):
        rq.check_type()
        self._check_external(external_id)
        whose = self.model.owner_of_external(external_id)
        fields, brought, id, anonymous_id = bodies.put_by(rq.value(), external_id, whose)
        conditional = {"If-Match", "If-None-Match"} & rq.headers.keys()
        if whose and (brought or conditional):
            if anonymous_id:
                raise Refused(400)
            return self._update(rq, whose, fields, brought)
        if whose:
            drafts, may_be_less = self._upsert(whose, fields, anonymous_id)
            return self._as_it_is(whose, drafts, may_be_less)
        if "If-Match" in rq.headers:
            raise Refused(412)
        if id in self.model.persons:
            raise Refused(409)
        return self._created(self._drafts_of({
            "role": "user", **bodies.whole({
                **fields, "external_id": external_id, "anonymous_id": anonymous_id,
                "id": id})}))

    def _upsert(self, id, fields, anonymous_id, merges=False):
        """(drafts, whether the first may be missing): of who is there all is said that was
        brought, unless nothing changes; whole properties are compared by their bytes."""
        shown, data = self.model.persons[id]["shown"], dict(fields)
        properties = self._properties(shown, fields, merges)
        if "properties" in data:
            data["properties"] = data["properties"] or None
            if merges:
                del data["properties"]
                data.update({"properties": value for value in properties})
        changes = differing(shown, data)
        self._texts_free(changes, id)
        aliased = self._claims(anonymous_id, id)
        if changes or properties:
            return [Draft("person.updated", id, data), *aliased], False
        if data.get("properties"):
            return [Draft("person.updated", id, data), *aliased], True
        return aliased, False

    # Aliases.

    def _post_aliases(self, rq, id):
        return self._keyed(rq, lambda rq: self._new_alias(
            id, bodies.alias_at(rq.value(), id)))

    def _post_aliases_by(self, rq, external_id):
        def handle(rq):
            rq.check_type()
            self._check_external(external_id)
            return self._new_alias(None, bodies.alias_by(rq.value(), external_id), external_id)
        return self._keyed(rq, handle)

    def _new_alias(self, id, anonymous_id, external_id=None):
        def answer(id=id):
            id = self._by(external_id) if external_id else id
            self._person(id)
            drafts = self._claims(anonymous_id, id)
            return Expected(
                201 if drafts else 200, drafts,
                lambda made: self._alias(id, anonymous_id,
                                         self.model.aliases[anonymous_id][1]),
                lambda made: {"Daybook-Sequence": self.model.aliases[anonymous_id][1]})
        return answer

    def _delete_aliases_by_at(self, rq, external_id, anonymous_id):
        self._check_external(external_id)
        id = self.model.owner_of_external(external_id) or "nobody"
        return self._delete_aliases_at(rq, id, anonymous_id)

    def _delete_aliases_at(self, rq, id, anonymous_id):
        try:
            bodies.ANONYMOUS_ID(anonymous_id)
        except Wrong:
            raise Refused(404) from None
        shown = self._person(id)["shown"]
        if self.model.aliases.get(anonymous_id, (None,))[0] != id:
            raise Refused(404)
        self._check_known(shown, len(self.model.aliases_of(id)) > 1)
        return self._deleted(Draft("person.unaliased", id, {"anonymous_id": anonymous_id}))
