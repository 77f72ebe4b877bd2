"""The read tables are made anew by the server itself, watched, stopped and refused over
HTTP, while it goes on answering. A lock on the live tables holds a rebuild up just before
its end, for as long as a test needs."""

import subprocess
import unittest

from harness import PATIENCE, PROGRAM, Server
from postgres import Postgres
from served import Served, new_id, person
from tables import Locked, drop_schemas, query, schemas

KEYS = ["state", "phase", "unit", "done", "total", "started_at", "ended_at", "seconds_left",
        "reason", "result"]
EVENTS = 4000


class Case(unittest.TestCase):
    assert_refused = Served.assert_refused

    def serve(self, server):
        self.addCleanup(server.close)
        server.start()
        self.server, self.client = server, server.client()
        self.schema = server.env["DB_SCHEMA"]
        self.following()

    def following(self):
        self.server.wait_for(
            lambda: self.client.get("/health").data["projection"] == "following",
            "following the log")

    def fill(self, events=EVENTS):
        made = self.client.post("/persons", person()).data["id"]
        for _ in range(0, events, 1000):
            answer = self.client.post("/events/batch", [
                {"id": new_id(), "event_type": "click", "person_id": made}
                for _ in range(1000)])
            self.assertEqual(answer.status, 200, answer.body[:300])
        self.server.wait_for(lambda: self.client.get("/health").data["lag"] == 0, "posting")
        return made

    def begin(self, body=None, status=202):
        answer = self.client.request("POST", "/admin/rebuild", body,
                                     None if body else {"Content-Length": "0"})
        self.assertEqual(answer.status, status, answer.body)
        return answer

    def state(self):
        data = self.client.get("/admin/rebuild").data
        self.assertEqual(list(data), KEYS)
        return data

    def ended(self, state):
        self.server.wait_for(lambda: self.state()["state"] != "running", "the end")
        data = self.state()
        self.assertEqual(data["state"], state, data)
        self.assertGreaterEqual(data["ended_at"], data["started_at"])
        self.assertIsNone(data["seconds_left"])
        return data

    def tables(self):
        return query(self.server, "select tableoid from checkpoint")

    def verify(self):
        self.server.run("verify", "--projection")

    def told(self, line):
        self.server.wait_for(lambda: line in self.server.told(), line)


