"""What an answer tells of the server's insides: nothing, unless it was told to."""

import unittest

from harness import Server

AWAY = "/tmp/no-such-postgresql"  # where no socket is


class Details(unittest.TestCase):
    def serve(self, **settings):
        server = Server(env={"DB_HOST": AWAY, "DB_USER": "somebody", **settings})
        self.addCleanup(server.close)
        return server.start().client()

    def details(self, client):
        """Of a read that fails, as PostgreSQL is away."""
        answer = client.get("/persons")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIsNone(answer.data)
        self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        return answer.details

    def test_a_failure_tells_what_goes_on_and_no_internals(self):
        client = self.serve()
        health = client.get("/health")
        self.assertEqual((health.status, health.data["status"]), (503, "degraded"))
        for text in (self.details(client), health.body.decode()):
            self.assertNotIn(AWAY, text)
            self.assertNotIn("somebody", text)
        self.assertIn("PostgreSQL", self.details(client))

    def test_internals_are_told_where_that_is_asked_for(self):
        client = self.serve(SHOW_ERROR_DETAILS="true", ENVIRONMENT="local")
        self.assertIn(AWAY, self.details(client))

    def test_internals_are_told_nowhere_but_in_a_local_environment(self):
        client = self.serve(SHOW_ERROR_DETAILS="true", ENVIRONMENT="production")
        self.assertNotIn(AWAY, self.details(client))


if __name__ == "__main__":
    unittest.main()
