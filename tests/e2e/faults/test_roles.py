"""Behind a PostgreSQL of somebody else's: what its administrator grants, sets and asks for.
All works, or is told in a sentence that says what to do, and goes on by itself once that is
done."""

import os
import random
import subprocess
import unittest
import uuid

from fold import check_reads
from harness import Server
from postgres import Postgres, programs

DONE, DIFFERENT, FAILED = 0, 1, 3
PASSWORD = "pa'ss \\ \"word\""  # of all roles here


class OfRole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.postgres.sql("revoke create, temporary on database daybook from public",
                         "revoke all on schema public from public")

    def role(self, *settings, grant="create"):
        name = "app_" + uuid.uuid4().hex[:12]
        quoted = PASSWORD.replace("'", "''")
        self.postgres.sql(f"create role {name} login password '{quoted}'",
                          *(f"alter role {name} set {one}" for one in settings))
        if grant:
            self.postgres.sql(f"grant {grant} on database daybook to {name}")
        return name

    def server(self, role, **env):
        server = Server(env=dict(self.postgres.settings(role), DB_PASS=PASSWORD,
                                 SHOW_ERROR_DETAILS="true", **env))
        self.addCleanup(server.close)
        return server

    def write(self, client):
        made = client.post("/persons", {"email": f"{uuid.uuid4().hex}@I.test",
                                        "first_name": "İlkay I", "last_name": "ıŁ"})
        self.assertEqual(made.status, 201, made.details)
        event = client.post("/events", {"event_type": "click", "person_id": made.data["id"],
                                        "properties": {"I": [None, "\\'"]}})
        self.assertEqual(event.status, 201, event.details)
        return made.data["id"]

    def assert_away(self, server, words):
        """Writes go on; reads, /health and the log say it, in these words."""
        client = server.client()
        person = self.write(client)
        for path in ("/persons", f"/persons/{person}", "/events/types", "/health"):
            # Where it took long to refuse, a read is answered first that it hangs.
            server.wait_for(lambda: words in client.get(path).details, "a refusal of " + path)
            self.assertEqual(client.get(path).status, 503)
        server.wait_for(lambda: words in server.told(), "its line")
        self.assertNotIn("daybook rebuild", server.told())

    def assert_well(self, server):
        """Without a restart, all is what the log says, and so are the counts."""
        client = server.client()
        server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        person = self.write(client)
        self.assertEqual(client.get(f"/persons/{person}").status, 200)
        client.delete(f"/persons/{self.write(client)}")
        check_reads(server, server.log_records())
        self.assertEqual(client.get("/health").status, 200)
        counted = sum(one["count"] for one in client.get("/events/types").data)
        self.assertEqual(counted, client.get("/events?limit=1&count=exact")
                         .json["response"]["count"])
        server.run("verify", "--projection")


class Rights(OfRole):
    def test_without_the_right_to_make_its_schema(self):
        role = self.role(grant=None)
        server = self.server(role).start()
        remedy = f'grant create on database "daybook" to "{role}"'
        self.assert_away(server, remedy)
        made = f'create schema "{server.env["DB_SCHEMA"]}" authorization "{role}"'
        server.wait_for(lambda: made in server.told(), "its line")
        for command in (["migrate"], ["rebuild"], ["serve", "--check", "--port", "0"]):
            done = server.run(*command, check=False)
            self.assertEqual(done.returncode, FAILED, command)
            self.assertIn(remedy, done.stdout + done.stderr)
        self.postgres.sql(remedy)
        self.assert_well(server)

    def test_with_a_schema_and_no_right_to_make_another(self):
        role = self.role(grant=None)
        server = self.server(role)
        schema = server.env["DB_SCHEMA"]
        self.postgres.sql(f"create schema {schema}", f"grant usage on schema {schema} "
                          f"to {role}")
        server.start()
        remedy = f'grant usage, create on schema "{schema}" to "{role}"'
        self.assert_away(server, remedy)
        self.assertIn(remedy, server.run("serve", "--check", "--port", "0",
                                         check=False).stdout)
        self.postgres.sql(remedy)
        client = server.client()
        server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        check_reads(server, server.log_records())
        remedy = f'grant create on database "daybook" to "{role}"'
        for command in (["rebuild"], ["replay", "--into", "then"],
                        ["verify", "--projection"]):
            done = server.run(*command, check=False)
            self.assertEqual(done.returncode, FAILED, command)
            self.assertIn(remedy, done.stderr)
        checked = server.run("serve", "--check", "--port", "0")
        self.assertRegex(checked.stdout, f"(?m)^warn +rights .*{remedy}$")
        self.postgres.sql(remedy)
        self.assertNotIn("rights", server.run("serve", "--check", "--port", "0").stdout)
        self.assert_well(server)


