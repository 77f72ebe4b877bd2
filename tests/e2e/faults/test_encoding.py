"""A database of another encoding than UTF8 is refused, with the line that makes one; and
what of libpq's environment counts for a PostgreSQL that is named."""

import unittest

from harness import Server
from postgres import Postgres

FAILED = 3
REMEDY = "create database daybook encoding 'UTF8' template template0;"
COMMANDS = (["status"], ["migrate"], ["rebuild"], ["replay", "--into", "then"],
            ["verify", "--projection"], ["retry"])


class OfPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def server(self, **env):
        server = Server(env=dict(self.postgres.settings(), SHOW_ERROR_DETAILS="true", **env))
        self.addCleanup(server.close)
        return server

    def write(self, client, first_name="Łukasz"):
        made = client.post("/persons", {"email": f"a@{first_name.encode().hex()}.test",
                                        "first_name": first_name, "last_name": "B"})
        self.assertEqual(made.status, 201, made.details)
        return made.data


class Encoding(OfPostgres):
    def test_it_is_refused_by_all_that_use_it_and_one_of_utf8_is_taken(self):
        for encoding in ("LATIN1", "SQL_ASCII"):
            name = "of_" + encoding.lower()
            self.postgres.sql(f"create database {name} encoding '{encoding}' locale 'C' "
                              "template template0")
            server = self.server(DB_NAME=name).start()
            client = server.client()
            person = self.write(client)
            for path in ("/persons", "/persons/" + person["id"]):
                read = client.get(path)
                self.assertEqual(read.status, 503)
                self.assertIn(f"has the encoding {encoding}", read.details)
                self.assertIn(REMEDY, read.details)
            server.wait_for(lambda server=server: REMEDY in server.told(), "its line")
            for command in COMMANDS:
                with self.subTest(encoding=encoding, command=command):
                    done = server.run(*command, check=False)
                    self.assertEqual(done.returncode, FAILED, done.stderr)
                    self.assertIn(REMEDY, done.stderr)
            server.stop()
        self.postgres.sql("create database of_utf8 encoding 'UTF8' template template0")
        server.env["DB_NAME"] = "of_utf8"
        server.start()
        client = server.client()
        server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        self.assertEqual(client.get("/persons").data, [person])


class Environment(OfPostgres):
    def test_it_does_not_say_where_and_what_counts_is_named(self):
        server = self.server(PGHOSTADDR="192.0.2.1", PGSERVICE="nowhere", PGPORT="1",
                             PGDATABASE="nowhere", PGOPTIONS="-c search_path=pg_catalog",
                             PGSSLMODE="prefer", PGDATESTYLE="German",
                             PGPASSWORD="my own secret").start()
        client = server.client()
        person = self.write(client)
        self.assertEqual(client.get("/persons").data, [person])
        told = server.told()
        for line in told.splitlines():
            if "how DB_HOST is reached" in line:
                self.assertIn("PGSSLMODE", line)
                self.assertIn("PGOPTIONS", line)
                self.assertIn("PGPASSWORD", line)
            if "does not say where" in line:
                self.assertIn("PGHOSTADDR", line)
                self.assertIn("PGSERVICE", line)
        self.assertIn("how DB_HOST is reached", told)
        self.assertIn("does not say where", told)
        self.assertNotIn("my own secret", told)
        self.assertIn("lag", server.run("status").stdout)
        server.run("rebuild")
        self.assertEqual(client.get("/persons").data, [person])

    def test_for_the_private_one_none_counts(self):
        server = Server(private=True, env={
            "PGHOSTADDR": "192.0.2.1", "PGSERVICE": "nowhere", "PGGSSENCMODE": "require",
            "PGREQUIREPEER": "nobody", "PGCHANNELBINDING": "require",
            "PGOPTIONS": "-c search_path=pg_catalog", "PGPORT": "1",
            "PGTARGETSESSIONATTRS": "standby"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        person = self.write(client)
        server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        self.assertEqual(client.get("/persons").data, [person])


if __name__ == "__main__":
    unittest.main()