class Rebuild(Case):
    def setUp(self):
        self.serve(Server())
        self.addCleanup(lambda: drop_schemas(self.server))

    def test_one_is_watched_to_its_end(self):
        idle = self.state()
        self.assertEqual((idle["state"], idle["done"], idle["total"]), ("idle", 0, 0))
        self.assertEqual({idle[key] for key in KEYS if key not in
                          ("state", "done", "total")}, {None})
        self.fill()
        before = self.tables()
        answer = self.begin()
        self.assertEqual(answer.headers["Location"], "/admin/rebuild")
        seen = []
        while not seen or seen[-1]["state"] == "running":
            # Writes and reads go on meanwhile, and reads see the writes.
            made = self.client.post("/persons", person()).data
            self.assertEqual(self.client.get("/persons/" + made["id"]).data, made)
            seen.append(self.state())
            self.assertLess(len(seen), 10000)
        for each in seen:
            self.assertLessEqual(each["done"], max(each["total"], each["done"]))
            if each["state"] == "running":
                self.assertTrue(each["seconds_left"] is None or each["unit"] == "records")
        done = self.ended("done")
        self.assertIsNone(done["reason"])
        result = done["result"]
        self.assertEqual((result["quarantined"], result["slow"], result["kept"]),
                         (0, False, None))
        self.assertGreaterEqual(result["events"], EVENTS)
        self.assertGreaterEqual(result["sequence"], result["loaded"])
        self.following()
        self.assertNotEqual(self.tables(), before)
        self.assertEqual(schemas(self.server), [self.schema])
        self.verify()
        self.told("rebuild begun by a client without a token, 127.0.0.1")
        self.told("rebuild done: the tables are new, up to record")
        self.begin({"keep_old": True})
        self.assertEqual(self.ended("done")["result"]["kept"], self.schema + "_old")
        self.assertEqual(schemas(self.server), [self.schema, self.schema + "_old"])

    def test_it_is_stopped_and_a_second_one_is_refused(self):
        made = self.fill()
        before = self.tables()
        with Locked(self.server, "checkpoint", "exclusive"):
            started = self.begin().data
            self.assertEqual(started["state"], "running")
            refused = self.begin(status=409)
            self.assert_refused(refused, 409, "runs already, begun by")
            other = self.server.run("rebuild", check=False)
            self.assertEqual(other.returncode, 3)
            self.assertIn("another rebuild", other.stderr)
            self.server.wait_for(lambda: self.state()["phase"] == "waiting for others",
                                 "the lock")
            self.assertIn("\ndaybook_rebuild_running 1\n",
                          self.client.get("/metrics").body.decode())
            self.assertEqual(self.client.post("/events", {
                "event_type": "click", "person_id": made}).status, 201)
            asked = self.client.delete("/admin/rebuild")
            self.assertEqual(asked.status, 202, asked.body)
            stopped = self.ended("stopped")
            self.assertIn("\ndaybook_rebuild_running 0\n",
                          self.client.get("/metrics").body.decode())
        self.assertIn("stopped by a client without a token", stopped["reason"])
        self.assertIsNone(stopped["result"])
        self.assertEqual(self.tables(), before)
        self.assertEqual(schemas(self.server), [self.schema])
        again = self.client.delete("/admin/rebuild")
        self.assertEqual((again.status, again.data), (200, stopped))
        self.begin()
        self.ended("done")
        self.verify()

    def test_one_of_another_process_is_not_disturbed(self):
        self.fill(1000)
        with Locked(self.server, "checkpoint", "exclusive"):
            command = subprocess.Popen(
                [PROGRAM, "rebuild", "--data-dir", self.server.data_dir],
                env=self.server.env, cwd=self.server.data_dir, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.server.wait_for(lambda: len(schemas(self.server)) == 2, "its shadow")
            self.assert_refused(self.begin(status=409), 409, "another rebuild")
            self.assertEqual(self.state()["state"], "idle")
        said, _ = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, said)
        self.begin()
        self.ended("done")

    def restart(self):
        self.server.start()
        self.client = self.server.client()
        self.following()
        self.assertEqual(self.state()["state"], "idle")

    def test_the_servers_end_is_its_end_and_the_next_tidies_up(self):
        self.fill(1000)
        before = self.tables()
        with Locked(self.server, "checkpoint", "exclusive"):
            self.begin()
            self.server.stop()
        self.assertIn("rebuild stopped, and nothing was changed: stopped by the end of the "
                      "server", self.server.told())
        self.assertEqual(self.tables(), before)
        self.restart()
        with Locked(self.server, "checkpoint", "exclusive"):
            self.begin()
            self.server.wait_for(lambda: len(schemas(self.server)) == 2, "the shadow")
            self.server.kill()
        self.restart()
        self.begin()
        self.ended("done")
        self.assertEqual(schemas(self.server), [self.schema])
        self.verify()

    def test_what_is_asked_wrongly_is_named(self):
        for body, field in (({"keep_old": 1}, "keep_old"), ({"keep_old": None}, "keep_old"),
                            ({"keep": True}, "keep"), ([], None)):
            with self.subTest(body=body):
                self.assert_refused(self.client.post("/admin/rebuild", body), 400,
                                    field=field)
        for method in "POST", "DELETE":
            answer = self.client.request(method, "/admin/rebuild", headers={
                "Origin": "https://evil.example", "Content-Length": "0"})
            self.assert_refused(answer, 403, "another site")
        self.assertEqual(self.state()["state"], "idle")
        token = self.server.run("token", "create", "kate", "--scope", "read", "--scope",
                                "write").stdout.strip()
        self.server.wait_for(lambda: self.client.get("/persons").status == 401, "the token")
        for method in "GET", "POST", "DELETE":
            answer = self.client.request(method, "/admin/rebuild", headers={
                "Authorization": "Bearer " + token, "Content-Length": "0"})
            self.assert_refused(answer, 403, "admin")


class Replaced(Case):
    """What nobody can be asked about is not replaced."""

    def test_tables_of_another_log_stay(self):
        first = Server()
        self.serve(first)
        self.addCleanup(lambda: drop_schemas(first))
        self.fill(1000)
        before = query(first, "select tableoid, sequence from checkpoint")
        first.stop()
        second = Server(env={"DB_SCHEMA": first.env["DB_SCHEMA"]}, flags=["--new"])
        self.addCleanup(second.close)
        second.start()
        self.server, self.client = second, second.client()
        self.assert_refused(self.begin(status=409), 409, "daybook rebuild --force")
        self.assertEqual(self.client.post("/persons", person()).status, 201)
        refused = self.begin(status=409)
        self.assert_refused(refused, 409, "the command daybook rebuild replaces them")
        self.assertEqual(self.state()["state"], "idle")
        self.assertEqual(query(second, "select tableoid, sequence from checkpoint"), before)
        second.run("rebuild")
        self.following()
        self.begin()
        self.ended("done")


class Away(Case):
    """PostgreSQL goes while it works, hangs, and comes again."""

    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.serve(Server(env=self.postgres.settings()))

    def test_it_fails_and_can_be_begun_again(self):
        self.fill(1000)
        with Locked(self.server, "checkpoint", "exclusive"):
            self.begin()
            self.postgres.kill()
            failed = self.ended("failed")
        self.assertTrue(failed["reason"])
        self.told("rebuild failed, and nothing was changed")
        self.assert_refused(self.begin(status=503), 503, "read tables cannot be asked")
        self.assertEqual(self.state(), failed)
        self.postgres.start()
        self.following()
        self.begin()
        self.ended("done")
        self.verify()

    def test_the_server_ends_also_while_it_hangs(self):
        self.fill(1000)
        lock = Locked(self.server, "checkpoint", "exclusive")
        self.begin()
        self.postgres.freeze()
        self.server.stop()
        self.postgres.thaw()
        lock.__exit__()
        self.server.start()
        self.client = self.server.client()
        self.following()
        self.begin()
        self.ended("done")
        self.verify()


if __name__ == "__main__":
    unittest.main()
