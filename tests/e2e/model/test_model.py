"""Random requests against a real server and a small model of it: after each the answer
and the log must be what the model says; with stops, kills, rebuilds, and moves by backup
or export in between."""

import json
import os
import random
import re
import shutil
import unittest
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode

from fold import check_reads
from harness import PATIENCE, Client, Server
from model import Model, same
from model_api import Api
from model_bodies import Refused
from model_exchange import OK, Request, settled
from model_requests import Requests
from postgres import Postgres
from served import TIMESTAMP, UUIDV7

SEED = int(os.environ.get("DAYBOOK_SEED", 1))
ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 1))   # each with a seed of its own
AT_ONCE = int(os.environ.get("DAYBOOK_AT_ONCE", 1))  # of these
STEPS = int(os.environ.get("DAYBOOK_STEPS", 500))   # in each round
EVERY = int(os.environ.get("DAYBOOK_EVERY", 500))   # steps, each happening once


class Admins(Server):
    """One whose clients are admins; but who may only read sees nobody who is restricted."""

    SCOPES = {"root": ("admin",), "reader": ("read", "audit")}

    def make_tokens(self):
        self.tokens = {name: self.run("token", "create", name, "--scope", ",".join(scopes))
                       .stdout.strip() for name, scopes in self.SCOPES.items()}
        return self

    def take_tokens(self, other):
        self.tokens = other.tokens
        shutil.copy(os.path.join(other.data_dir, "tokens"), self.data_dir)

    def client(self, timeout=PATIENCE):
        client = AdminClient(self.port, timeout)
        client.token = self.tokens["root"]
        self.clients.append(client)
        return client


class AdminClient(Client):
    def request(self, method, path, body=None, headers=None):
        return super().request(method, path, body, {
            "Authorization": "Bearer " + self.token, **(headers or {})})


class Life:
    """A server, and what happens to it. Nothing is in flight meanwhile."""

    def __init__(self, model):
        self.model, self.moves = model, 0
        self.postgres = Postgres()
        self.server = self.new_server().make_tokens().start()
        self.client = self.server.client()

    def new_server(self):
        return Admins(env=dict(self.postgres.settings(), READ_WAIT="60"))

    def close(self):
        try:
            self.server.close()
        finally:
            self.postgres.close()

    def restart(self):
        self.server.stop()
        self.server.start()

    def kill_server(self):
        self.server.kill()
        self.server.start()

    def kill_both(self):
        self.server.kill()
        self.postgres.kill()
        self.server.start()  # with nobody to read from
        self.postgres.start()

    def rebuild(self):
        self.server.run("rebuild")

    def move(self, *tools):
        """To a directory of its own, by the first tool's file or folder."""
        old, self.server = self.server, self.new_server()
        between = os.path.join(old.data_dir, f"moved{self.moves}")
        self.moves += 1
        try:
            old.run(tools[0], between)
            if tools[1] == "import":
                old.bring_keys(self.server.data_dir)
            self.server.run(tools[1], between)
            self.server.take_tokens(old)
        finally:
            old.close()
        self.server.start()

    def back_up_and_restore(self):
        self.move("backup", "restore")

    def export_and_import(self):
        """Keys of requests are not in an export: from here on none is known."""
        self.move("export", "import")
        self.model.keys.clear()

    def happen(self, what):
        getattr(self, what)()
        self.client.close()
        self.client = self.server.client()
        self.settle()

    def settle(self):
        self.server.wait_for(
            lambda: self.client.get("/persons?limit=1").status == 200, "reads")
        check_reads(self.server, self.model.records)


# Each of these once in so many steps, when chance says.
HAPPENINGS = ("restart", "kill_server", "lose_postgres", "kill_both", "rebuild",
              "back_up_and_restore", "export_and_import")


class Difference(AssertionError):
    pass


