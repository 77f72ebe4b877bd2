"""GET /log?wait=S, heartbeats, CloudEvents, and tokens that do not hold any more."""

import json
import select
import socket
import unittest

from feed import Stream, until, until_waiting
from harness import Server
from served import Served, next_page

BATCH = "application/cloudevents-batch+json"


class Wait(Served):
    def head(self):
        return self.client.get("/health").data["head"]

    def waiting(self, query, headers=()):
        """One whose answer is not there yet."""
        poll = Stream(self.server, query, headers, path="/log")
        self.addCleanup(poll.close)
        return poll

    def test_what_is_there_is_answered_at_once_as_ever(self):
        self.created()
        head = self.head()
        for wait in ("", "&wait=0", "&wait=60"):
            answer = self.client.get(f"/log?after={head - 1}{wait}")
            self.assert_ok(answer)
            self.assertEqual([each["sequence"] for each in answer.data], [head])

    def test_it_waits_for_a_record(self):
        head = self.head()
        polls = [self.waiting(f"?wait=60&after={head}") for _ in range(20)]
        until_waiting(self.client, 20)
        made = self.created()
        for poll in polls:
            poll.open()
            self.assertEqual((poll.status, poll.headers["content-type"],
                              poll.headers["connection"]),
                             (200, "application/json", "close"))
            answer = json.loads(poll.body())
            self.assertEqual(answer["response"],
                             {"details": "The request was successful", "message": "Ok",
                              "status": 200})
            self.assertEqual(answer["data"][0]["subject_id"], made["id"])
            self.assertEqual(answer["data"][0]["sequence"], head + 1)

    def test_it_begins_now_and_its_link_goes_on(self):
        head = self.head()
        now = self.client.get("/log?after=head")
        self.assertEqual((now.status, now.data, next_page(now)),
                         (200, [], f"/log?after={head}"))
        poll = self.waiting("?after=head&wait=1&limit=5").open()
        self.assertEqual(json.loads(poll.body())["data"], [])
        self.assertEqual(poll.headers["link"],
                         f'</log?wait=1&limit=5&after={head}>; rel="next"')
        poll = self.waiting("?after=head&wait=60&limit=1")
        while not select.select([poll.socket], [], [], 0.1)[0]:
            self.created()  # whenever it begins to wait
        first, = json.loads(poll.open().body())["data"]
        self.assertGreater(first["sequence"], head)
        self.assertEqual(poll.headers["link"], f'</log?wait=60&limit=1&after='
                         f'{first["sequence"]}>; rel="next"')
        for after in ("heads", "Head", "head,1"):
            self.assert_refused(self.client.get(f"/log?after={after}"), 400, field="after")
        self.assert_refused(self.client.get(f"/persons/{self.created()['id']}/history"
                                            "?after=head"), 400, field="after")

    def test_who_closes_its_side_is_gone(self):
        """As docs/feed.md says: nothing else tells of a silent client that it has left."""
        poll = self.waiting(f"?wait=60&after={self.head()}")
        stream = Stream(self.server, "?after=head").open()
        stream.block()
        for each in (poll, stream):
            each.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(poll.socket.recv(1), b"")
        self.assertIsNone(stream.block())
        stream.close()

    def test_nothing_comes_in_time(self):
        head = self.head()
        poll = self.waiting(f"?wait=1&after={head}").open()
        answer = json.loads(poll.body())
        self.assertEqual((poll.status, answer["data"]), (200, []))
        self.assertIn("no records behind", answer["response"]["details"])

    def test_a_page_that_waited_links_to_the_next(self):
        head = self.head()
        poll = self.waiting(f"?wait=60&limit=1&after={head}")
        until_waiting(self.client, 1)
        self.created()  # two records
        poll.open()
        self.assertEqual([each["sequence"] for each in json.loads(poll.body())["data"]],
                         [head + 1])
        link = poll.headers.get("link")
        if link:  # the second one was there, too
            self.assertEqual(
                link, f'</log?wait=60&limit=1&after={head + 1}>; rel="next"')

    def test_it_has_the_form_that_is_asked_for(self):
        head = self.head()
        lines = self.waiting(f"?wait=60&after={head}", {"Accept": "application/x-ndjson"})
        cloud = self.waiting(f"?wait=60&after={head}", {"Accept": BATCH})
        zone = self.waiting(f"?wait=60&after={head}&timestamps=rfc3339")
        until_waiting(self.client, 3)
        self.created()
        self.assertEqual(json.loads(lines.open().body().split(b"\n")[0])["sequence"],
                         head + 1)
        self.assertEqual(lines.headers["content-type"], "application/x-ndjson")
        self.assertEqual(json.loads(cloud.open().body())[0]["id"], str(head + 1))
        self.assertEqual(cloud.headers["content-type"], BATCH)
        self.assertRegex(json.loads(zone.open().body())["data"][0]["recorded_at"], "Z$")

    def test_what_is_wrong_is_refused(self):
        for wait in ("-1", "61", "x", ""):
            self.assert_refused(self.client.get(f"/log?wait={wait}"), 400, field="wait")
        head = self.head()
        self.assert_refused(self.client.get(f"/log?wait=1&after={head + 1}"), 409,
                            f"this log ends at {head}")
        answer = self.client.request("HEAD", f"/log?wait=60&after={head}")
        self.assertEqual(answer.status, 200)

    def test_cloud_events_are_what_the_log_says(self):
        self.recorded(self.created()["id"])
        records = self.client.get("/log?limit=10000").data
        answer = self.client.get("/log?limit=10000", accept=BATCH)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, BATCH))
        events = json.loads(answer.body)
        source = {each["source"] for each in events}
        self.assertEqual(len(source), 1)
        self.assertRegex(source.pop(), "^urn:uuid:[0-9a-f-]{36}$")
        for event, record in zip(events, records, strict=True):
            self.assertEqual(
                {name: event[name] for name in event if name != "source"},
                {"specversion": "1.0", "id": str(record["sequence"]),
                 "type": "daybook." + record["type"], "subject": record["subject_id"],
                 "time": record["recorded_at"] + "Z",
                 "datacontenttype": "application/json", "data": record})
        one = self.client.get("/log/1", accept="application/cloudevents+json")
        self.assertEqual(one.headers["Content-Type"], "application/cloudevents+json")
        self.assertEqual(json.loads(one.body), events[0])
        streams = [Stream(self.server, "?after=0&format=cloudevents"),
                   Stream(self.server, "?after=0", {
                       "Accept": "text/event-stream, application/cloudevents+json"})]
        for stream in streams:
            stream.open()
            self.assertEqual(stream.headers["content-type"], "text/event-stream")
            found = stream.events(len(events))
            self.assertEqual([each.json for each in found], events)
            self.assertEqual(found[0].event, records[0]["type"])
            stream.close()

    def test_pages_of_cloud_events_follow_each_other(self):
        self.created()
        head, path, seen = self.head(), "/log?limit=1", []
        while path:
            answer = self.client.get(path, accept=BATCH)
            seen += [int(each["id"]) for each in json.loads(answer.body)]
            path = next_page(answer)
        self.assertEqual(seen, list(range(1, head + 1)))

    def test_a_silent_stream_has_heartbeats_that_move_on(self):
        head = self.head()
        silent = Stream(self.server, "?after=head").open()
        filtered = Stream(self.server, "?after=0&type=person.unaliased").open()
        self.assertEqual(int(silent.block().id), head)
        self.assertEqual(int(filtered.block().id), 0)
        for stream in (silent, filtered):
            beat = stream.block()
            self.assertEqual((beat.comment, beat.id, beat.data),
                             (f"heartbeat {head}", str(head), None))
            stream.close()


