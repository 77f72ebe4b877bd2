"""What else can be wrong with PostgreSQL, one fault a test: writes go on, reads and the
operator's places tell what it is, and once it is mended all is as the log says, without
help where help is not the remedy itself."""

import unittest

from fold import check_reads
from harness import Server
from postgres import Postgres, Sessions
from tables import query

DONE, DIFFERENT, FAILED = 0, 1, 3


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def setUp(self):
        self.addCleanup(self.postgres.heal)
        self.role = self.postgres.make_role()
        self.server = Server(env=dict(self.postgres.settings(self.role), DB_PASS="first",
                                      SHOW_ERROR_DETAILS="true"))
        self.addCleanup(self.server.close)
        self.schema = self.server.env["DB_SCHEMA"]
        self.names = 0

    def start(self):
        self.server.start()
        self.client = self.server.client()
        person = self.write()
        self.assertEqual(self.client.get("/persons").data, [person])

    def write(self):
        self.names += 1
        made = self.client.post("/persons", {"email": f"a{self.names}@b.test",
                                             "first_name": "A", "last_name": "B"})
        self.assertEqual(made.status, 201, made.details)
        return made.data

    def is_degraded(self, words):
        health = self.client.get("/health")
        return health.data["status"] == "degraded" and words in health.body.decode()

    def assert_away(self, words, read="/persons"):
        """Writes go on; reads and the health say so, in these words."""
        for _ in range(3):
            person = self.write()
        self.server.wait_for(lambda: self.is_degraded(words), f"{words} in /health")
        for path in (read, f"/persons/{person['id']}"):
            answer = self.client.get(path)
            self.assertEqual(answer.status, 503, answer.body)
            self.assertTrue(answer.headers["Retry-After"].isdigit())
            self.assertIn(words, answer.details)
        self.assertEqual(self.client.get("/log?limit=1").status, 200)
        self.server.wait_for(lambda: words in self.server.told(), "its line")

    def assert_status(self, words, code=FAILED):
        told = self.server.run("status", check=False)
        self.assertEqual(told.returncode, code, told.stdout + told.stderr)
        self.assertIn(words, told.stdout)
        self.assertRegex(told.stdout, r"(?m)^head +\d")

    def assert_healed(self):
        """All that was written can be read, and no table differs from the log."""
        self.server.wait_for(lambda: self.client.get("/persons?limit=1").status == 200,
                             "the return of reads")
        self.assertEqual(self.client.get("/health").data["status"], "ok")
        self.write()
        check_reads(self.server, self.server.log_records())
        self.assertEqual(self.server.run("status").returncode, DONE)
        self.server.run("verify", "--projection")

    def take_all(self, sessions):
        """Until ours are gone and there is no room for new ones."""
        def taken():
            self.postgres.end_sessions(self.role)
            while sessions.take():
                pass
            return self.client.get("/health").data["status"] == "degraded" \
                and self.postgres.sql("select count(*) from pg_stat_activity where "
                                      f"usename = '{self.role}'") == "0"
        self.server.wait_for(taken, "others having all connections")

    def test_others_have_all_connections(self):
        self.postgres.configure(max_connections=16)
        self.postgres.restart()
        others = Sessions(self.postgres, self.postgres.make_role())
        self.addCleanup(others.release)
        self.start()
        self.take_all(others)
        self.assert_away("remaining connection slots are reserved")
        self.assert_status("remaining connection slots are reserved")
        others.release()
        self.assert_healed()

    def test_read_only_it_answers_what_it_has_and_is_behind_what_is_written(self):
        self.start()
        self.postgres.configure(default_transaction_read_only="on")
        self.assertEqual(len(self.client.get("/persons").data), 1)
        self.assert_away("read-only")
        self.assert_status("read-only", DIFFERENT)
        self.postgres.configure(default_transaction_read_only="off")
        self.assert_healed()

    def test_the_password_is_no_longer_right(self):
        self.postgres.admit(f"local all {self.role} scram-sha-256")
        self.addCleanup(self.postgres.admit)
        self.start()
        self.postgres.sql(f"alter role {self.role} password 'second'")
        self.postgres.end_sessions(self.role)
        self.assert_away("password authentication failed")
        self.assert_status("password authentication failed")
        self.assertNotIn("first", self.server.told())
        self.postgres.sql(f"alter role {self.role} password 'first'")
        self.assert_healed()

    def test_it_lets_us_in_no_more(self):
        self.start()
        self.postgres.admit(f"local all {self.role} reject")
        self.addCleanup(self.postgres.admit)
        self.postgres.end_sessions(self.role)
        self.assert_away("pg_hba.conf rejects")
        self.assert_status("pg_hba.conf rejects")
        self.postgres.admit()
        self.assert_healed()

    def test_the_rights_to_a_table_are_taken(self):
        self.start()
        self.postgres.sql(f"alter table {self.schema}.event owner to daybook")
        self.assert_away("permission denied")
        self.assert_status("permission denied")
        self.postgres.sql(f"alter table {self.schema}.event owner to {self.role}")
        self.assert_healed()

    def test_its_disk_is_full(self):
        self.postgres.fill_disk()
        self.postgres.empty_disk()
        self.start()
        self.postgres.fill_disk()
        person = self.write()
        for i in range(40):  # more than fits into the pages there are
            made = self.client.post("/events", {
                "event_type": "big", "person_id": person["id"],
                "properties": {str(n): f"{i}/{n}" * 8 for n in range(200)}})
            self.assertEqual(made.status, 201)
        self.assert_away("No space left on device")
        self.assertEqual(self.client.get("/health").data["quarantined"], 0)
        self.postgres.empty_disk()
        self.assert_healed()

    def test_restarted_by_its_administrator(self):
        self.start()
        for how in ("fast", "immediate"):
            self.postgres.restart(how)
            self.write()
            self.assert_healed()

    def break_tables(self, sql, words):
        """While there is nothing to write, and so nobody who needs them."""
        self.start()
        self.postgres.sql(sql.format(self.schema))
        self.assert_away(words)
        self.assert_away("daybook rebuild")
        self.assert_status("daybook rebuild")
        self.assert_rebuilt()

    def assert_rebuilt(self):
        self.server.run("rebuild")
        self.assert_healed()

    def test_a_column_is_dropped(self):
        self.break_tables("alter table {}.person drop column last_name cascade", "last_name")

    def test_a_column_is_of_another_type(self):
        self.break_tables("alter table {}.event drop column sequence cascade, "
                          "add column sequence text", "operator does not exist")

    def test_a_table_is_dropped(self):
        self.break_tables("drop table {}.event cascade", "event")

    def test_the_checkpoint_is_dropped(self):
        self.break_tables("drop table {}.checkpoint", "checkpoint")

    def test_the_quarantine_is_dropped(self):
        self.break_tables("drop table {}.quarantine", "quarantine")

    def test_a_dropped_schema_is_made_again(self):
        self.start()
        self.postgres.sql(f"set client_min_messages = warning; "
                          f"drop schema {self.schema} cascade")
        self.write()
        words = f"the schema {self.schema} was dropped: it is made again from the log"
        self.server.wait_for(lambda: words in self.server.told(), "its line")
        self.assert_healed()
        self.assertEqual(self.server.told().count("was dropped"), 1)

    def test_a_dropped_schema_that_may_not_be_made_again(self):
        self.start()
        self.postgres.sql(f"revoke create on database daybook from {self.role}",
                          f"set client_min_messages = warning; "
                          f"drop schema {self.schema} cascade")
        self.assert_away("permission denied for database")
        self.assert_status("there are no read tables", DIFFERENT)
        self.postgres.sql(f"grant create on database daybook to {self.role}")
        self.assert_rebuilt()

    def test_a_row_that_was_changed_by_hand_is_found_and_rebuilt(self):
        self.start()
        query(self.server, "update person set first_name = 'Eve'")
        found = self.server.run("verify", "--projection", check=False)
        self.assertEqual(found.returncode, DIFFERENT, found.stderr)
        self.assertIn("first_name", found.stdout)
        self.assert_rebuilt()


if __name__ == "__main__":
    unittest.main()
