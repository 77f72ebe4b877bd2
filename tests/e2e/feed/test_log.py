"""GET /log and GET /log/{sequence}: the records themselves."""

import json
import unittest

from served import TIMESTAMP, UUID, Served, new_id, person

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = f"00-{TRACE}-00f067aa0ba902b7-01"
RECORD = ["format", "type", "sequence", "recorded_at", "subject_id", "data", "meta"]


class Log(Served):
    def after(self, answer, count):
        """The records that the write before `answer` appended."""
        return self.client.get(f"/log?after={answer.sequence - count}&limit={count}").data

    def test_it_has_no_gaps_and_is_in_commit_order(self):
        for _ in range(5):
            self.recorded(self.created()["id"])
        records = self.server.log_records()
        self.assertEqual([each["sequence"] for each in records],
                         list(range(1, len(records) + 1)))
        times = [each["recorded_at"] for each in records]
        self.assertEqual(times, sorted(times))

    def test_a_record_has_its_seven_names(self):
        made = self.client.post("/persons", person(), X_Request_Id="my-request.1")
        for record in self.after(made, 2):
            self.assertEqual(list(record), RECORD)
            self.assertEqual(record["format"], 4)
            self.assertRegex(record["recorded_at"], f"^{TIMESTAMP.pattern}$")
            self.assertRegex(record["subject_id"], f"^{UUID.pattern}$")
            self.assertEqual(record["meta"],
                             {"request_id": "my-request.1", "source": "rest"})

    def test_creating_a_person_says_all_of_it(self):
        body = person()
        made = self.client.post("/persons", body)
        created, signup = self.after(made, 2)
        self.assertEqual((created["type"], created["subject_id"], created["data"]),
                         ("person.created", made.data["id"], body))
        self.assertEqual(
            (signup["type"], signup["subject_id"], signup["data"]),
            ("event.recorded", made.data["events"][0]["id"],
             {"person_id": made.data["id"], "event_type": "signup"}))
        self.assertEqual(created["recorded_at"], made.data["datetime_created"])

    def test_updating_says_what_changed(self):
        made = self.created()
        patched = self.client.patch("/persons/" + made["id"], {"first_name": "Kitty"})
        record, = self.after(patched, 1)
        self.assertEqual((record["type"], record["subject_id"], record["data"]),
                         ("person.updated", made["id"], {"first_name": "Kitty"}))

    def test_an_event_says_whose_it_is(self):
        kate = self.created()["id"]
        body = {"id": new_id(), "event_type": "click", "person_id": kate,
                "datetime_created": "2023-10-08T06:03:33.330037",
                "properties": {"a": {"b": [1, "ü"]}}}
        record, = self.after(self.client.post("/events", body), 1)
        event_id = body.pop("id")
        self.assertEqual((record["type"], record["subject_id"], record["data"]),
                         ("event.recorded", event_id, body))

    def test_deleting_is_a_record_too(self):
        kate = self.created()["id"]
        event = self.recorded(kate)
        record, = self.after(self.client.delete("/events/" + event["id"]), 1)
        self.assertEqual((record["type"], record["subject_id"], record["data"]),
                         ("event.deleted", event["id"], {"person_id": kate}))
        record, = self.after(self.client.delete("/persons/" + kate), 1)
        self.assertEqual((record["type"], record["subject_id"], record["data"]),
                         ("person.deleted", kate, {}))

    def test_what_was_deleted_stays_in_the_log(self):
        made = self.client.post("/persons", person())
        self.client.delete("/persons/" + made.data["id"])
        self.assertEqual(self.client.get(f"/log/{made.sequence - 1}").data["type"],
                         "person.created")

    def test_one_record_is_the_one_of_the_list(self):
        self.created()
        for record in self.server.log_records()[:5]:
            one = self.client.get(f"/log/{record['sequence']}")
            self.assert_ok(one)
            self.assertEqual(one.data, record)

    def test_no_such_record_is_not_found(self):
        head = self.server.log_records()[-1]["sequence"] if self.created() else 0
        self.assert_refused(self.client.get(f"/log/{head + 1}"), 404)
        for each in ("0", "-1", "x", "1x", "99999999999999999999"):
            self.assertIn(self.client.get("/log/" + each).status, (400, 404))

    def test_pages_followed_to_the_end_are_the_whole(self):
        for _ in range(3):
            self.created()
        whole = self.server.log_records()
        records, pages = self.follow("/log?limit=2")
        self.assertEqual(records, whole)
        self.assertEqual(pages, (len(whole) + 1) // 2)

    def test_behind_the_head_there_is_nothing(self):
        answer = self.client.get("/log?after=1000000")
        self.assertEqual((answer.status, answer.data), (200, []))
        self.assertIn("no records", answer.details)

    def test_lines_are_the_same_records(self):
        for _ in range(3):
            self.created()
        whole = self.server.log_records()
        answer = self.client.get("/log?limit=10000", Accept="application/x-ndjson")
        self.assertEqual(answer.headers["Content-Type"], "application/x-ndjson")
        self.assertTrue(answer.body.endswith(b"\n"))
        self.assertEqual([json.loads(line) for line in answer.body.splitlines()], whole)
        one = self.client.get("/log/1", Accept="application/x-ndjson")
        self.assertEqual(one.body, answer.body.splitlines(keepends=True)[0])

    def test_a_long_page_is_whole(self):
        kate = self.created()["id"]
        text = "x" * 1000
        for first in range(0, 1200, 400):
            answer = self.client.post("/events/batch", [
                {"event_type": "click", "person_id": kate,
                 "properties": {"n": first + n, "text": text}} for n in range(400)])
        page = self.client.get(f"/log?after={answer.sequence - 1200}&limit=1200").data
        self.assertEqual([each["data"]["properties"]["n"] for each in page],
                         list(range(1200)))

    def test_a_trace_is_taken_over_into_each_record(self):
        kate, traced = self.created()["id"], {"Traceparent": TRACED}
        before = self.client.get("/health").data["head"]
        made = self.client.post("/persons", person(), **traced).data
        click = {"event_type": "click", "person_id": kate}
        event = self.client.post("/events", click, **traced).data
        self.client.post("/events/batch", [click, click], **traced)
        self.client.post(f"/persons/{kate}/aliases", {"anonymous_id": "tr"}, **traced)
        self.client.patch("/persons/" + kate, {"first_name": "K"}, **traced)
        self.client.delete(f"/persons/{kate}/aliases/tr", **traced)
        self.client.delete("/events/" + event["id"], **traced)
        self.client.delete("/persons/" + made["id"], **traced)
        records = self.client.get(f"/log?after={before}").data
        self.assertEqual(len(records), 10)
        for record in records:
            self.assertEqual((record["format"], record["meta"]["traceparent"]),
                             (3 if record["type"].endswith(".deleted") else 4, TRACED))
        self.server.wait_for(
            lambda: self.server.told().count(f" trace_id={TRACE}") == 8, "access lines")

    def test_a_trace_that_is_malformed_is_ignored(self):
        kate = self.created()["id"]
        for wrong in (TRACED.upper(), TRACED + "0", "ff" + TRACED[2:], TRACED[:-1], "x",
                      TRACED.replace(TRACE, 32 * "0"), "\u00e9" + TRACED[1:], TRACED * 9):
            answer = self.client.request("POST", "/events", {
                "event_type": "click", "person_id": kate}, {"traceparent": wrong})
            self.assertEqual(answer.status, 201, answer.body)
            record, = self.after(answer, 1)
            self.assertEqual((record["format"], "traceparent" in record["meta"]), (4, False))


if __name__ == "__main__":
    unittest.main()
