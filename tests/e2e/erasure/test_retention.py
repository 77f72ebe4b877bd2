"""Events that are to be forgotten by age, as an operator asks for it; that a month passes is
the C tests' part, for the clock cannot be set here."""

import datetime
import json
import unittest

from harness import Server
from served import person


def next_month():
    today = datetime.datetime.now(datetime.timezone.utc)
    return (today.replace(day=28) + datetime.timedelta(days=10)).strftime("%Y-%m")


class Retention(unittest.TestCase):
    def serve(self, **env):
        server = Server(env=env)
        self.addCleanup(server.close)
        return server

    def run_to(self, server, code, *arguments):
        answer = server.run(*arguments, check=False)
        self.assertEqual(answer.returncode, code, answer.stderr)
        return answer

    def test_events_get_a_months_key_and_are_served_as_ever(self):
        server = self.serve(SEALED="true", RETENTION="events:400d").start()
        client = server.client()
        one = client.request("POST", "/persons", person()).data["id"]
        event = client.request("POST", "/events", {"event_type": "click",
                                                   "person_id": one}).data["id"]
        self.assertEqual(client.get("/events/" + event).status, 200)
        self.assertNotIn("expired", client.get("/health").data)
        self.assertIn("daybook_events_expired_sequence 0", client.get("/metrics").body.decode())
        self.assertIsNone(json.loads(server.run("status", "--json").stdout)["expired"])
        self.assertIn("equal to the log", server.run("verify", "--projection").stdout)

    def test_a_log_that_is_not_sealed_is_refused(self):
        server = self.serve(SEALED="false").start()
        server.stop()
        server.env["RETENTION"] = "events:400d"
        answer = self.run_to(server, 3, "serve", "--port", "0")
        self.assertIn("is not sealed", answer.stderr)
        self.assertIn("RETENTION=events:off", answer.stderr)

    def test_another_age_is_refused_with_what_is_allowed(self):
        server = self.serve(RETENTION="events:5d")
        answer = self.run_to(server, 2, "serve", "--check")
        self.assertIn("RETENTION from the environment", answer.stderr)
        self.assertIn("events:400d", answer.stderr)

    def test_the_command_does_nothing_that_was_not_confirmed(self):
        server = self.serve(SEALED="true", RETENTION="events:31d").start()
        server.client().request("POST", "/events", {"event_type": "click",
                                                    "anonymous_id": "kate"})
        answer = self.run_to(server, 1, "events", "expire", "--before", "2025-01")
        self.assertIn("before 2025-01", answer.stderr)
        self.assertIn("Nothing was changed", answer.stderr)
        answer = server.run("events", "expire", "--before", next_month(), "--yes")
        self.assertIn("nothing was due", answer.stdout)  # the month of now never goes
        for wrong in "2025", "2025-13", "2025-01-01", "":
            answer = self.run_to(server, 2, "events", "expire", "--before", wrong, "--yes")
            self.assertIn("is no month", answer.stderr)


if __name__ == "__main__":
    unittest.main()
