"""The views of examples/postgres: a rebuild leaves them as they are, and refuses to go on where
there is one of the tables themselves."""

import os
import unittest

from served import Served, new_id
from tables import query

VIEWS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples/postgres/views.sql")


class Views(Served):
    def setUp(self):
        """In a schema of the test's own, over the server's."""
        self.client.get("/persons?limit=1")  # and so there are tables
        self.bi, tables = "bi_" + new_id().replace("-", ""), self.server.env["DB_SCHEMA"]
        with open(VIEWS, encoding="utf-8") as file:
            self.sql = file.read().replace("daybook.", tables + ".").replace("bi.", self.bi + ".") \
                .replace("if not exists bi;", f"if not exists {self.bi};")
        query(self.server, self.sql)
        self.addCleanup(query, self.server, f"drop schema {self.bi} cascade")

    def shown(self, what):
        return query(self.server, what.replace("bi.", self.bi + "."))

    def test_they_show_what_the_tables_have_and_outlive_them(self):
        kate = self.created(external_id=new_id(), properties={"plan": "pro"})
        self.recorded(kate["id"], "view", datetime_created="2026-01-02T03:04:05.678901")
        self.recorded(kate["id"], "view", datetime_created="2026-01-02T23:59:59.999999")
        self.client.get("/events?limit=1")  # and so the tables have them
        asked = (f"select external_id, email, properties from bi.persons where id = '{kate['id']}'",
                 "select person_id, event_type, at at time zone 'utc' from bi.events order by at",
                 "select day, event_type, events, persons from bi.days order by day, event_type")
        before = [self.shown(each) for each in asked]
        self.assertEqual(before[0], f'{kate["external_id"]}|{kate["email"]}|{{"plan": "pro"}}')
        self.assertIn(f"{kate['id']}|view|2026-01-02 03:04:05.678901", before[1])
        self.assertIn("2026-01-02|view|2|1", before[2])
        self.shown("create view bi.direct as select id from event")
        refused = self.server.run("rebuild", check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn(f"view {self.bi}.direct", refused.stderr)
        self.shown("drop view bi.direct")
        self.server.run("rebuild")
        self.assertEqual([self.shown(each) for each in asked], before)
        query(self.server, self.sql)  # again, with no harm

    def test_indexes_are_used_as_if_the_tables_stood_there(self):
        plan = self.shown("set enable_seqscan = off; explain select * from bi.events "
                          f"where person_id = '{new_id()}'")
        self.assertIn("event_person", plan)
        self.assertNotIn("Function Scan", plan)

    def test_rights_on_them_outlive_a_rebuild(self):
        role, tables = "r_" + new_id().replace("-", ""), self.server.env["DB_SCHEMA"]
        try:
            query(self.server, f"create role {role}")
        except AssertionError as error:
            self.skipTest(f"this user may make no role: {error}")
        self.addCleanup(query, self.server, f"drop owned by {role}; drop role {role}")
        query(self.server, f"grant usage on schema {self.bi}, {tables} to {role};"
                           f"grant select on all tables in schema {self.bi}, {tables} to {role}")
        for _ in range(2):
            self.shown(f"set role {role}; select count(*) from bi.events, bi.persons, bi.days")
            self.server.run("rebuild")


if __name__ == "__main__":
    unittest.main()
