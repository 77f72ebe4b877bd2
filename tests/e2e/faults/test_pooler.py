"""A pooler between the program and PostgreSQL: in session mode all works; in any other it
is refused by name, before anything is set or done that others behind it would meet."""

import unittest

from fold import check_reads
from harness import Server
from pooler import Pooler, Traffic, pgbouncer
from postgres import Postgres

FAILED = 3
REFUSED = "DB_HOST is a pooler in transaction or statement mode"
# What a session has that is not its own at the start, and the locks of all.
SESSION = ("select current_setting('search_path'), current_setting('statement_timeout'), "
           "current_setting('jit'), current_setting('plan_cache_mode'), "
           "(select count(*) from pg_prepared_statements), "
           "(select count(*) from pg_locks where locktype = 'advisory'), "
           "(select count(*) from event)")
UNTOUCHED = '"$user", public|0|on|auto|0|0|2'


class Pooled(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pgbouncer()
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        # Another application's table, of a name that ours have.
        cls.postgres.sql("create table public.event (id int)",
                         "insert into public.event values (1), (2)")

    def pooler(self, mode, **settings):
        pooler = Pooler(self.postgres, mode, **settings)
        self.addCleanup(pooler.stop)
        return pooler

    def server(self, pooler):
        server = Server(env=dict(self.postgres.settings(), SHOW_ERROR_DETAILS="true",
                                 **pooler.env()))
        self.addCleanup(server.close)
        return server

    def application(self, pooler):
        application = pooler.application()
        self.addCleanup(application.close)
        return application

    def write(self, client, name):
        made = client.post("/persons", {"email": f"{name}@b.test", "first_name": "A",
                                        "last_name": "B"})
        self.assertEqual(made.status, 201, made.details)
        return made.data

    def assert_untouched(self, application):
        """In each session that it may be given: ours were as many at most."""
        for _ in range(12):
            self.assertEqual(application.ask(SESSION), UNTOUCHED)

    def assert_refused(self, pooler):
        server = self.server(pooler)
        application = self.application(pooler)
        self.assert_untouched(application)
        server.start()
        client = server.client()
        self.write(client, "a")
        read = client.get("/persons")
        self.assertEqual(read.status, 503)
        self.assertIn(REFUSED, read.details)
        self.assertIn(REFUSED, client.get("/health").body.decode())
        server.wait_for(lambda: REFUSED in server.told(), "its line")
        for command in (["status"], ["migrate"], ["migrate", "--status"], ["rebuild"],
                        ["rebuild", "--dry-run"], ["rebuild", "--undo"],
                        ["rebuild", "--drop-old"], ["replay", "--into", "then"],
                        ["verify", "--projection"], ["retry"]):
            with self.subTest(command=command):
                done = server.run(*command, check=False)
                self.assertEqual(done.returncode, FAILED, done.stderr)
                self.assertIn(REFUSED, done.stderr)
        self.assert_untouched(application)
        server.stop()
        done = server.run("migrate", "--down", check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn(REFUSED, done.stderr)
        self.assert_untouched(application)
        self.assertEqual(self.postgres.sql(
            "select count(*) from pg_namespace where nspname = "
            f"'{server.env['DB_SCHEMA']}'"), "0")
        return server

    def test_transaction_mode_is_refused_and_leaves_nothing_behind(self):
        self.assert_refused(self.pooler("transaction"))

    def test_however_it_gives_out_its_sessions_it_is_refused(self):
        self.assert_migrate_refused(self.pooler("statement"))
        self.assert_migrate_refused(self.pooler("transaction", default_pool_size=1))
        for number in (2, 3):
            self.assert_migrate_refused(self.pooler(
                "transaction", server_round_robin=1, default_pool_size=number,
                min_pool_size=number))

    def test_among_the_work_of_others_it_is_refused(self):
        pooler = self.pooler("transaction", default_pool_size=5)
        others = Traffic(pooler)
        self.addCleanup(others.stop)
        for _ in range(10):
            self.assert_migrate_refused(pooler)

    def assert_migrate_refused(self, pooler):
        done = self.server(pooler).run("migrate", check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn(REFUSED, done.stderr)
        self.assert_untouched(self.application(pooler))

    def test_once_the_mode_is_right_it_goes_on_by_itself(self):
        pooler = self.pooler("transaction")
        server = self.server(pooler).start()
        client = server.client()
        person = self.write(client, "a")
        self.assertEqual(client.get("/persons").status, 503)
        pooler.configure(pool_mode="session")
        server.wait_for(lambda: client.get("/persons").status == 200, "the return of reads")
        self.assertEqual(client.get("/persons").data, [person])

    def test_a_mode_that_turns_while_it_serves_changes_no_row_of_others(self):
        pooler = self.pooler("session")
        server = self.server(pooler).start()
        client = server.client()
        person = self.write(client, "a")
        self.assertEqual(client.get("/persons").data, [person])
        application = self.application(pooler)
        self.assertEqual(application.ask("select count(*) from event"), "2")
        pooler.configure(pool_mode="transaction")
        for i in range(20):  # what it does with sessions that are shared from now on
            self.write(client, f"b{i}")
            client.get("/persons")
        server.wait_for(lambda: REFUSED in client.get("/persons").details, "its refusal")
        self.assertEqual(application.ask("select count(*) from public.event"), "2")
        pooler.configure(pool_mode="session")
        server.wait_for(lambda: client.get("/persons").status == 200, "the return of reads")
        check_reads(server, server.log_records())
        server.run("verify", "--projection")

    def test_session_mode_does_all_that_postgresql_does(self):
        for reset in ("DISCARD ALL", ""):
            with self.subTest(server_reset_query=reset):
                self.check_session_mode(self.pooler(
                    "session", server_reset_query=reset, server_reset_query_always=0))

    def check_session_mode(self, pooler):
        server = self.server(pooler).start()
        client = server.client()
        for i in range(20):
            person = self.write(client, f"a{i}")
            read = client.get("/persons/" + person["id"])
            self.assertEqual((read.status, read.data), (200, person))
        server.run("rebuild", "--keep-old")
        self.write(client, "b")
        server.run("rebuild", "--undo")
        server.run("rebuild", "--drop-old")
        server.run("rebuild")
        server.run("replay", "--into", server.env["DB_SCHEMA"][:40] + "_then")
        server.run("verify", "--projection")
        server.run("rebuild", "--dry-run")
        self.assertIn("lag", server.run("status").stdout)
        client.delete("/persons/" + person["id"])
        check_reads(server, server.log_records())
        server.stop()
        server.run("migrate", "--down")
        server.run("migrate")
        for application in [self.application(pooler) for _ in range(6)]:
            self.assert_untouched(application)
            application.close()
        server.start()
        check_reads(server, server.log_records())
        server.stop()
        pooler.stop()

    def test_a_pool_that_is_too_small_says_so(self):
        pooler = self.pooler("session", default_pool_size=1)
        done = self.server(pooler).run("migrate", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("default_pool_size", done.stderr)


if __name__ == "__main__":
    unittest.main()
