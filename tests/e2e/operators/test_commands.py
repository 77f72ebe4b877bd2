"""The program as a shell sees it: help, settings, exit codes, and one server a directory.
"""

import json
import os
import re
import socket
import subprocess
import unittest
import uuid

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from postgres import programs

COMMANDS = ["serve", "status", "import", "export", "log", "backup", "restore", "verify",
            "rebuild", "replay", "migrate", "retry"]
DONE, DIFFERENT, MISUSED, FAILED = 0, 1, 2, 3


def daybook(*arguments, env=None, cwd="/"):
    return subprocess.run([PROGRAM, *arguments], env={"PATH": os.environ["PATH"],
                                                      **(env or {})},
                          cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)


class Help(unittest.TestCase):
    def test_the_program_lists_its_commands(self):
        for arguments in ((), ("--help",), ("-h",), ("help",)):
            done = daybook(*arguments)
            self.assertEqual(done.returncode, DONE, arguments)
            for command in COMMANDS:
                self.assertRegex(done.stdout, rf"(?m)^  {command} ")

    def test_each_command_has_a_help_of_its_own(self):
        for command in COMMANDS:
            texts = {daybook(*form).stdout for form in (
                (command, "--help"), (command, "-h"), ("help", command))}
            self.assertEqual(len(texts), 1, command)
            text = texts.pop()
            self.assertTrue(text.startswith(f"Usage: daybook {command}"), text)
            self.assertIn("--data-dir", text)
            self.assertIn("Example:", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 130, text)

    def test_the_version_is_told(self):
        self.assertRegex(daybook("--version").stdout, r"^daybook \d+\.\d+\.\d+\n$")

    def test_what_is_mistyped_is_told_with_what_was_meant(self):
        for arguments, expected in (
                (("srve",), "did you mean serve?"),
                (("help", "statsu"), "did you mean status?"),
                (("nothing-like-it",), "daybook help"),
                (("serve", "--prot", "1"), "did you mean --port?"),
                (("status", "--jsn"), "did you mean --json?"),
                (("status", "--port", "1"), "--port is not a flag of this subcommand"),
                (("serve", "--port"), "--port needs a value"),
                (("serve", "surplus"), 'unexpected "surplus"'),
                (("import",), "expected PERSONS"),
                (("migrate", "--status", "--down"), "exclude each other"),
                (("migrate", "--down", "none"), '"none"'),
                (("status", "--json=1"), "takes no value")):
            done = daybook(*arguments)
            self.assertEqual(done.returncode, MISUSED, (arguments, done.stderr))
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "--help"], stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("standard output", done.stderr)


