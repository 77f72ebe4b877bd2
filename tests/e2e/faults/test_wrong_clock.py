"""Events that are forgotten by age, by a clock that may be wrong: what a server does not do by
itself waits for an operator, who is told so everywhere."""

import datetime
import json
import unittest

from harness import Server
from served import person
from test_clock import Clock

DAY = 86400


def month(days, months=0):
    """That of so many days from now, as 2026-03, and so many months on."""
    day = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
    number = day.year * 12 + day.month - 1 + months
    return f"{number // 12}-{number % 12 + 1:02}"


class WrongClock(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"SEALED": "true", "RETENTION": "events:31d"})
        self.addCleanup(self.server.close)
        self.clock = Clock(self.server)
        self.server.start()
        self.one = self.server.client().post("/persons", person()).data["id"]

    def record(self, name):
        return self.server.client().post(
            "/events", {"event_type": name, "person_id": self.one}).data["id"]

    def restart_at(self, days):
        self.server.stop()
        self.clock.set(days * DAY)
        self.server.start()

    def waits(self):
        """What the server says, which every other says, too."""
        health = self.server.client().get("/health").data
        told = health.get("expiry_waits")
        status = self.server.run("status", "--json", check=False)
        self.assertEqual(json.loads(status.stdout)["expiry_waits"], told)
        self.assertEqual(status.returncode, 1 if told else 0, status.stdout)
        metrics = self.server.client().get("/metrics").body.decode()
        self.assertIn(
            f"daybook_events_expiry_waits_months {told['months'] if told else 0}\n", metrics)
        self.assertEqual(health["status"], "degraded" if told else "ok")
        text = self.server.run("status", check=False).stdout
        self.assertEqual("to forget, and it waits" in text, bool(told))
        return told

    def test_one_of_years_ahead_destroys_nothing_and_says_so(self):
        event = self.record("click")
        self.assertIsNone(self.waits())
        for days in 4000, 8000:
            self.restart_at(days)
            told = self.waits()
            self.assertEqual(told["oldest"], month(0))
            self.assertEqual(told["before"], month(days - 31))
            self.assertIn("months at once, to " + month(0), told["why"])
            self.record("of the future")  # and one more record changes nothing
            self.assertEqual(self.waits(), told)
        self.assertEqual(self.server.client().get("/events/" + event).status, 200)
        self.restart_at(0)
        self.assertIsNone(self.waits())
        self.assertEqual(self.server.client().get("/events/" + event).status, 200)

    def test_the_command_shows_what_is_doubted_and_does_it(self):
        event = self.record("click")
        self.restart_at(70)  # two months at most, of which one has no event
        told = self.waits()
        self.assertIn("no event was recorded in", told["why"])
        answer = self.server.run("events", "expire", "--before", told["before"], check=False)
        self.assertEqual(answer.returncode, 1)
        self.assertIn(f"These are 1 month, from {month(0)} on", answer.stderr)
        self.assertIn("CAREFUL: that is 70 days ago. Is the clock right?", answer.stderr)
        self.assertIn("CAREFUL: no event is younger", answer.stderr)
        self.assertIn("Nothing was changed", answer.stderr)
        self.assertEqual(self.server.client().get("/events/" + event).status, 200)
        self.record("later")
        answer = self.server.run("events", "expire", "--before", told["before"], "--yes")
        self.assertNotIn("CAREFUL: that is", answer.stderr)
        self.assertIn("CAREFUL: a server would not do it by itself", answer.stderr)
        self.assertIn("are expired", answer.stdout)
        self.assertIsNone(self.waits())
        self.assertEqual(self.server.client().get("/events/" + event).status, 404)


if __name__ == "__main__":
    unittest.main()
