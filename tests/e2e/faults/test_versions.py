"""Which PostgreSQL the read tables can be in: 14 and newer. One that is older is refused
before anything is made there; one that nobody knew when this was written is used."""

import unittest

from harness import PATIENCE, Server
from tables import drop_schemas, schemas
from versioned import Versioned

FAILED = 3
OLD, NEW = "13.22 (Debian 13.22-1)", "99.1"


class Versions(unittest.TestCase):
    def setUp(self):
        self.postgres = Versioned("14.0")
        self.addCleanup(self.postgres.close)
        self.server = Server(env={"DB_HOST": self.postgres.directory,
                                  "SHOW_ERROR_DETAILS": "true"})
        self.addCleanup(self.server.close)
        self.addCleanup(drop_schemas, self.server)

    def write(self, name):
        client = self.server.client()
        made = client.post("/persons", {"email": f"{name}@b.test", "first_name": "A",
                                        "last_name": "B"})
        self.assertEqual(made.status, 201)
        client.close()
        return made.data

    def read(self, person):
        client = self.server.client()
        answer = client.get(f"/persons/{person['id']}")
        client.close()
        return answer

    def assert_named(self, text):
        self.assertIn(f"PostgreSQL at {self.postgres.directory} is 13.22, and", text)
        self.assertIn("need 14 or newer", text)

    def test_one_that_is_too_old_is_refused_at_start(self):
        self.postgres.become(OLD)
        self.server.spawn()
        self.assertEqual(self.server.process.wait(PATIENCE), FAILED)
        self.server.process = None
        self.assert_named(self.server.told())
        self.assertEqual(schemas(self.server), [])

    def test_one_that_is_too_old_is_refused_by_the_tools(self):
        self.server.start()
        self.write("kate")
        self.server.stop()
        drop_schemas(self.server)
        self.postgres.become(OLD)
        for tool in (["migrate"], ["migrate", "--status"], ["rebuild"], ["status"],
                     ["verify", "--projection"], ["retry"]):
            done = self.server.run(*tool, check=False)
            self.assertEqual(done.returncode, FAILED, (tool, done.stdout, done.stderr))
            self.assert_named(done.stderr)
        self.assertEqual(schemas(self.server), [])

    def test_one_that_comes_to_be_too_old_is_as_if_away(self):
        self.server.start()
        person = self.write("kate")
        self.postgres.become(OLD)
        self.server.wait_for(lambda: "13.22" in self.read(person).body.decode(), "a refusal")
        self.write("logan")
        # Where it took long to refuse, a read is answered that it hangs, before it is asked.
        self.server.wait_for(lambda: "13.22" in self.read(person).details, "a refusal again")
        refused = self.read(person)
        self.assertEqual(refused.status, 503)
        self.assert_named(refused.details)
        self.postgres.become("14.0")
        self.server.wait_for(lambda: self.read(person).status == 200, "its return")

    def test_one_newer_than_any_tested_is_used_and_told_once(self):
        self.postgres.become(NEW)
        self.server.start()
        person = self.write("kate")
        self.assertEqual(self.read(person).status, 200)
        self.postgres.become(NEW)  # all connect again
        self.server.wait_for(lambda: self.server.told().count("projection follows") == 2,
                             "another connection")
        self.assertEqual(self.server.told().count("99.1 is newer than this daybook"), 1)
        self.server.run("verify", "--projection")

    def test_of_those_between_nothing_is_told(self):
        for version in ("14.0", "18.9 (Debian 18.9-1)"):
            self.postgres.become(version)
            self.server.start()
            self.assertEqual(self.read(self.write(version[:4])).status, 200)
            self.server.stop()
        self.assertNotIn("newer than", self.server.told())


if __name__ == "__main__":
    unittest.main()