class Settings(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.dir = self.server.data_dir

    def refused(self, *flags, env=None):
        done = daybook("serve", "--data-dir", self.dir, *flags, env=env, cwd=self.dir)
        self.assertEqual(done.returncode, MISUSED, done.stderr)
        return done.stderr

    def dotenv(self, text):
        with open(os.path.join(self.dir, ".env"), "w") as file:
            file.write(text)

    def test_a_wrong_value_names_its_setting_its_source_and_what_is_allowed(self):
        said = self.refused("--port", "70000")
        self.assertIn('PORT from --port is "70000": a port number from 0 to 65535', said)
        said = self.refused(env={"PORT": "many"})
        self.assertIn('PORT from the environment is "many"', said)
        self.dotenv("# comment\nPORT=x\n")
        self.assertIn('PORT from .env line 2 is "x"', self.refused())
        self.dotenv("")
        for flag, value in (("--read-wait", "61"), ("--body-max", "1"),
                            ("--log-level", "loud"), ("--http-threads", "0"),
                            ("--event-types", "a,,b"), ("--batch-items-max", "-1"),
                            ("--show-error-details", "maybe"), ("--db-port", "0")):
            said = self.refused(f"{flag}={value}")
            self.assertIn(f'from {flag} is "{value}"', said)
            self.assertIn("allowed", said)

    def test_a_password_is_never_shown(self):
        said = self.refused(env={"DB_PASS": "hush" * 1000})
        self.assertIn("DB_PASS", said)
        self.assertNotIn("hush", said)
        self.assertNotIn("--db-pass", daybook("help", "serve").stdout)

    def test_an_env_file_that_cannot_be_read_names_its_line(self):
        self.dotenv("PORT=1\n\nno equals sign\n")
        self.assertRegex(self.refused(), r"\.env.*line 3|\.env:3")

    def test_a_flag_goes_before_the_environment_and_that_before_the_env_file(self):
        self.dotenv("PORT=1\nREAD_WAIT=x\n")
        said = self.refused("--read-wait", "y", env={"READ_WAIT": "z"})
        self.assertIn('"y"', said)
        self.assertIn('"z"', self.refused(env={"READ_WAIT": "z"}))
        self.assertIn('"x"', self.refused())

    def test_an_address_that_others_can_reach_is_refused(self):
        for address in ("0.0.0.0", "192.168.1.1", "8.8.8.8"):
            said = self.refused("--host", address)
            self.assertIn("HOST from --host", said)
            self.assertIn("daybook token create", said)
        for address in ("::", "::1", "*", "example.com", "127.0.0.1,0.0.0.0", ""):
            self.assertIn("HOST from --host", self.refused("--host", address))
        self.assertIn("access tokens", self.refused("--host", "0.0.0.0"))
        self.assertIn("access tokens", self.refused(env={"HOST": "0.0.0.0"}))
        self.assertIn("TLS is the part of a proxy", self.refused("--port", "8443s"))

    def test_another_loopback_address_is_served(self):
        self.server.flags = ["--host", "localhost"]
        self.server.start()
        self.assertEqual(self.server.client().get("/health").status, 200)


class Serve(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()

    def test_a_second_server_on_one_directory_is_refused(self):
        second = daybook("serve", "--data-dir", self.server.data_dir, "--port", "0",
                         env=self.server.env, cwd="/")
        self.assertEqual(second.returncode, FAILED)
        self.assertIn(f"process {self.server.process.pid}", second.stderr)
        self.assertEqual(self.server.client().get("/health").status, 200)

    def test_a_taken_port_is_told(self):
        other = Server()
        self.addCleanup(other.close)
        done = daybook("serve", "--data-dir", other.data_dir, "--port",
                       str(self.server.port), env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(str(self.server.port), done.stderr)

    def test_a_taken_port_is_told_before_anything_is_made_and_last(self):
        other = Server(private=True)
        self.addCleanup(other.close)
        done = daybook("serve", "--data-dir", other.data_dir, "--port",
                       str(self.server.port), env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(f"port {self.server.port} on 127.0.0.1 is taken",
                      done.stderr.splitlines()[-1])
        made = [name for name in os.listdir(other.data_dir) if "postgres" in name]
        self.assertEqual(made, [])
        self.assertFalse(os.path.exists(os.path.join(other.data_dir, "log")))

    def test_any_free_port_is_taken_and_told(self):
        other = Server(flags=["--port", "0"])
        self.addCleanup(other.close)
        other.spawn()
        other.wait_for(lambda: "ready: " in other.told(), "the server")
        port = int(re.search(r"ready: http://127\.0\.0\.1:(\d+)", other.told())[1])
        with socket.create_connection(("127.0.0.1", port)):
            pass

    def test_start_and_requests_are_a_line_each(self):
        client = self.server.client()
        client.request("GET", "/events?keyword=a%0Ab", headers={"X-Request-Id": "me-1"})
        self.server.wait_for(lambda: "me-1" in self.server.told(), "the line")
        lines = self.server.told().splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \w+ ")
        for step in ("data directory locked", "log open", "projector started", "ready: "):
            self.assertEqual(len([one for one in lines if step in one]), 1, step)
        mine = [line for line in lines if "me-1" in line]
        self.assertEqual(len(mine), 1)
        for part in ("method=GET", "path=/events?keyword ", "status="):
            self.assertIn(part, mine[0])

    def test_lines_are_json_where_that_is_asked_for(self):
        self.server.stop()
        before = len(self.server.told())
        self.server.flags = ["--log-format", "json"]
        self.server.start()
        self.server.client().get("/persons/\"quoted\"")
        self.server.stop()
        for line in self.server.told()[before:].splitlines():
            entry = json.loads(line)
            self.assertLessEqual({"time", "level", "message"}, set(entry))

    def test_a_directory_of_something_else_is_refused(self):
        other = Server()
        self.addCleanup(other.close)
        os.mkdir(os.path.join(other.data_dir, "log"))
        for name in ("data.mdb", "lock.mdb"):
            with open(os.path.join(other.data_dir, "log", name), "w") as file:
                file.write("not a log\n" * 1000)
        done = daybook("serve", "--data-dir", other.data_dir, "--port", "0",
                       env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("log", done.stderr)
        with open(os.path.join(other.data_dir, "log", "data.mdb")) as file:
            self.assertTrue(file.read().startswith("not a log"))

    def test_tables_of_another_log_are_left_alone(self):
        client = self.server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                 "last_name": "B"})
        client.get("/persons")
        other = Server(env={"DB_SCHEMA": self.server.env["DB_SCHEMA"]}, flags=["--new"])
        self.addCleanup(other.close)
        other.start()
        theirs = other.client()
        other.wait_for(lambda: "another log" in other.told(), "the refusal")
        self.assertEqual(theirs.get("/persons").status, 503)
        status = other.run("status", check=False)
        self.assertEqual(status.returncode, DIFFERENT, status.stdout)
        self.assertIn("another log", status.stdout)
        self.assertEqual(len(client.get("/persons").data), 1)


class Status(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def json_status(self):
        return json.loads(self.server.run("status", "--json").stdout)

    def test_without_a_log_it_fails_and_makes_none(self):
        done = self.server.run("status", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "log")))

    def test_head_projected_lag_and_sizes_are_told_beside_a_server_and_without(self):
        self.server.start()
        client = self.server.client()
        for i in range(5):
            client.post("/persons", {"email": f"p{i}@b.test", "first_name": "A",
                                     "last_name": "B"})
        client.get("/persons")
        for _ in range(2):
            found = self.json_status()
            self.assertEqual((found["head"], found["projected"], found["lag"],
                              found["quarantined"]), (10, 10, 0, 0))
            self.assertEqual((found["log"]["persons"], found["log"]["events"]), (5, 5))
            self.assertEqual(found["tables"]["persons"], 5)
            self.assertGreater(found["log"]["bytes"], 0)
            self.assertGreater(found["free_bytes"], 0)
            uuid.UUID(found["store_id"])
            text = self.server.run("status").stdout
            self.assertRegex(text, r"(?m)^head +10$")
            self.assertRegex(text, r"(?m)^lag +0$")
            if self.server.process:
                self.server.stop()

    def test_what_is_not_projected_yet_is_the_lag(self):
        self.server.start()
        self.server.stop()
        with open(os.path.join(self.server.data_dir, "one.ndjson"), "w") as file:
            json.dump({"id": str(uuid.uuid4()), "email": "a@b.test", "first_name": "A",
                       "last_name": "B", "datetime_created": "2020-01-01T00:00:00"}, file)
        self.server.run("import", "one.ndjson")
        found = self.json_status()
        self.assertEqual((found["head"], found["projected"], found["lag"]), (2, 0, 2))

    def test_with_postgres_away_the_logs_part_is_told(self):
        self.server.start()
        self.server.client().post("/persons", {"email": "a@b.test", "first_name": "A",
                                               "last_name": "B"})
        self.server.stop()
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.server.run("status", "--json", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertEqual(json.loads(done.stdout)["head"], 2)
        self.assertIn("daybook status:", done.stderr)

    def test_nobody_quarantined_nothing_to_retry(self):
        self.server.start()
        self.server.stop()
        self.assertIn("nobody is quarantined", self.server.run("retry").stdout)


class Quarantine(unittest.TestCase):
    """A record that PostgreSQL refuses; here for a constraint that is none of ours."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def sql(self, text):
        subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
             self.server.env["DB_HOST"], "-U", self.server.env["DB_USER"], "-d", "daybook",
             "-c", f"set search_path to {self.server.env['DB_SCHEMA']}; {text}"],
            check=True, cwd="/", stdin=subprocess.DEVNULL)

    def post(self, name):
        answer = self.client.post("/persons", {
            "email": f"{name}@b.test", "first_name": name, "last_name": "B"})
        self.assertEqual(answer.status, 201)
        return answer.data

    def test_one_person_is_set_aside_and_told_and_healed_by_retry(self):
        good = self.post("good")
        self.assertEqual(self.client.get("/persons").data, [good])
        self.sql("alter table person add constraint no_bad check (first_name <> 'bad')")
        bad = self.post("bad")
        event = self.client.post("/events", {"event_type": "x", "person_id": bad["id"]})
        late = self.post("late")
        self.assertEqual(self.client.get("/persons/" + late["id"]).data, late)
        listed = self.client.get("/persons")  # it would lack one
        self.assertEqual(listed.status, 503)
        self.assertIn(bad["id"], listed.details)
        aside = self.client.get("/persons/" + bad["id"])
        self.assertEqual(aside.status, 503)
        self.assertIn("set aside", aside.details)
        self.assertEqual(self.client.get("/events/" + event.data["id"]).data, event.data)
        self.assertEqual(self.client.get("/health").data["quarantined"], 1)

        told = self.server.run("status", check=False)
        self.assertEqual(told.returncode, DIFFERENT)
        self.assertRegex(told.stdout, r"(?m)^quarantined +1$")
        self.assertRegex(told.stdout, rf"{bad['id']}  from record 3, .*no_bad")
        found = json.loads(self.server.run("status", "--json", check=False).stdout)
        self.assertEqual((found["quarantined"], found["lag"]), (1, 0))
        self.assertEqual(found["quarantine"][0]["person_id"], bad["id"])

        self.assertIn("1 to be tried again", self.server.run("retry").stdout)
        self.sql("alter table person drop constraint no_bad")
        self.server.run("retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")
        self.assertEqual(self.server.run("status").returncode, DONE)
        self.assertEqual(self.client.get("/events/" + event.data["id"]).data, event.data)
        check_reads(self.server, self.server.log_records())


class Migrate(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def migrate(self, *arguments):
        return self.server.run("migrate", *arguments, check=False)

    def test_up_status_down_and_up_again(self):
        self.assertEqual(self.migrate("--status").returncode, DIFFERENT)
        up = self.migrate()
        self.assertEqual(up.returncode, DONE, up.stderr)
        self.assertIn("applied  0001 person_and_event", up.stdout)
        self.assertEqual(self.migrate("--status").returncode, DONE)
        again = self.migrate()
        self.assertEqual((again.returncode, again.stdout),
                         (DONE, "nothing to apply: the schema is up to date\n"))
        self.assertIn("applied  0002 checkpoint_names_history", up.stdout)
        self.assertIn("applied  0003 anonymous_external_traits", up.stdout)
        self.assertIn("applied  0004 event_statistics", up.stdout)
        self.assertIn("applied  0005 persons_by_index", up.stdout)
        self.assertIn("applied  0006 events_by_day", up.stdout)
        self.assertIn("applied  0007 fewer_indexes", up.stdout)
        self.assertIn("applied  0008 restricted", up.stdout)
        back = self.migrate("--down")
        self.assertEqual(back.returncode, DONE, back.stderr)
        self.assertIn("taken back", back.stdout)
        status = self.migrate("--status")
        self.assertEqual(status.returncode, DIFFERENT)
        self.assertIn("(not applied)", status.stdout)
        self.assertEqual(self.migrate("--down", "99").returncode, DONE)
        self.assertEqual(self.migrate().returncode, DONE)

    def test_two_at_once_apply_each_migration_once(self):
        for _ in range(3):
            both = [subprocess.Popen(
                [PROGRAM, "migrate", "--data-dir", self.server.data_dir],
                env=self.server.env, cwd="/", text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) for _ in range(4)]
            said = [one.communicate(timeout=PATIENCE)[0] for one in both]
            self.assertEqual([one.returncode for one in both], [DONE] * 4, said)
            self.assertEqual("".join(said).count("applied  0001"), 1, said)
            self.assertEqual(self.migrate("--down", "99").returncode, DONE)

    def test_after_down_a_server_makes_the_tables_again_from_the_log(self):
        self.server.start()
        client = self.server.client()
        person = client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                          "last_name": "B"}).data
        self.server.stop()
        self.assertEqual(self.migrate("--down", "99").returncode, DONE)
        self.server.start()
        self.assertEqual(self.server.client().get("/persons").data, [person])

    def test_down_is_refused_beside_a_server(self):
        """Its own, and one that posts to the same tables from elsewhere."""
        self.server.start()
        client = self.server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A", "last_name": "B"})
        self.assertEqual(client.get("/persons").status, 200)
        other = Server(env=self.server.env)
        self.addCleanup(other.close)
        for server, words in (self.server, "is served already"), (other, "posts to these"):
            refused = server.run("migrate", "--down", check=False)
            self.assertEqual(refused.returncode, 3, refused.stdout)
            self.assertIn(words, refused.stderr)
        self.assertEqual(client.get("/persons").status, 200)
        self.assertEqual(self.migrate("--status").returncode, DONE)

    def test_new_writes_the_files_of_the_next_migration(self):
        made = self.migrate("new", "Add a Country!", "--dir", self.server.data_dir)
        self.assertEqual(made.returncode, DONE, made.stderr)
        names = [name for name in os.listdir(self.server.data_dir)
                 if name.endswith(".sql")]
        self.assertEqual(sorted(names), ["0001_add_a_country.down.sql",
                                         "0001_add_a_country.up.sql"])
        for wrong in (("new",), ("new", "  !"), ("new", "a", "b"), ("old",)):
            self.assertEqual(self.migrate(*wrong).returncode, MISUSED, wrong)

    def test_postgres_away_is_a_failure(self):
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.migrate()
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("daybook migrate:", done.stderr)


class TablesElsewhere(unittest.TestCase):
    """Tools that are given the directory of a server, and not where its tables are."""

    def setUp(self):
        self.server = Server(env={"DB_PASS": "hush"})
        self.addCleanup(self.server.close)
        self.path = os.path.join(self.server.data_dir, "database")
        # A log may be made there, whatever else the tests put there.
        open(os.path.join(self.server.data_dir, "log.id"), "w").close()

    def left(self):
        with open(self.path) as file:
            return file.read()

    def untold(self, *arguments):
        env = {name: value for name, value in self.server.env.items()
               if not name.startswith("DB_")}
        return daybook(arguments[0], "--data-dir", self.server.data_dir, *arguments[1:],
                       env=env)

    def test_they_say_where_the_tables_are_and_start_nothing(self):
        self.server.start()
        env = self.server.env
        settings = (f"DB_HOST={env['DB_HOST']} DB_PORT=5432 DB_NAME=daybook "
                    f"DB_USER=daybook DB_SCHEMA={env['DB_SCHEMA']}")
        self.assertEqual(self.left(), settings + "\n")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        for command in (("status",), ("status", "--json"), ("verify", "--projection"),
                        ("rebuild",), ("rebuild", "--dry-run"), ("replay", "--into", "x"),
                        ("migrate",), ("migrate", "--status"), ("retry",)):
            done = self.untold(*command)
            self.assertEqual((done.returncode, done.stdout), (MISUSED, ""), command)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(f"give {settings}", done.stderr)
            self.assertIn(self.server.data_dir, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "postgres")))
        self.assertEqual(self.untold("verify").returncode, DONE)
        self.assertEqual(self.server.run("status").returncode, DONE)

    def test_what_was_left_half_written_is_written_anew(self):
        os.symlink("/dev/full", self.path + ".tmp")
        self.server.start()
        self.assertIn("DB_HOST=", self.left())
        self.assertFalse(os.path.lexists(self.path + ".tmp"))

    def test_a_server_warns_once_where_they_are_elsewhere_and_serves(self):
        warning = "the read tables are elsewhere than at the last start before=private"
        with open(self.path, "w") as file:
            file.write("private\n")
        for _ in range(2):
            self.server.start()
            self.server.stop()
        self.assertEqual(self.server.told().count(warning), 1, self.server.told())

    def test_a_file_that_cannot_be_written_keeps_nobody_from_serving(self):
        os.mkdir(self.path)
        self.server.start()
        self.assertIn("warn note where the read tables are", self.server.told())

    def test_a_private_one_is_found_by_the_directory_alone(self):
        for name in list(self.server.env):
            if name.startswith("DB_"):
                del self.server.env[name]
        self.server.start()
        self.assertEqual(self.left(), "private\n")
        for command in (("status",), ("verify", "--projection")):
            done = self.untold(*command)
            self.assertEqual(done.returncode, DONE, done.stderr)


if __name__ == "__main__":
    unittest.main()
