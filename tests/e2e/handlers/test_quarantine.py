"""A person whose record PostgreSQL refuses is never shown as if it were fresh."""

import json
import unittest

from served import Served, new_id, person
from tables import refuse_bad, take_bad


class Quarantine(Served):
    def setUp(self):
        refuse_bad(self.server)
        self.addCleanup(self.heal)
        self.before = self.created()
        self.kate = self.created()
        self.click = self.recorded(self.kate["id"])
        self.after = self.created()

    def heal(self):
        take_bad(self.server)
        self.server.run("retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")

    def spoil(self):
        answer = self.client.patch("/persons/" + self.kate["id"], {"first_name": "bad"})
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.data["events"])
        self.assertIn("quarantined", answer.details)
        return answer.sequence

    def assert_aside(self, path, whose=None, since=None, **headers):
        answer = self.client.get(path, **headers)
        with self.subTest(path):
            self.assert_refused(answer, 503, "retry")
            self.assertIn(whose or self.kate["id"], answer.details)
            if since:
                self.assertIn(f"record {since},", answer.details)
            self.assertGreater(int(answer.headers["Retry-After"]), 1)
            self.assertIsNone(answer.headers["ETag"])

    def assert_shown(self, path):
        answer = self.client.get(path)
        self.assertEqual(answer.status, 200, path + str(answer.body))
        return answer.data

    def cursors(self, path):
        """Each row of a list with the cursor it stands behind."""
        rows, after = [], 0
        while True:
            answer = self.client.get(f"{path}limit=1&after={after}")
            rows += [(row, after) for row in answer.data]
            link = answer.headers["Link"]
            if not link:
                return rows
            after = int(link.split("after=")[1].split(">")[0])

    def test_no_route_shows_what_is_old(self):
        kate = "/persons/" + self.kate["id"]
        tag = self.client.get(kate).headers["ETag"]
        persons = {row["id"]: after for row, after in self.cursors("/persons?")}
        events = {row["id"]: after for row, after in self.cursors("/events?")}
        since = self.spoil()
        self.assertEqual(self.client.get("/health").data["quarantined"], 1)
        for path in (kate, kate + "?events_limit=0", f"/events?person_id={self.kate['id']}",
                     f"/events?person_id={self.kate['id']}&keyword=nothing", "/persons",
                     "/persons?events_limit=0", f"/persons?after={persons[self.kate['id']]}",
                     "/events", "/events?keyword=click", "/events?since=2001-01-01T00:00:00",
                     f"/events?limit=1&after={events[self.click['id']]}",
                     f"/events?after={since - 1}"):
            self.assert_aside(path, since=since)
        for path in ("/persons?order=desc", "/events?order=desc", "/persons?fields=role",
                     "/events?fields=properties", "/persons?limit=2&order=desc",
                     f"/persons?email={self.kate['email']}",
                     f"/events?email={self.kate['email']}"):
            self.assert_aside(path, since=since)
        self.assert_aside(kate, if_none_match=tag)
        self.assert_aside(kate, if_none_match="*")
        self.assertEqual(self.client.request("HEAD", kate).status, 503)

    def test_what_does_not_show_it_goes_on(self):
        persons = {row["id"]: after for row, after in self.cursors("/persons?")}
        since = self.spoil()
        for one in (self.before, self.after):
            self.assertEqual(self.assert_shown("/persons/" + one["id"]), one)
            self.assertEqual(self.assert_shown("/events?person_id=" + one["id"]),
                             one["events"])
            self.assertEqual(
                self.assert_shown(f"/persons?limit=1&after={persons[one['id']]}"), [one])
        self.assertEqual(self.assert_shown(f"/events?after={since}"), [])
        self.assertEqual(self.assert_shown("/events/" + self.click["id"]), self.click)
        self.assertEqual(self.assert_shown("/persons?limit=1&order=desc"), [self.after])
        count = self.client.get(f"/events?after={since}&count=exact").json["response"]
        self.assertEqual(count["count_is"], "estimated")
        of_one = self.client.get(f"/events?person_id={self.after['id']}&count=exact")
        self.assertEqual(of_one.json["response"]["count_is"], "exact")
        late = self.created()
        self.assertEqual(self.assert_shown(f"/events?after={since}"), late["events"])
        newest = self.recorded(self.kate["id"], "drag")
        self.assertEqual(self.assert_shown("/events/" + newest["id"]), newest)
        self.assert_aside(f"/events?after={since}")
        self.assert_aside("/persons/" + self.kate["id"], since=since)
        self.assert_shown("/log")
        self.heal()
        shown = self.assert_shown("/persons/" + self.kate["id"])
        self.assertEqual([shown["first_name"], shown["events"][-1]], ["bad", newest])
        self.assertEqual(len(self.assert_shown("/persons")), len(persons) + 1)

    def test_one_whose_creation_was_refused(self):
        last = self.cursors("/persons?")[-1][1]
        made = self.client.post("/persons", person(first_name="bad"))
        self.assertEqual(made.status, 201)
        whose = made.data["id"]
        late = self.created()
        for path in ("/persons/" + whose, f"/events?person_id={whose}", "/persons",
                     f"/persons?after={last}", f"/persons?limit=2&after={last}", "/events"):
            self.assert_aside(path, whose)
        self.assertEqual(self.assert_shown(f"/persons?limit=1&after={last}"), [self.after])
        self.assertEqual(self.assert_shown("/persons/" + late["id"]), late)
        self.assert_refused(self.client.get("/persons/" + new_id()), 404)
        self.client.delete("/persons/" + whose)
        self.assert_refused(self.client.get("/persons/" + whose), 404)

    def test_it_is_known_after_a_restart(self):
        since = self.spoil()
        self.client.close()
        self.server.stop()
        self.server.start()
        self.server.wait_for(
            lambda: self.client.get("/health").data["projection"] == "following",
            "following the log")
        for path in ("/persons/" + self.kate["id"], "/persons", "/events",
                     f"/events?person_id={self.kate['id']}"):
            self.assert_aside(path, since=since)
        self.assertEqual(self.assert_shown("/persons/" + self.after["id"]), self.after)


