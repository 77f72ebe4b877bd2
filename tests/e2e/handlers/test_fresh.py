"""Reads see what was written before them."""

import threading
import unittest

from served import Served, person
from tables import Locked

CONNECTIONS = 16
WRITES = 1000


class Fresh(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]

    def test_a_thousand_writes_are_each_read_back_at_once(self):
        missing, stale, done = [], [], []

        def write_and_read(number):
            client = self.server.client()
            for n in range(number, WRITES, CONNECTIONS):
                made = client.post("/events", {
                    "event_type": "click", "person_id": self.kate, "properties": {"n": n}})
                read = client.get("/events/" + made.data["id"])
                if made.status != 201 or read.status != 200 or read.data != made.data:
                    missing.append((made.body, read.status, read.body))
                if int(read.headers["Daybook-Projected-Sequence"]) < made.sequence:
                    stale.append(made.sequence)
                done.append(n)
            client.close()

        in_threads(write_and_read, CONNECTIONS)
        self.assertEqual(sorted(done), list(range(WRITES)))
        self.assertEqual((missing, stale), ([], []))
        events, _ = self.follow(f"/events?person_id={self.kate}&keyword=click")
        self.assertEqual(sorted(each["properties"]["n"] for each in events),
                         list(range(WRITES)))
        records = self.server.log_records()
        self.assertEqual([each["sequence"] for each in records],
                         list(range(1, len(records) + 1)))

    def test_updates_and_deletes_are_read_back_at_once(self):
        wrong, done = [], []

        def change_and_read(number):
            client = self.server.client()
            path = "/persons/" + client.post("/persons", person(
                email=f"fresh{number}@test.mock")).data["id"]
            for n in range(10):
                name = f"Kate {n}"
                client.patch(path, {"first_name": name})
                read = client.get(path)
                if read.status != 200 or read.data["first_name"] != name:
                    wrong.append(read.body)
            client.delete(path)
            if client.get(path).status != 404:
                wrong.append(path)
            client.close()
            done.append(number)

        in_threads(change_and_read, CONNECTIONS)
        self.assertEqual((len(done), wrong), (CONNECTIONS, []))

    def test_what_one_writes_another_reads(self):
        writer, reader = self.server.client(), self.server.client()
        for _ in range(50):
            made = writer.post("/events", {"event_type": "view", "person_id": self.kate})
            listed = reader.get(f"/events?keyword=view&after={made.sequence - 1}")
            self.assertEqual(listed.data, [made.data])
        writer.close()
        reader.close()

    def test_an_update_that_changes_nothing_shows_what_was_written_before_it(self):
        path = "/persons/" + self.client.post("/persons", person()).data["id"]
        for _ in range(50):
            made = self.client.post("/events", {"event_type": "seen",
                                                "person_id": path.split("/")[-1]})
            self.assertEqual(self.client.patch(path, {}).data["events"][-1], made.data)

    def test_every_read_tells_how_far_it_is(self):
        made = self.client.post("/persons", person())
        for path in ("/persons", "/events", "/persons/" + made.data["id"]):
            projected = self.client.get(path).headers["Daybook-Projected-Sequence"]
            self.assertGreaterEqual(int(projected), made.sequence)

    def test_a_read_that_does_not_wait_is_answered_with_what_is_there(self):
        for _ in range(20):
            made = self.client.post("/persons", person())
            answer = self.client.get("/persons/" + made.data["id"], Prefer="wait=0")
            if answer.status == 200:
                self.assertEqual(answer.data, made.data)
                self.assertEqual(answer.headers["Preference-Applied"], "wait=0")
                self.assertIsNotNone(answer.headers["Daybook-Projected-Sequence"])
            else:  # it is in the log, so it is never told as not found
                self.assert_refused(answer, 503, "not yet in the read tables")

    def test_a_read_may_name_what_it_is_to_see(self):
        made = self.client.post("/persons", person())
        for number in (made.sequence, 0):
            answer = self.client.request("GET", "/persons/" + made.data["id"], headers={
                "Daybook-Sequence": str(number)})
            if number:
                self.assertEqual((answer.status, answer.data), (200, made.data))
                self.assertGreaterEqual(
                    int(answer.headers["Daybook-Projected-Sequence"]), made.sequence)
            elif answer.status != 200:
                self.assert_refused(answer, 503, "not yet in the read tables")
        head = self.client.get("/health").data["head"]
        late = self.client.request("GET", "/persons", headers={
            "Daybook-Sequence": str(head + 1000), "Prefer": "wait=1"})
        self.assertEqual(late.status, 200)  # what is there
        self.assertLess(int(late.headers["Daybook-Projected-Sequence"]), head + 1000)
        bad = self.client.request("GET", "/persons", headers={"Daybook-Sequence": "x"})
        self.assert_refused(bad, 400, "Daybook-Sequence")

    def test_a_named_read_waits_for_nothing_else(self):
        first = self.client.post("/persons", person())
        self.client.get("/persons")
        with Locked(self.server, "person", "exclusive"):
            self.client.post("/persons", person())
            answer = self.client.request("GET", "/persons?limit=1", headers={
                "Daybook-Sequence": str(first.sequence), "Prefer": "wait=60"})
            self.assertEqual(answer.status, 200)

    def test_one_that_came_after_what_is_named_is_not_told_as_set_aside(self):
        first = self.client.post("/persons", person())
        self.client.get("/persons")
        with Locked(self.server, "person", "exclusive"):
            late = self.client.post("/persons", person()).data["id"]
            answer = self.client.request("GET", "/persons/" + late, headers={
                "Daybook-Sequence": str(first.sequence)})
            self.assert_refused(answer, 503, "not yet in the read tables")
        self.assertEqual(self.client.get("/persons/" + late).status, 200)

    def test_a_read_right_after_the_start_waits_for_the_tables(self):
        made = self.client.post("/persons", person())
        for _ in range(3):
            self.client.close()
            self.server.stop()
            self.server.start()
            answer = self.client.get("/persons/" + made.data["id"])
            self.assertEqual((answer.status, answer.json["data"]), (200, made.data))

    def test_other_preferences_are_ignored(self):
        for prefer in ("", "respond-async", "wait", "wait=x", "wait=-1", ",,;"):
            answer = self.client.get("/events?limit=1", Prefer=prefer)
            self.assertEqual(answer.status, 200)
            self.assertIsNone(answer.headers["Preference-Applied"])


def in_threads(work, count):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    unittest.main()