class Settings(OfRole):
    def test_what_a_role_is_set_to_changes_nothing(self):
        role = self.role(
            "search_path = ''", "statement_timeout = '500ms'", "lock_timeout = '1ms'",
            "idle_session_timeout = '200ms'", "idle_in_transaction_session_timeout = '1ms'",
            "default_transaction_isolation = 'serializable'", "timezone = 'Asia/Kathmandu'",
            "datestyle = 'German, DMY'", "bytea_output = 'escape'", "array_nulls = off",
            "standard_conforming_strings = off", "client_encoding = 'LATIN1'",
            "enable_indexscan = off", "row_security = off")
        server = self.server(role).start()
        self.assert_well(server)
        server.run("rebuild", "--keep-old")
        server.run("rebuild", "--undo")
        self.assert_well(server)
        self.assertNotIn("stands still", server.told())

    def test_a_role_whose_tables_are_anothers(self):
        owner = self.role()
        role = self.role(f"role = '{owner}'", grant=None)
        self.postgres.sql(f"grant {owner} to {role}")
        self.assert_well(self.server(role).start())

    def test_read_only_from_the_start(self):
        role = self.role("default_transaction_read_only = on")
        server = self.server(role).start()
        self.assert_away(server, "set default_transaction_read_only off again")
        checked = server.run("serve", "--check", "--port", "0", check=False)
        self.assertEqual(checked.returncode, FAILED)
        self.assertIn("it is read-only", checked.stdout)
        self.postgres.sql(f"alter role {role} reset default_transaction_read_only")
        self.assert_well(server)

    def test_more_connections_than_it_is_given(self):
        role = self.role()
        self.postgres.sql(f"alter role {role} connection limit 3")
        server = self.server(role).start()
        client = server.client()
        person = self.write(client)
        server.wait_for(lambda: client.get(f"/persons/{person}").status == 503
                        and client.get("/health").status == 503, "its refusal")
        words = "raise the role's connection limit, or max_connections"
        self.assertIn(words, client.get(f"/persons/{person}").details)
        self.assertIn(words, client.get("/health").details)
        self.assertIn(words, client.get("/health/ready").body.decode())
        self.postgres.sql(f"alter role {role} connection limit 6")
        # Also where nobody asks for anything but whether it is well.
        server.wait_for(lambda: client.get("/health").status == 200, "its return")
        checked = server.run("serve", "--check", "--port", "0")
        self.assertRegex(checked.stdout, f"(?m)^warn +connections +PostgreSQL gives {role} 6 ")
        self.postgres.sql(f"alter role {role} connection limit -1")
        self.assert_well(server)


class Counted(OfRole):
    """The events are counted by triggers: nothing is posted that they would not see."""

    def assert_held(self, server, write):
        """Nothing of what is written is posted; the sentence."""
        schema = server.env["DB_SCHEMA"]
        before = self.postgres.sql(f"select count(*) from {schema}.event")
        for _ in range(20):
            write()
        server.wait_for(lambda: "triggers" in server.client().get("/persons").details,
                        "a refusal")
        self.assertEqual(self.postgres.sql(f"select count(*) from {schema}.event"), before)

    def test_a_trigger_that_is_disabled_while_it_serves(self):
        server = self.server(self.role()).start()
        client = server.client()
        self.assert_well(server)
        for trigger in ("all", "event_counts_came"):
            table = f"{server.env['DB_SCHEMA']}.event"
            self.postgres.sql(f"alter table {table} disable trigger {trigger}")
            self.assert_held(server, lambda: self.write(client))
            self.postgres.sql(f"alter table {table} enable trigger {trigger}")
            self.assert_well(server)

    def test_a_server_in_which_triggers_do_not_fire(self):
        server = self.server(self.role()).start()
        client = server.client()
        self.assert_well(server)
        self.addCleanup(self.postgres.heal)
        self.postgres.configure(session_replication_role="replica")
        self.assert_held(server, lambda: self.write(client))
        server.wait_for(lambda: "session_replication_role" in server.told(), "its line")
        checked = server.run("serve", "--check", "--port", "0", check=False)
        self.assertIn("session_replication_role", checked.stdout)
        self.postgres.configure(session_replication_role="origin")
        self.assert_well(server)