class AnonymousId(Served):
    """One whose event is refused is set aside in place of a person: its events are."""

    def heal(self):
        take_bad(self.server, "event")
        self.server.run("retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")

    def record(self, anonymous_id, **properties):
        answer = self.client.post("/events", {"event_type": "seen", "properties": properties,
                                              "anonymous_id": anonymous_id})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data

    def assert_aside(self, path):
        answer = self.client.get(path)
        with self.subTest(path):
            self.assert_refused(answer, 503, "events of an anonymous id are set aside")

    def test_its_events_are_not_shown_whosever_they_are(self):
        self.addCleanup(self.heal)
        kate, kurt = (self.created()["id"] for _ in range(2))
        refuse_bad(self.server, "event", "coalesce(properties, '{}') @> '{\"bad\": 1}'")
        self.record("phone")
        self.record("phone", bad=1)
        self.record("tablet")
        self.assert_aside("/events?anonymous_id=phone")
        self.assertEqual(self.client.get(f"/persons/{kate}").status, 200)
        for person_id, device in (kate, "phone"), (kurt, "tablet"):
            answer = self.client.post(f"/persons/{person_id}/aliases",
                                      {"anonymous_id": device})
            self.assertIn(answer.status, (200, 201), answer.body)
        for path in f"/persons/{kate}", f"/events?person_id={kate}", "/events":
            self.assert_aside(path)
        for path in f"/persons/{kurt}", f"/events?person_id={kurt}":
            self.assertEqual(self.client.get(path).status, 200)
        status = self.server.run("status", "--json", check=False).stdout
        aside, = json.loads(status)["quarantine"]
        self.assertEqual((aside["person_id"], aside["anonymous_id"]), (None, "phone"))
        self.assertIn("anonymous id phone", self.server.run("status", check=False).stdout)
        self.heal()
        events = self.client.get(f"/persons/{kate}").data["events"]
        self.assertEqual([event.get("properties") for event in events
                          if "anonymous_id" in event], [None, {"bad": 1}])


if __name__ == "__main__":
    unittest.main()
