"""GET /log/stream: what comes, from where on, for whom, and how it ends."""

import unittest

from feed import Stream
from served import Served, new_id


class Streams(Served):
    settings = {"STREAMS_MAX": "8"}

    def stream(self, query="", headers=(), **kwargs):
        """One that is let in: the places of those that have ended are free in a moment."""
        found = []
        def is_in():
            stream = Stream(self.server, query, headers, **kwargs).open()
            found.append(stream)
            self.addCleanup(stream.close)
            return stream.status != 503
        self.server.wait_for(is_in, "a place")
        return found[-1]

    def head(self):
        return self.client.get("/health").data["head"]

    def refused(self, query="", headers=()):
        """The answer of one that is none."""
        return self.client.request("GET", "/log/stream" + query, headers=dict(headers))

    def test_each_record_comes_as_the_log_has_it(self):
        self.recorded(self.created()["id"], properties={"a": "\n\r \"\u2028"})
        head = self.head()
        stream = self.stream("?after=0")
        self.assertEqual((stream.status, stream.headers["content-type"]),
                         (200, "text/event-stream"))
        first = stream.block()
        self.assertEqual(first.lines, ["retry: 3000", "id: 0"])
        blocks = stream.events(head)
        self.assertEqual([int(each.id) for each in blocks], list(range(1, head + 1)))
        records = [each.json for each in blocks]
        self.assertEqual(records, self.server.log_records()[:head])
        self.assertEqual([each.event for each in blocks],
                         [each["type"] for each in records])

    def test_what_is_written_later_comes_too(self):
        stream = self.stream("?after=head")
        begun = int(stream.block().id)
        self.assertEqual(begun, self.head())
        kate = self.created()["id"]
        self.assertEqual([each.event for each in stream.events(2)],
                         ["person.created", "event.recorded"])
        self.recorded(kate)
        self.assertEqual(int(stream.event().id), begun + 3)

    def test_it_is_not_kept_by_a_proxy(self):
        headers = self.stream().headers
        self.assertEqual((headers["x-accel-buffering"], headers["cache-control"],
                          headers["connection"]), ("no", "no-store", "close"))
        self.assertNotIn("content-length", headers)

    def test_it_is_not_compressed(self):
        stream = self.stream(headers={"Accept-Encoding": "gzip, zstd"})
        self.assertNotIn("content-encoding", stream.headers)
        self.assertEqual(stream.block().retry, "3000")

    def test_it_resumes_behind_the_last_id(self):
        self.created()
        head = self.head()
        for query, headers in (("?after=" + str(head - 1), {}),
                               ("", {"Last-Event-ID": head - 1}),
                               ("?after=head", {"Last-Event-ID": head - 1})):
            stream = self.stream(query, headers)
            self.assertEqual(int(stream.event().id), head)
            stream.close()

    def test_a_record_that_is_not_there_is_told(self):
        head = self.head()
        saying = f"record {head + 5} is not there: this log ends at {head}"
        self.assert_refused(self.refused(f"?after={head + 5}"), 409, saying)
        self.assert_refused(self.refused("", {"Last-Event-ID": str(head + 5)}), 409,
                            saying)

    def test_what_is_no_sequence_is_refused(self):
        for after in ("-1", "x", "", "1e3", "9" * 30, "HEAD"):
            self.assert_refused(self.refused(f"?after={after}"), 400, field="after")
        self.assert_refused(self.refused("", {"Last-Event-ID": "abc"}), 400,
                            "last-event-id")
        self.assert_refused(self.refused("?kind=x"), 400, field="kind")

    def test_filters_by_type(self):
        begun = self.head()
        kate = self.created()["id"]
        self.client.patch("/persons/" + kate, {"first_name": "Kitty"})
        self.recorded(kate)
        stream = self.stream(f"?after={begun}&type=person.updated,person.created")
        self.assertEqual([each.event for each in stream.events(2)],
                         ["person.created", "person.updated"])
        self.assert_refused(self.refused("?type=person.painted"), 400, field="type")
        self.assert_refused(self.refused("?type="), 400, field="type")

    def test_filters_by_event_type(self):
        begun = self.head()
        kate = self.created()["id"]
        for event_type in ("click", "look", "look at", "purchase"):
            self.recorded(kate, event_type)
        stream = self.stream(f"?after={begun}&event_type=look,purchase")
        self.assertEqual([each.json["data"]["event_type"] for each in stream.events(2)],
                         ["look", "purchase"])
        many = ",".join(f"t{i}" for i in range(21))
        self.assert_refused(self.refused("?event_type=" + many), 400, field="event_type")
        self.assert_refused(self.refused("?event_type=a,"), 400, field="event_type")

    def test_filters_by_person_and_knows_whose_events_are_now(self):
        begun = self.head()
        kate, emma = self.created()["id"], self.created()["id"]
        anonymous = new_id()
        event = self.client.post("/events", {"event_type": "before",
                                             "anonymous_id": anonymous})
        self.assertEqual(event.status, 201, event.body)
        alias = self.client.post(f"/persons/{kate}/aliases", {"anonymous_id": anonymous})
        self.assertIn(alias.status, (200, 201), alias.body)
        self.recorded(emma)
        self.client.post("/events", {"event_type": "behind", "anonymous_id": anonymous})
        past = self.stream(f"?after={begun}&person_id={kate}")
        types = [each.json["data"].get("event_type", each.event)
                 for each in past.events(5)]
        self.assertEqual(types, ["person.created", "signup", "before", "person.aliased",
                                 "behind"])
        live = self.stream(f"?after=head&person_id={kate}&type=event.recorded")
        live.block()
        self.recorded(emma)
        self.client.post("/events", {"event_type": "later", "anonymous_id": anonymous})
        self.assertEqual(live.event().json["data"]["event_type"], "later")
        self.assert_refused(self.refused("?person_id=kate"), 400, field="person_id")

    def test_streams_of_every_form_share_the_ring(self):
        forms = ["", "&timestamps=rfc3339", "&format=cloudevents",
                 "&format=cloudevents&timestamps=rfc3339", "&type=event.recorded"]
        streams = [self.stream("?after=head" + form) for form in forms[:2]]
        for stream in streams:
            stream.block()
        kate = self.created()["id"]
        streams[0].events(2)
        for form in forms[2:]:
            streams.append(self.stream(f"?after={self.head() - 2}" + form))
        self.recorded(kate)
        head = self.head()
        for stream, count in zip(streams, (1, 3, 3, 3, 2)):
            found = stream.events(count)
            self.assertEqual(int(found[-1].id), head)
        zone = streams[1].rest
        self.assertEqual(zone, b"")

    def test_times_end_with_z_where_that_is_asked(self):
        self.created()
        after = self.head() - 1
        stream = self.stream(f"?after={after}&timestamps=rfc3339")
        self.assertRegex(stream.event().json["recorded_at"], "Z$")
        stream = self.stream(f"?after={after}", {"Prefer": "timestamps=rfc3339"})
        self.assertRegex(stream.event().json["recorded_at"], "Z$")

    def test_an_old_client_is_served(self):
        self.created()
        stream = self.stream(f"?after={self.head() - 1}", version="1.0")
        self.assertNotIn("transfer-encoding", stream.headers)
        self.assertEqual(int(stream.event().id), self.head())

    def test_head_and_options_behave(self):
        answer = self.client.request("HEAD", "/log/stream?after=head")
        self.assertEqual((answer.status, answer.headers["Content-Type"], answer.body),
                         (200, "text/event-stream", b""))
        answer = self.client.request("OPTIONS", "/log/stream")
        self.assertEqual((answer.status, answer.headers["Allow"]),
                         (204, "GET, HEAD, OPTIONS"))
        self.assert_refused(self.client.post("/log/stream", {}), 405)
        answer = self.client.get("/log/stream", accept="text/event-stream;q=0, "
                                 "application/cloudevents+json;q=0")
        self.assert_refused(answer, 406)

    def test_each_has_a_line_in_the_log_when_it_ends(self):
        stream = self.stream(headers={"X-Request-Id": "a-stream.1"})
        stream.block()
        self.assertNotIn("a-stream.1", self.server.told())
        stream.close()
        self.server.wait_for(lambda: "a-stream.1" in self.server.told(), "a line")
        line, = [line for line in self.server.told().split("\n") if "a-stream.1" in line]
        self.assertIn("/log/stream", line)
        self.assertIn("200", line)

    def test_places_are_bounded_and_given_back(self):
        streams = [self.stream("?after=head") for _ in range(8)]
        self.assertEqual({each.status for each in streams}, {200})
        self.assert_refused(self.refused("?after=head"), 503, "STREAMS_MAX")
        self.assert_refused(self.client.get(f"/log?wait=1&after={self.head()}"), 503)
        for each in streams:
            each.close()
        self.assertEqual(self.stream("?after=head").status, 200)

    def test_one_address_does_not_keep_all_places(self):
        streams = [self.stream("?after=head", source="127.0.0.2") for _ in range(8)]
        other = self.stream("?after=head", source="127.0.0.3")
        self.assertEqual(other.status, 200)
        self.assertEqual(streams[-1].event().json["reason"], "crowded")
        self.assertIsNone(streams[-1].block())
        self.created()
        for each in (*streams[:-1], other):
            self.assertEqual(each.event().event, "person.created")
            each.close()


if __name__ == "__main__":
    unittest.main()
