"""A request, and what the model expects of its answer."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from model import Model
from model_bodies import Refused

OK = "The request was successful"
LINES = "application/x-ndjson"
ENVELOPE = {"context", "items"}


@dataclass(frozen=True)
class New:
    """The id that the server has made for the record at this place of those appended."""
    place: int


NEW = New(0)


def settled(value, made):
    """With the ids that were made."""
    if isinstance(value, New):
        return made[value.place]["subject_id"]
    if isinstance(value, dict):
        return {name: settled(each, made) for name, each in value.items()}
    return [settled(each, made) for each in value] if isinstance(value, list) else value


@dataclass
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    body: Optional[bytes] = None
    headers: dict = field(default_factory=dict)
    admin: bool = True  # else by one who may read, but not who is restricted

    def check_type(self):
        if self.headers.get("Content-Type") != "application/json":
            raise Refused(415)

    def value(self):
        """What the body says."""
        self.check_type()
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused(400) from None

    def items(self):
        """(the items of a batch, what they share); in lines one that cannot be read is
        None."""
        context = {}
        if self.headers.get("Content-Type") == LINES:
            items = [line_value(line) for line in self.body.split(b"\n") if line.strip()]
        else:
            self.check_type()
            check_members(self.body.decode())
            items = self.value()
            if isinstance(items, dict):
                items, context = _shared(items)
        if not isinstance(items, list) or not items:
            raise Refused(400)
        return items, context


def _shared(body):
    for name, value in body.items():
        if name not in ENVELOPE \
                or not isinstance(value, list if name == "items" else dict):
            raise Refused(400, name)  # the first only
    if "items" not in body:
        raise Refused(400, "items")
    return body["items"], body.get("context", {})


def check_members(text):
    """What is wrong with a member of an object is told before what is no JSON behind it."""
    body, decoder = {}, json.JSONDecoder()
    member = re.match(r'\s*{\s*(".*?")\s*:\s*', text)
    while member:
        try:
            body[json.loads(member[1])], at = decoder.raw_decode(text, member.end())
        except ValueError:
            break
        member = re.compile(r'\s*,\s*(".*?")\s*:\s*').match(text, at)
    _shared({"items": [], **body})


def line_value(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


@dataclass
class Draft:
    """A record to be appended; subject None: the server makes its id."""
    type: str
    subject: Any
    data: dict

    @property
    def format(self):
        """4: what is said of a person is sealed. 5: that would show who is restricted. 2 where
        it says what a program of the first API cannot read."""
        if Model.is_sealed(self.type):
            return 4
        if self.type in ("person.restricted", "person.unrestricted"):
            return 5
        return 2 if self.data.get("person_id", "") is None else 1


@dataclass
class Expected:
    """The status, what is appended, and from the records that were: data and headers. A
    header that is None must not be there."""
    status: int
    drafts: list = field(default_factory=list)
    data: Callable[[list], Any] = lambda made: None
    headers: Callable[[list], dict] = lambda made: {}
    details: Optional[str] = OK   # None: some other words
    fields: list = field(default_factory=list)  # that errors name
    holder: Any = None            # whose they are
    loose: bool = False           # with its key it may come again with other verdicts
    may_be_away: bool = False     # 503 is as good
    may_be_less: bool = False     # the first draft says nothing new, and may be left out
    accepted: bool = False        # a command that appended nothing; else there are drafts
    key: Optional[tuple] = None   # this answer is the key's from now on
    replay: Any = None            # the Answer that comes again
