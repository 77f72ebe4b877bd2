"""The clock set back while the server runs: the log keeps its order, and ids are unique.
Times are what the clock said."""

import json
import mmap
import os
import unittest
from datetime import datetime, timedelta, timezone

from fold import check_gapless, check_reads
from harness import Server
from served import UUIDV7, new_id, person
from tables import query
from test_durability import Body

HOUR = 3600


class Clock:
    """What the system clock of a server is ahead, in seconds."""

    def __init__(self, server):
        self.path = os.path.join(server.data_dir, "clock")
        with open(self.path, "wb") as file:
            file.write(bytes(8))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)
        server.env.update(DAYBOOK_TEST_CLOCK=self.path,
                          LD_PRELOAD=os.environ["DAYBOOK_TEST_PRELOAD"])
        # Else it insists on being the first library, which now the clock is.
        options = server.env.get("ASAN_OPTIONS", "")
        server.env["ASAN_OPTIONS"] = f"{options}:verify_asan_link_order=0".strip(":")

    def set(self, seconds):
        self.map[:] = seconds.to_bytes(8, "little", signed=True)


class SetBack(unittest.TestCase):
    """Persons and events are recorded, the clock is set back by an hour, and more are."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.clock = Clock(cls.server)
        cls.server.start()
        cls.client = cls.server.client()
        cls.key, cls.keyed = new_id(), cls.body("keyed")
        cls.first = cls.client.post("/persons", cls.keyed, Idempotency_Key=cls.key)
        cls.record("before")
        cls.border = cls.client.get("/health").data["head"]
        cls.clock.set(-HOUR)
        cls.record("after")
        cls.records = cls.server.log_records()

    @staticmethod
    def body(name):
        return {"email": f"{name}@clock.test", "first_name": "A", "last_name": "B"}

    @classmethod
    def record(cls, name):
        for number in range(5):
            person = cls.client.post("/persons", cls.body(f"{name}{number}")).data["id"]
            cls.client.post("/events/batch", [
                {"event_type": name, "person_id": person} for _ in range(200)])

    def setUp(self):
        self.assertEqual(self.first.status, 201)
        self.assertEqual(self.server.log_records()[:len(self.records)], self.records)

    def recorded_at(self, first, last):
        return [record["recorded_at"] for record in self.records[first - 1:last]]

    def test_the_log_keeps_its_order_and_tells_what_the_clock_said(self):
        check_gapless(self.records)
        self.assertEqual(len(self.records), 2 + 2 * 5 * 202)
        before = self.recorded_at(1, self.border)
        after = self.recorded_at(self.border + 1, len(self.records))
        self.assertLess(max(after), min(before))
        self.assertEqual((before, after), (sorted(before), sorted(after)))

    def test_every_id_is_there_once_and_of_the_time_the_clock_said(self):
        ids = [record["subject_id"] for record in self.records]
        self.assertEqual(len(set(ids)), len(ids))
        for record in self.records:
            self.assertRegex(record["subject_id"], UUIDV7)
            milliseconds = int(record["subject_id"].replace("-", "")[:12], 16)
            made = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
            told = datetime.fromisoformat(record["recorded_at"] + "+00:00")
            self.assertLess(abs(told - made), timedelta(minutes=30))

    def test_lists_are_in_the_order_of_the_log_and_filter_by_what_they_show(self):
        check_reads(self.server, self.server.log_records())
        border = min(self.recorded_at(1, self.border))
        for path, kind in ("since", "before"), ("until", "after"):
            shown = self.client.get(f"/events?{path}={border}&limit=10000").data
            self.assertEqual({event["event_type"] for event in shown} - {"signup"}, {kind})

    def test_a_change_is_seen_though_it_is_told_to_be_older_than_what_it_changes(self):
        path = "/persons/" + self.first.data["id"]
        for turn in range(2):
            changed = self.client.patch(path, {"first_name": f"C{turn}"})
            self.assertEqual(changed.status, 200)
            self.assertLess(changed.data["datetime_modified"],
                            changed.data["datetime_created"])
            self.assertEqual(self.client.get(path).data, changed.data)
            self.assertEqual(self.client.patch(
                path, {"first_name": "D"}, If_Match=self.first.headers["ETag"]).status, 412)

    def test_a_key_is_still_known(self):
        again = self.client.post("/persons", self.keyed, Idempotency_Key=self.key)
        self.assertEqual((again.status, again.body), (201, self.first.body))

    def test_the_log_and_the_tables_made_anew_are_found_to_be_right(self):
        self.server.run("verify", "--projection")
        self.server.run("rebuild")
        self.client.close()  # a restart finds it as it was
        self.server.stop()
        self.server.start()
        check_reads(self.server, self.server.log_records())
        self.server.run("verify", "--projection")

    def test_an_export_of_it_makes_the_very_log_again(self):
        other = Server()
        self.addCleanup(other.close)
        file = os.path.join(other.data_dir, "export.ndjson")
        self.server.run("export", file)
        self.server.bring_keys(other.data_dir)
        other.run("import", file)
        other.start()
        records = other.log_records()
        self.assertEqual(records, self.server.log_records())
        check_reads(other, records)

    def exported(self, *arguments):
        lines = [json.loads(line) for line in
                 self.server.run("export", *arguments).stdout.splitlines()]
        return [line["sequence"] for line in lines if "format" in line]

    def test_a_time_is_a_place_in_the_log_and_parts_it_in_two(self):
        """Of the last record at or before it, wherever those before it claim to be."""
        head = self.client.get("/health").data["head"]
        in_between = min(self.recorded_at(1, self.border))  # all that come after are older
        middle = self.border + 500
        for time, place in ((self.records[middle - 1]["recorded_at"], middle),
                            (in_between, head)):
            to = self.exported("--to", time)
            place = max(place, to[-1])  # others of that microsecond
            self.assertEqual(to, list(range(1, place + 1)))
            behind = datetime.fromisoformat(time) + timedelta(microseconds=1)
            behind = behind.isoformat(timespec="microseconds")
            self.assertEqual(self.exported("--from", behind),
                             list(range(place + 1, head + 1)))

    def test_a_replay_to_a_time_ends_at_that_place(self):
        time = self.records[self.border + 500 - 1]["recorded_at"]
        place = self.exported("--to", time)[-1]
        schema = self.server.env["DB_SCHEMA"] + "_then"
        self.server.run("replay", "--to", time, "--into", schema)
        self.assertEqual(query(self.server, f"select sequence from {schema}.checkpoint"),
                         str(place))


class Jumps(unittest.TestCase):
    def test_requests_under_way_and_open_connections_live_through_them(self):
        server = Server()
        self.addCleanup(server.close)
        clock = Clock(server)
        server.start()
        client = server.client()
        person = client.post("/persons", {"email": "a@clock.test", "first_name": "A",
                                          "last_name": "B"}).data["id"]
        for hours in -1, 1, -48, 0:
            under_way = Body(server.port,
                             f'{{"event_type": "x", "person_id": "{person}"}}')
            clock.set(hours * HOUR)
            under_way.socket.sendall(under_way.rest)
            self.assertTrue(under_way.socket.recv(100).startswith(b"HTTP/1.1 201"))
            under_way.socket.close()
            self.assertEqual(client.get("/events").status, 200)
            self.assertEqual(client.get("/health").data["projection"], "following")


class Forgotten(unittest.TestCase):
    """A month passes, and what events said is forgotten: nobody was erased by that."""

    def test_who_is_there_still_is_not_told_to_be_erased(self):
        server = Server(env={"SEALED": "true", "RETENTION": "events:31d"})
        self.addCleanup(server.close)
        clock = Clock(server)
        client = server.start().client()
        kate, erik = (client.post("/persons", person()).data["id"] for _ in range(2))
        sent = {"event_type": "click", "person_id": kate}
        keyed = {"Idempotency_Key": "once"}
        hers = client.post("/events", sent, **keyed).data["id"]
        his = client.post("/events", {**sent, "person_id": erik}).data["id"]
        nobodys = client.post("/events", {"event_type": "x", "anonymous_id": "a"}).data["id"]
        self.assertEqual(client.delete(f"/persons/{erik}?erase=true").status, 200)
        today = datetime.now(timezone.utc).date()
        first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        clock.set(((first - today).days + 1) * 24 * HOUR)
        server.run("events", "expire", "--before", first.strftime("%Y-%m"), "--yes")
        told = {one: client.get("/events/" + one) for one in (hers, his, nobodys)}
        self.assertEqual([told[one].status for one in told], [404, 410, 404])
        self.assertNotIn("erased", told[hers].body.decode())
        again = client.post("/events", sent, **keyed)
        self.assertEqual(again.status, 409, again.body)
        self.assertIn("forgotten", again.details)
        self.assertEqual(client.get(f"/persons/{kate}/history").status, 200)


if __name__ == "__main__":
    unittest.main()
