"""A request, and what the model expects of its answer."""

import json
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from model_bodies import Refused

OK = "The request was successful"
LINES = "application/x-ndjson"
NEW = object()  # in a draft's data: the subject of the command's first record


@dataclass
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    body: Optional[bytes] = None
    headers: dict = field(default_factory=dict)

    def value(self):
        """What the body says."""
        if self.headers.get("Content-Type") != "application/json":
            raise Refused(415)
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused(400) from None

    def items(self):
        """The same of a batch; in lines one that cannot be read is None."""
        if self.headers.get("Content-Type") != LINES:
            items = self.value()
            if not isinstance(items, list) or not items:
                raise Refused(400)
            return items
        items = [line_value(line) for line in self.body.split(b"\n") if line.strip()]
        if not items:
            raise Refused(400)
        return items


def line_value(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


@dataclass
class Draft:
    """A record to be appended; subject None: the server makes its id."""
    type: str
    subject: Optional[str]
    data: dict


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
    key: Optional[tuple] = None   # this answer is the key's from now on
    replay: Any = None            # the Answer that comes again