class Locales(OfRole):
    def test_one_with_other_rules_for_letters(self):
        """Turkish: what is I in lower case is no i."""
        if self.postgres.sql("select count(*) from pg_collation where collprovider = 'i' and "
                             "current_setting('server_version_num')::int >= 150000") == "0":
            self.skipTest("this PostgreSQL has no database of ICU")
        self.postgres.sql(
            "create database turkish encoding 'UTF8' template template0 "
            "locale_provider icu icu_locale 'tr-TR' locale 'C.UTF-8'")
        role = self.role()
        self.postgres.sql(f"grant create on database turkish to {role}")
        server = self.server(role, DB_NAME="turkish").start()
        self.assert_well(server)
        client = server.client()
        person = client.get("/persons").data[0]
        for query in (f"email={person['email'].upper()}", f"q={person['email'][:9].upper()}",
                      "q=%C4%B0lkay"):
            found = client.get("/persons?" + query)
            self.assertIn(person["id"], [one["id"] for one in found.data], query)


class Encrypted(OfRole):
    """Over TCP, by TLS and a password only."""

    def make_certificate(self, address):
        path = self.postgres.data
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{address}", "-keyout",
             path + "/server.key", "-out", path + "/server.crt"], check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        owner = os.stat(path)
        for name in ("/server.key", "/server.crt"):
            os.chown(path + name, owner.st_uid, owner.st_gid)
            os.chmod(path + name, 0o600)
        with open(path + "/server.crt") as file:
            return file.read()

    def test_tls_is_asked_for(self):
        built = subprocess.run([os.path.join(programs(), "postgres"), "--describe-config"],
                               capture_output=True, text=True, check=True).stdout
        if "ssl_ciphers" not in built:
            self.skipTest("this PostgreSQL has no TLS")
        address = "127.{}.{}.{}".format(*(random.randint(1, 250) for _ in range(3)))
        certificate = self.make_certificate(address)
        self.addCleanup(self.postgres.heal)
        self.postgres.configure(listen_addresses=address, ssl="on")
        self.postgres.admit("hostssl all all all scram-sha-256",
                            "hostnossl all all all reject")
        self.postgres.restart()
        role = self.role()
        for mode in ("", "require", "verify-full"):
            with self.subTest(sslmode=mode):
                server = self.server(role)
                root = os.path.join(server.data_dir, "it's root.crt")
                with open(root, "w") as file:
                    file.write(certificate)
                server.env.update(DB_HOST=address)
                if mode == "require":
                    server.env.update(PGSSLMODE=mode)
                elif mode:  # as make start-api reads it
                    with open(os.path.join(server.data_dir, ".env"), "w") as file:
                        file.write(f'PGSSLMODE={mode}\nPGSSLROOTCERT="{root}"\n')
                server.start()
                self.assert_well(server)
                self.assertEqual(self.postgres.sql(
                    "select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) "
                    f"where usename = '{role}'"), "t")
                server.run("rebuild")
                server.stop()
        server = self.server(role)
        with open(os.path.join(server.data_dir, ".env"), "w") as file:
            file.write("PGSSLMODE=verify-full\nPGSSLROOTCERT=/nowhere\n")
        server.env.update(DB_HOST=address)
        server.start()
        self.assert_away(server, "root certificate file")
        server.stop()
        server.env.update(PGSSLMODE="disable")  # the environment goes before it
        server.start()
        self.assert_away(server, "pg_hba.conf rejects connection")
        server.stop()
        server.env.update(DB_PASS="another", PGSSLMODE="require")
        server.start()
        self.assert_away(server, "password authentication failed")


if __name__ == "__main__":
    unittest.main()