class Walk:
    """One seed's requests."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.model = Model()
        self.api = Api(self.model)
        self.requests = Requests(self.chance, self.model)
        self.life = Life(self.model)
        self.statuses = {}

    def run(self, steps, happenings):
        """So many steps, with each of these somewhere in between."""
        when = dict(zip(self.chance.sample(range(1, steps), len(happenings)), happenings))
        for step in range(steps):
            try:
                self.step(when.get(step))
            except Exception as error:
                raise AssertionError(f"step {step}: {when.get(step, '')}\n"
                                     f"{error}") from error
        if self.api.away:
            self.find_postgres()
        self.check_tables()

    def check_tables(self):
        """Posted, rebuilt and replayed they are the same."""
        for rebuild in (False, True):
            if rebuild:
                self.life.rebuild()
            check_reads(self.life.server, self.model.records)
            self.life.server.run("verify", "--projection")

    def step(self, happening):
        if self.api.away and (happening or self.chance.random() < 0.05):
            self.find_postgres()
        if happening == "lose_postgres":
            self.lose_postgres()
        elif happening:
            self.life.happen(happening)
        request = self.requests.next()
        expected, answer = self.api.expect(request), self.ask(request)
        try:
            self.check(request, expected, answer)
        except Difference as error:
            raise Difference(f"{error}\n{request}\nanswered {answer.status} "
                             f"{dict(answer.headers)}\n{answer.body}\n"
                             f"not {expected}") from error
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1

    def lose_postgres(self):
        """For the next steps."""
        self.life.postgres.kill()
        self.api.away = True

    def find_postgres(self):
        self.life.postgres.start()
        self.api.away = False
        self.life.settle()

    def ask(self, request):
        path = request.path + ("?" + urlencode(request.query) if request.query else "")
        by = {} if request.admin else {
            "Authorization": "Bearer " + self.life.server.tokens["reader"]}
        return self.life.client.request(request.method, path, request.body,
                                        {**request.headers, **by})

    def check(self, request, expected, answer):
        if expected.may_be_away and answer.status == 503:
            return
        if not (expected.replay and expected.loose):
            equal("status", answer.status, expected.status)
        made = self.take(request, expected)
        if expected.replay:
            if not expected.loose:
                equal("the first answer", answer.body, expected.replay.body)
            equal("Idempotency-Replayed", answer.headers["Idempotency-Replayed"], "true")
            for name in ("Location", "ETag", "Daybook-Sequence"):
                equal(name, answer.headers[name], expected.replay.headers[name])
            return
        if request.method == "HEAD" or answer.status == 304:
            equal("body", answer.body, b"")
        else:
            self.check_body(expected, answer, expected.data(made))
        equal("Retry-After", answer.headers["Retry-After"] is not None,
              answer.status == 503)
        for name, value in expected.headers(made).items():
            check_header(name, answer.headers[name], value)
        if expected.key:
            key, asked = expected.key
            self.model.keys[key] = asked, answer, expected.loose
        shown = expected.data(made)
        if request.method == "GET" and answer.status in (200, 304) \
                and isinstance(shown, dict) and {"events", "anonymous_id"} & shown.keys():
            self.check_tag(answer.headers["ETag"], shown)

    def take(self, request, expected):
        """The records behind those known, which must be those expected."""
        if request.method in ("GET", "HEAD"):
            return []
        made = self.life.client.get(f"/log?after={self.model.head}").data
        drafts = expected.drafts
        if expected.may_be_less and len(made) < len(drafts):
            drafts = drafts[1:]
        equal("records appended", len(made), len(drafts))
        for record, draft in zip(made, drafts):
            check_record(record, draft, made, request, self.model.head + 1)
            self.model.append(record)
        return made

    def check_body(self, expected, answer, data):
        equal("Content-Type", answer.headers["Content-Type"], "application/json")
        equal("names", list(answer.json), ["data", "response"])
        response = answer.json["response"]
        equal("response.status", response["status"], answer.status)
        equal("fields", fields_of(response), expected.fields)
        equal("holder", holder_of(response), expected.holder)
        if isinstance(data, list) and data and "index" in data[0]:
            equal("data", [verdict_of(one) for one in answer.data], data)
            if answer.status != 200:
                equal("refused", response["refused"],
                      sum(one["status"] >= 400 for one in data))
        elif answer.status >= 400:
            equal("data", answer.data, None)
        else:
            equal("data", answer.data, data)
        if expected.details:
            equal("details", response["details"], expected.details)
        elif not response["details"] or response["details"] == OK:
            raise Difference(f"details are {response['details']!r}")

    def check_tag(self, tag, shown):
        if not re.fullmatch(r'"\d+-[0-9a-f]+"', tag):
            raise Difference(f"ETag is {tag}")
        equal(f"what {tag} stands for", self.model.tags.setdefault(tag, shown), shown)


def equal(what, found, wanted):
    if found != wanted if isinstance(found, bytes) else not same(found, wanted):
        raise Difference(f"{what} is {found!r:.300}, not {wanted!r:.300}"
                         + first_of(found, wanted))


def first_of(found, wanted):
    """Where long ones begin to differ."""
    one, other = (json.dumps(value, sort_keys=True, default=repr)
                  for value in (found, wanted))
    at = max(len(os.path.commonprefix([one, other])) - 20, 0)
    return f"\nfrom {one[at:at + 200]!r}, not {other[at:at + 200]!r}"


def check_header(name, found, value):
    if name == "Link" and value:
        link = re.fullmatch(r'<([^?]*)\?(.*)>; rel="next"', found or "")
        equal(name, link and [link[1], dict(parse_qsl(link[2], keep_blank_values=True))],
              list(value))
    elif name == "ETag" and value and found:  # some have a checksum behind
        equal(name, re.sub(r'^"(\d+)-[0-9a-f]{8,16}"$', r'"\1"', found), value)
    else:
        equal(name, found, None if value is None else str(value))


def check_record(record, draft, made, request, at_least):
    subject = record["subject_id"]
    if draft.subject is None and not UUIDV7.fullmatch(subject):
        raise Difference(f"an id of the server's own is {subject}")
    if not TIMESTAMP.fullmatch(record["recorded_at"]) or record["sequence"] != at_least:
        raise Difference(f"record {at_least} is {record}")
    equal("record", record, {
        "format": draft.format, "type": draft.type, "sequence": at_least,
        "recorded_at": record["recorded_at"],
        "subject_id": settled(draft.subject, made) or subject,
        "data": settled(draft.data, made),
        "meta": {"actor": "root", "request_id": request.headers["X-Request-Id"],
                 "source": "rest"}})


def fields_of(answer):
    return sorted(error["field"] for error in answer.get("errors", []))


def holder_of(answer):
    """Who has what was asked for."""
    for error in answer.get("errors", []):
        if "person_id" in error:
            return error["person_id"]
    return None


def verdict_of(item):
    """An item of a batch's answer as the model says it: no words."""
    shown = {name: value for name, value in item.items()
             if name not in ("details", "errors")}
    if "details" in item:
        shown["fields"] = fields_of(item)
    if holder_of(item):
        shown["holder"] = holder_of(item)
    return shown


