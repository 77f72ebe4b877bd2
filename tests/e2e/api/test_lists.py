"""Lists: bounded, followed page by page, filtered."""

import json
import unittest
from urllib.parse import quote

from served import Served, next_page, person

COUNT = 40


class Lists(Served):
    """Kate and Kurt with 40 events each, turn by turn: clicks and views, a minute apart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate, cls.kurt = (
            cls.client.post("/persons", person()).data["id"] for _ in range(2))
        cls.events = []
        for n in range(2 * COUNT):
            event = {"event_type": ("click", "view")[n // 2 % 2],
                     "person_id": (cls.kate, cls.kurt)[n % 2],
                     "datetime_created": f"2023-10-08T{n // 60:02}:{n % 60:02}:00.000000",
                     "properties": {"n": n, "page": {"odd": n % 2 == 1, "tags": ["a", n % 3]}}}
            answer = cls.client.post("/events", event)
            cls.events.append({"id": answer.data["id"], **event})

    def listed(self, query):
        answer = self.client.get("/events?" + query)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIsNone(answer.headers["Link"])
        return answer.data

    def expected(self, matches):
        return [event for event in self.events if matches(event)]

    def test_pages_followed_to_the_end_are_the_whole(self):
        whole = self.client.get("/events").data
        self.assertEqual(len(whole), 2 * COUNT + 2)
        for limit in (1, 7, 41, 82):
            events, pages = self.follow(f"/events?limit={limit}")
            self.assertEqual(events, whole)
            self.assertEqual(pages, -(-len(whole) // limit))

    def test_the_next_page_keeps_the_filters(self):
        properties = quote('{"page": {"odd": true}}')
        query = (f"/events?keyword=click&person_id={self.kurt}"
                 f"&since=2023-10-08T00:10:00&properties={properties}")
        whole = self.client.get(query).data
        self.assertGreater(len(whole), 10)
        events, pages = self.follow(query + "&limit=4")
        self.assertEqual(events, whole)
        self.assertGreater(pages, 2)

    def test_no_link_where_nothing_follows(self):
        self.assertIsNone(self.client.get(f"/events?limit={2 * COUNT + 2}").headers["Link"])
        self.assertIsNotNone(
            self.client.get(f"/events?limit={2 * COUNT + 1}").headers["Link"])

    def test_a_page_is_not_disturbed_by_what_is_written_meanwhile(self):
        whole = self.client.get(f"/events?person_id={self.kate}").data
        first = self.client.get(f"/events?person_id={self.kate}&limit=20")
        event = self.recorded(self.kate)
        rest, _ = self.follow(next_page(first))
        self.assertEqual(first.data + rest, whole + [event])
        self.client.delete("/events/" + event["id"])

    def test_persons_are_listed_in_sequence_order(self):
        made = [self.created()["id"] for _ in range(5)]
        persons, pages = self.follow("/persons?limit=2&events_limit=1")
        listed = [each["id"] for each in persons]
        self.assertEqual(listed[:2], [self.kate, self.kurt])
        self.assertEqual([each for each in listed if each in made], made)
        self.assertEqual(pages, -(-len(persons) // 2))
        for each in made:
            self.client.delete("/persons/" + each)

    def test_a_person_carries_its_newest_events_oldest_first(self):
        whole = self.client.get(f"/events?person_id={self.kate}").data
        for limit in (0, 1, 10, 41, 1000):
            newest = whole[len(whole) - min(limit, len(whole)):]
            one = self.client.get(f"/persons/{self.kate}?events_limit={limit}")
            self.assertEqual(one.data["events"], newest)
            listed = self.client.get(f"/persons?limit=1&events_limit={limit}")
            self.assertEqual(listed.data[0]["events"], newest)

    def test_a_person_carries_a_hundred_events_unless_told(self):
        storm = self.created()["id"]
        self.client.post("/events/batch", [
            {"event_type": "click", "person_id": storm, "properties": {"n": n}}
            for n in range(150)])
        events = self.client.get("/persons/" + storm).data["events"]
        self.assertEqual([each["properties"]["n"] for each in events],
                         list(range(50, 150)))
        self.client.delete("/persons/" + storm)

    def test_a_person_with_much_to_tell_stays_within_bounds(self):
        storm = self.created()["id"]
        path = f"/persons/{storm}?events_limit=1000"
        for _ in range(3):
            self.client.post("/events/batch", [
                {"event_type": "large", "person_id": storm,
                 "properties": {"text": "x" * 60000}} for _ in range(100)])
        whole, _ = self.follow(f"/events?person_id={storm}")
        answer = self.client.get(path)
        self.assert_ok(answer)
        self.assertEqual(answer.data["events"], whole[-17:])
        self.assertLess(len(answer.body), (1 << 20) + 1000)
        head = self.client.request("HEAD", path)
        self.assertEqual(head.headers["Content-Length"], str(len(answer.body)))
        self.assertEqual(self.client.get(
            path, if_none_match=answer.headers["ETag"]).status, 304)
        persons, _ = self.follow("/persons?events_limit=1000")
        self.assertEqual(persons[-1], answer.data)
        changed = self.client.patch("/persons/" + storm, {"last_name": "Munroe"})
        self.assertEqual(changed.data["events"], whole[-17:])
        self.client.delete("/persons/" + storm)

    def test_keyword_is_the_whole_event_type(self):
        self.assertEqual(self.listed("keyword=view"),
                         self.expected(lambda each: each["event_type"] == "view"))
        self.assertEqual(self.listed("keyword=vie"), [])

    def test_since_is_included_and_until_is_not(self):
        since, until = "2023-10-08T00:30:00", "2023-10-08T01:00:00"
        listed = self.listed(f"since={since}&until={until}")
        self.assertEqual(listed, self.expected(
            lambda each: since <= each["datetime_created"][:19] < until))
        self.assertEqual(len(listed), 30)

    def test_times_may_have_an_offset(self):
        self.assertEqual(
            self.listed("since=2023-10-08T02:30:00%2B02:00&until=2023-10-08T00:31:00Z"),
            self.events[30:31])

    def test_properties_are_contained(self):
        for wanted, matches in (
                ({"n": 17}, lambda own: own["n"] == 17),
                ({"page": {"odd": True}}, lambda own: own["page"]["odd"]),
                ({"page": {"tags": [2]}}, lambda own: 2 in own["page"]["tags"]),
                ({"page": {"tags": [2, "a"]}, "n": 5}, lambda own: own["n"] == 5),
                ({"m": 1}, lambda own: False)):
            listed = self.listed("properties=" + quote(json.dumps(wanted)))
            self.assertEqual(listed, self.expected(
                lambda each, matches=matches: matches(each["properties"])))

    def test_filters_combine_by_and(self):
        wanted = quote(json.dumps({"page": {"tags": [0]}}))
        listed = self.listed(f"keyword=view&person_id={self.kurt}&properties={wanted}"
                             "&since=2023-10-08T00:10:00&until=2023-10-08T01:10:00")
        expected = self.expected(
            lambda each: each["event_type"] == "view" and each["person_id"] == self.kurt
            and each["properties"]["n"] % 3 == 0 and 10 <= each["properties"]["n"] < 70)
        self.assertGreater(len(expected), 2)
        self.assertEqual(listed, expected)

    def test_an_empty_list_is_a_success_that_says_so(self):
        answer = self.client.get("/events?keyword=nothing")
        self.assertEqual((answer.status, answer.data), (200, []))
        self.assertEqual(answer.json["response"]["message"], "Ok")
        self.assertIn("no events", answer.details)

    def test_bad_parameters_are_named(self):
        for path, name in (
                ("/events?limit=0", "limit"), ("/events?limit=10001", "limit"),
                ("/events?limit=-1", "limit"), ("/events?limit=1e2", "limit"),
                ("/events?limit=", "limit"), ("/events?limit=5&limit=5", "limit"),
                ("/events?after=x", "after"), ("/events?after=-1", "after"),
                ("/events?after=99999999999999999999", "after"),
                ("/events?person_id=7", "person_id"), ("/events?keyword=", "keyword"),
                ("/events?keyword=a%20b", "keyword"), ("/events?keyword=%ff", "keyword"),
                ("/events?since=yesterday", "since"),
                ("/events?until=2023-02-30T00:00:00", "until"),
                ("/events?properties=7", "properties"),
                ("/events?properties=%7B", "properties"),
                ("/events?properties=%7B%22a%22:%22%5Cu0000%22%7D", "properties"),
                ("/events?keywrd=click", "keywrd"), ("/persons?keyword=x", "keyword"),
                ("/persons?events_limit=1001", "events_limit"),
                (f"/persons/{self.kate}?events_limit=x", "events_limit"),
                (f"/persons/{self.kate}?limit=1", "limit"),
                ("/log?limit=0", "limit"), ("/log/1?after=1", "after")):
            with self.subTest(path):
                self.assert_refused(self.client.get(path), 400, name, field=name)


class Nobody(Served):
    def test_without_persons_the_list_is_a_success_that_says_so(self):
        for path in ("/persons", "/events", "/log"):
            answer = self.client.get(path)
            self.assertEqual((answer.status, answer.data), (200, []))
            self.assertIn("no ", answer.details)


if __name__ == "__main__":
    unittest.main()
