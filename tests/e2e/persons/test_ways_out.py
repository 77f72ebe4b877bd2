"""Every way out, and what it shows of who is restricted, erased or deleted: the table of
docs/rights.md, row by row."""

import json
import os
import re
import unittest

from harness import Server
from served import new_id, person
from tables import query

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs/rights.md")
MARKS = {"restricted": "xanthippe", "erased": "ypsilanti", "deleted": "zanzibar"}
RESTRICTED, ERASED, DELETED = MARKS.values()
KINDS = tuple(MARKS)


def rows():
    with open(PAGE, encoding="utf-8") as file:
        told = file.read().split("## Every way out", 1)[1]
    return re.findall(r"^\| (?!way out|---)(.+?) \|", told, re.M)


class WaysOut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"SEALED": "true"}).start()
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.tokens = {name: cls.server.run("token", "create", name, *scopes).stdout.strip()
                      for name, scopes in {
                          "root": ["--scope", "admin"],
                          "other": ["--scope", "read", "--scope", "audit",
                                    "--scope", "write"]}.items()}
        cls.server.wait_for(lambda: cls.client.get("/persons").status == 401 and all(
            cls.ask("GET", "/tokens/self", by=name).status == 200 for name in cls.tokens),
            "tokens known")
        cls.made = {kind: cls.make(mark) for kind, mark in MARKS.items()}
        cls.before = cls.client.get("/health").data["head"]
        for method, path in (("POST", cls.path("restricted") + "/restriction"),
                             ("DELETE", cls.path("erased") + "?erase=true"),
                             ("DELETE", cls.path("deleted"))):
            answer = cls.ask(method, path)
            assert answer.status in (200, 201), answer.body

    @classmethod
    def ask(cls, method, path, body=None, by="root", **headers):
        return cls.client.request(method, path, body, {
            "Authorization": "Bearer " + cls.tokens[by], **headers})

    @classmethod
    def post(cls, path, body):
        answer = cls.ask("POST", path, body)
        assert answer.status == 201, answer.body
        return answer.data

    @classmethod
    def make(cls, mark):
        """Of seven records, of which one says nothing but who and when: none."""
        before = cls.post("/events", {"anonymous_id": mark, "event_type": mark})
        one = cls.post("/persons", person(email=f"{mark}@x.mock", first_name=mark,
                                          external_id=mark, properties={"p": mark}))
        cls.post(f"/persons/{one['id']}/aliases", {"anonymous_id": mark})
        event = cls.post("/events", {"person_id": one["id"], "event_type": mark})
        return {"id": one["id"], "events": [before["id"], event["id"]]}

    @classmethod
    def path(cls, kind):
        return "/persons/" + cls.made[kind]["id"]

    def statuses(self, path, by="other", **headers):
        """Of a path for each of the three."""
        return [self.ask("GET", path(kind), by=by, **headers).status for kind in KINDS]

    def seen(self, text):
        return [mark in text for mark in MARKS.values()]

    def shown(self, path, by="other"):
        answer = self.ask("GET", path, by=by)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def path_by_id(self):
        for path in (self.path, lambda kind: self.path(kind) + "/aliases",
                     *(lambda kind, n=n: "/events/" + self.made[kind]["events"][n]
                       for n in range(2))):
            self.assertEqual(self.statuses(path), [403, 410, 404])
        self.assertEqual(self.ask("GET", self.path("restricted")).status, 200)

    def path_by_external_id(self):
        for more in ("", "/aliases"):
            self.assertEqual(self.statuses(
                lambda kind, more=more: f"/persons/by/external_id/{MARKS[kind]}{more}"),
                [403, 404, 404])

    def history(self):
        self.assertEqual(self.statuses(lambda kind: self.path(kind) + "/history"),
                         [403, 200, 200])
        erased = self.shown(self.path("erased") + "/history").data
        self.assertEqual([each["type"] for each in erased], ["person.erased"])
        self.assertIn(DELETED, self.shown(self.path("deleted") + "/history").body.decode())

    def lists(self):
        for kind, mark in MARKS.items():
            one = self.made[kind]["id"]
            for path in (f"/persons?email={mark}@x.mock", f"/persons?q={mark}",
                         f"/persons?external_id={mark}", f"/persons?anonymous_id={mark}",
                         f"/events?person_id={one}", f"/events?keyword={mark}",
                         f"/events?anonymous_id={mark}", f"/events?email={mark}@x.mock"):
                answer = self.shown(path + "&count=exact")
                self.assertEqual((answer.data, answer.json["response"]["count"]), ([], 0),
                                 path)
        for path in ("/persons?limit=1000", "/events?limit=1000"):
            self.assertEqual(self.seen(self.shown(path).body.decode()), [False] * 3)

    def counts(self):
        types = {each["event_type"]: each["count"] for each in self.shown("/events/types").data}
        self.assertEqual([types.get(mark, 0) for mark in MARKS.values()], [2, 0, 0])
        for mark, reached in zip(MARKS.values(), (1, 0, 0)):
            steps = self.shown(f"/events/funnel?steps=signup,{mark}").data["steps"]
            self.assertEqual(steps[1]["persons"], reached, mark)

    def log(self):
        records = self.shown("/log?limit=1000").data
        said = json.dumps(records)
        self.assertEqual(self.seen(said), [False, False, True])
        # And the signup; and one of the deleted's of before, whose it was nobody knows.
        for word, count in (("restricted", 6), ("erased", 5)):
            shut = [each for each in records if each["data"].get(word) is True]
            self.assertEqual(len(shut), count, word)
        one = next(each for each in records if each["type"] == "person.created")
        self.assertEqual(self.shown(f"/log/{one['sequence']}").data["data"],
                         {"restricted": True})

    def log_bytes(self):
        created = [each["sequence"] for each in self.shown("/log?limit=1000").data
                   if each["type"] == "person.created"]
        answers = [self.ask("GET", f"/log/{sequence}", by="other",
                            Accept="application/msgpack") for sequence in created]
        self.assertEqual([each.status for each in answers], [403, 200, 200])
        for answer, mark in zip(answers, MARKS.values()):
            self.assertNotIn(mark.encode(), answer.body)

    def writes(self):
        taken = self.ask("POST", "/persons", person(email=RESTRICTED + "@x.mock"), by="other")
        self.assertEqual(taken.status, 409)
        self.assertNotIn(self.made["restricted"]["id"], taken.body.decode())
        for mark in (ERASED, DELETED):
            free = self.ask("POST", "/persons", person(email=mark + "@x.mock",
                                                       first_name="other"), by="other")
            self.assertEqual(free.status, 201, free.body)
            self.assertEqual(self.ask("DELETE", f"/persons/{free.data['id']}?erase=true").status,
                             200)

    def export(self):
        self.assertEqual(self.statuses(lambda kind: self.path(kind) + "/export"), [403] * 3)
        told = [self.shown(self.path(kind) + "/export", by="root").body.decode()
                for kind in KINDS]
        self.assertEqual([mark in text for mark, text in zip(MARKS.values(), told)],
                         [True, False, True])

    def in_tables(self, schema, persons, events):
        self.client.request("GET", "/persons?limit=1", None,
                            {"Authorization": "Bearer " + self.tokens["root"]})
        return [[int(query(self.server, f"select count(*) from {schema}.{table} "
                                        f"where {column} = '{self.made[kind]['id']}'"))
                 for kind in KINDS]
                for table, column in ((persons, "id"), (events, "person_id"))]

    def sql_views(self):
        self.assertEqual(self.in_tables(self.server.env["DB_SCHEMA"], "person_shown",
                                        "event_shown"), [[0, 0, 0], [0, 0, 0]])

    def sql_tables(self):
        self.assertEqual(self.in_tables(self.server.env["DB_SCHEMA"], "person", "event"),
                         [[1, 0, 0], [3, 0, 0]])

    def replayed(self):
        if not hasattr(type(self), "replay"):
            type(self).replay = "then_" + new_id().replace("-", "")
            self.server.run("replay", "--to", str(self.before), "--into", self.replay)
            self.addClassCleanup(query, self.server, f"drop schema {self.replay} cascade")
        return self.replay

    def replay_views(self):
        self.assertEqual(self.in_tables(self.replayed(), "person_shown", "event_shown"),
                         [[0, 0, 1], [0, 0, 3]])

    def replay_tables(self):
        self.assertEqual(self.in_tables(self.replayed(), "person", "event"),
                         [[1, 0, 1], [3, 0, 3]])

    def export_unsealed(self):
        path = os.path.join(self.server.data_dir, "unsealed.ndjson")
        self.server.run("export", path, "--unseal")
        with open(path, encoding="utf-8") as file:
            told = file.read()
        self.assertEqual(self.seen(told), [True, False, True])
        self.assertIn('"person.restricted"', told)

    def log_command(self):
        told = self.server.run("log", "list", "--json").stdout
        self.assertEqual(self.seen(told), [True, False, True])

    ROWS = {
        "a path with the id of the person, or of an event": path_by_id,
        "a path with the external id": path_by_external_id,
        "`/persons/{id}/history`": history,
        "`GET /persons`, `GET /events`, by any filter, and their counts": lists,
        "statistics, funnels, retention, of all": counts,
        "`/log`, `/log/{sequence}`, streams": log, # streams: test_restriction, test_erase
        "`/log/{sequence}` as `application/msgpack`": log_bytes,
        "what a write is answered: a taken email": writes,
        "`/persons/{id}/export` (`admin`)": export,
        "SQL: `person_shown`, `event_shown`": sql_views,
        "SQL: the tables": sql_tables,
        "`daybook replay` of before, by `person_shown`, `event_shown`": replay_views,
        "`daybook replay` of before, by the tables": replay_tables,
        "`daybook relay`": None, # tests/tools/cluster/test_relay_render.c
        "`daybook export --unseal` (an operator's)": export_unsealed,
        "`daybook log` (an operator's)": log_command,
    }

    def test_each_row_of_the_page(self):
        self.assertEqual(rows(), list(self.ROWS))
        for row, test in self.ROWS.items():
            if test and test is not type(self).writes:
                with self.subTest(row):
                    test(self)
        self.writes()  # which appends: at the end

    def test_the_views_follow_at_once(self):
        schema = self.server.env["DB_SCHEMA"]
        path = self.path("restricted") + "/restriction"
        self.assertEqual(self.ask("DELETE", path).status, 200)
        self.assertEqual(self.in_tables(schema, "person_shown", "event_shown"),
                         [[1, 0, 0], [3, 0, 0]])
        self.assertEqual(self.ask("POST", path).status, 201)
        self.sql_views()
        self.server.run("rebuild")
        self.sql_views()


if __name__ == "__main__":
    unittest.main()