class ModelOfBodies(unittest.TestCase):
    def test_a_wrong_member_is_told_before_what_is_no_json_behind_it(self):
        whole = '{"context":{},"items":[{"a":"}"}],"colour":"red"}'
        for text, fields in ((whole, ["colour"]), (whole + ",", ["colour"]),
                             (whole[:-1], ["colour"]), (whole[:-2], []),
                             ('{"context":7', ["context"]), ('{"context":{}', []),
                             ('[{"colour":7}', []), ("", []), ("nil", [])):
            with self.assertRaises(Refused) as refused:
                Request("POST", "/events/batch", body=text.encode(),
                        headers={"Content-Type": "application/json"}).items()
            self.assertEqual((text, refused.exception.status, refused.exception.fields),
                             (text, 400, fields))


class ModelOfTheWhole(unittest.TestCase):
    def walk(self, seed):
        """None, or what was wrong."""
        walk = Walk(seed)
        try:
            walk.run(STEPS, HAPPENINGS * max(STEPS // EVERY, 1))
        except AssertionError as error:
            print(f"seed {seed}: FAILED\n{error}", flush=True)
            return f"seed {seed}: {error}"
        finally:
            walk.life.close()
        print(f"seed {seed}: {STEPS} steps, {walk.model.head} records, answers "
              f"{dict(sorted(walk.statuses.items()))}", flush=True)
        return None

    def test_each_answer_is_the_models(self):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            wrong = list(filter(None, pool.map(self.walk, range(SEED, SEED + ROUNDS))))
        self.assertFalse(wrong, "\n\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