class Revoked(unittest.TestCase):
    def test_a_stream_ends_with_its_token(self):
        server = Server()
        self.addCleanup(server.close)
        tokens = {name: server.run("token", "create", name, "--scope", scope).stdout.strip()
                  for name, scope in (("keeps", "audit"), ("goes", "audit"),
                                      ("reads", "read"))}
        server.start()
        bearer = {name: {"Authorization": "Bearer " + token}
                  for name, token in tokens.items()}
        self.assertEqual(Stream(server).open().status, 401)
        self.assertEqual(Stream(server, headers=bearer["reads"]).open().status, 403)
        keeps, goes = (Stream(server, headers=bearer[name]).open()
                       for name in ("keeps", "goes"))
        poll = Stream(server, "?wait=60&after=0", bearer["goes"], path="/log")
        self.assertEqual((keeps.status, goes.status), (200, 200))
        keeps.block(), goes.block()
        server.run("token", "revoke", "goes")
        self.assertEqual(goes.event().json["reason"], "token")
        self.assertIsNone(goes.block())
        until(lambda: poll.socket.recv(1) == b"", "the poll to end")
        keeps.socket.settimeout(3)
        with self.assertRaises(TimeoutError):
            keeps.block()
        for each in (keeps, goes, poll):
            each.close()


if __name__ == "__main__":
    unittest.main()
