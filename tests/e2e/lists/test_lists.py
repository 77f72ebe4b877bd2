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
            self.assertEqual(listed.data[0], one.data)
            self.assertEqual(one.data.get("events_total"),
                             len(whole) if 0 < limit < len(whole) else None)
            self.assertEqual("events_next" in one.data, "events_total" in one.data)

    def test_the_events_that_a_person_does_not_show_are_where_it_says(self):
        whole = self.client.get(f"/events?person_id={self.kate}").data
        for limit in (1, 10, 40):
            one = self.client.get(f"/persons/{self.kate}?events_limit={limit}").data
            rest, _ = self.follow(one["events_next"] + "&limit=7")
            self.assertEqual(rest[::-1] + one["events"], whole)
        shown = self.client.get(f"/persons/{self.kate}?events_limit=1&fields=id,role").data
        self.assertEqual(set(shown), {"id", "role"})

    def test_a_person_that_was_cut_can_be_put_back_as_it_is_shown(self):
        shown = self.client.get(f"/persons/{self.kate}?events_limit=2").data
        self.assertEqual(shown["events_total"], COUNT + 1)
        answer = self.client.put(f"/persons/{self.kate}", shown)
        self.assert_ok(answer)
        self.assertEqual(len(answer.data["events"]), COUNT + 1)

    def test_how_many_events_a_person_has_follows_each_change(self):
        anonymous = {"event_type": "click", "anonymous_id": "lists-total"}
        for _ in range(2):
            self.assertEqual(self.client.post("/events", anonymous).status, 201)
        storm = self.created()["id"]
        made = [self.recorded(storm) for _ in range(20)]

        def shown(expected):
            for path in (f"/persons/{storm}?events_limit=5",
                         f"/persons/{storm}?events_limit=101", "/persons?events_limit=5"):
                found = self.client.get(path).data
                found = found[-1] if isinstance(found, list) else found
                self.assertEqual(found["id"], storm)
                self.assertEqual(found.get("events_total", len(found["events"])), expected)

        shown(21)
        self.recorded(storm)
        shown(22)
        self.client.delete("/events/" + made[0]["id"])
        shown(21)
        self.assertIn(self.client.post(f"/persons/{storm}/aliases", {
            "anonymous_id": "lists-total"}).status, (200, 201))
        shown(23)
        self.client.post("/events", anonymous)
        shown(24)
        self.client.delete(f"/persons/{storm}/aliases/lists-total")
        shown(21)
        self.client.delete("/persons/" + storm)
        for event in self.client.get("/events?anonymous_id=lists-total").data:
            self.client.delete("/events/" + event["id"])

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
        self.assertEqual(answer.data["events_total"], len(whole))
        self.assertEqual(self.follow(answer.data["events_next"])[0], whole[-18::-1])
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

    def test_a_page_of_many_megabytes_is_streamed_to_its_end_and_goes_on(self):
        made = []
        for _ in range(24):
            made.append(self.created()["id"])
            for _ in range(2):
                self.client.post("/events/batch", [
                    {"event_type": "large", "person_id": made[-1],
                     "properties": {"text": "x" * 9000}} for _ in range(60)])
        for order in ("asc", "desc"):
            persons, pages = self.follow(f"/persons?order={order}&limit=25")
            self.assertEqual(pages, 2)
            shown = [each["id"] for each in persons if each["id"] in made]
            self.assertEqual(shown, made if order == "asc" else made[::-1])
            for each in persons:
                if each["id"] in made:
                    self.assertEqual((len(each["events"]), each["events_total"]),
                                     (100, 121))
        for each in made:
            self.client.delete("/persons/" + each)

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

    def test_backwards_it_is_the_same_list(self):
        for query in ("", f"&person_id={self.kate}", "&keyword=click",
                      "&keyword=click&keyword=signup", "&since=2023-10-08T00:10:00",
                      f"&keyword=view&person_id={self.kurt}"):
            whole = self.listed("order=asc" + query)
            self.assertGreater(len(whole), 10)
            self.assertEqual(self.listed("order=desc" + query), whole[::-1])
            for limit in (1, 7, 40):
                events, pages = self.follow(f"/events?limit={limit}&order=desc{query}")
                self.assertEqual(events, whole[::-1])
                self.assertEqual(pages, -(-len(whole) // limit))

    def test_a_page_backwards_is_not_disturbed_by_what_is_written_meanwhile(self):
        whole = self.listed("order=desc")
        first = self.client.get("/events?order=desc&limit=20")
        event = self.recorded(self.kate)
        rest, _ = self.follow(next_page(first))
        self.assertEqual(first.data + rest, whole)
        self.assertEqual(self.client.get("/events?order=desc&limit=1").data, [event])
        self.client.delete("/events/" + event["id"])

    def test_a_cursor_is_a_place_that_can_be_left_both_ways(self):
        whole = self.listed("")
        first = self.client.get("/events?limit=20")
        cursor = next_page(first).rpartition("after=")[2]
        self.assertEqual(self.listed(f"order=desc&after={cursor}"), whole[:19][::-1])
        self.assertEqual(self.listed("order=desc&after=0"), whole[::-1])
        self.assertEqual(self.listed("order=desc&after=1"), [])

    def test_persons_backwards(self):
        made = [self.created()["id"] for _ in range(5)]
        whole, _ = self.follow("/persons?limit=3&events_limit=1")
        persons, pages = self.follow("/persons?limit=2&events_limit=1&order=desc")
        self.assertEqual(persons, whole[::-1])
        self.assertEqual(pages, -(-len(persons) // 2))
        for each in made:
            self.client.delete("/persons/" + each)

    def test_a_long_list_backwards_is_streamed_to_its_end(self):
        storm = self.created()["id"]
        for n in range(3):
            self.client.post("/events/batch", [
                {"event_type": "large", "person_id": storm,
                 "properties": {"n": 20 * n + i, "text": "x" * 60000}} for i in range(20)])
        listed = self.listed("order=desc&keyword=large&limit=10000")
        self.assertEqual([each["properties"]["n"] for each in listed],
                         list(range(59, -1, -1)))
        self.client.delete("/persons/" + storm)

    def test_all_that_match_are_counted(self):
        self.assertNotIn("count", self.client.get("/events").json["response"])
        for path, count in (
                ("/events?", 2 * COUNT + 2), (f"/events?person_id={self.kate}", COUNT + 1),
                ("/events?keyword=click&keyword=view", 2 * COUNT), ("/persons?", 2),
                ("/events?keyword=none", 0), ("/events?since=2023-10-08T01:00:00"
                                             "&until=2023-10-08T01:10:00", 10)):
            for limit in (1, 1000):
                answer = self.client.get(f"{path}&limit={limit}&count=exact")
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(list(answer.json["response"])[:2], ["count", "count_is"])
                self.assertEqual((answer.json["response"]["count"],
                                  answer.json["response"]["count_is"]), (count, "exact"))
            estimated = self.client.get(f"{path}&count=estimated").json["response"]
            self.assertEqual(estimated["count_is"], "estimated")
            self.assertGreaterEqual(estimated["count"], 0)
        self.assertIn("count=exact", self.client.get("/events?limit=1&count=exact").headers["Link"])

    def test_several_keywords_are_any_of_them(self):
        wanted = ("view", "signup", "view", "none")
        listed = self.listed("&".join("keyword=" + each for each in wanted))
        whole = self.listed("")
        self.assertEqual(listed, [each for each in whole if each["event_type"] in wanted])
        self.assertEqual(len(listed), COUNT + 2)
        self.assertEqual(self.listed("limit=1000" + "&keyword=click" * 20),
                         self.listed("keyword=click"))
        page = self.client.get("/events?limit=2&keyword=view&keyword=click")
        self.assertEqual(next_page(page).count("keyword="), 2)
        self.assert_refused(self.client.get("/events?" + "&keyword=a" * 21), 400, "20",
                            field="keyword")

    def test_only_the_fields_asked_for_are_shown_in_their_order(self):
        whole = self.listed("")
        for fields in ("id", "event_type,id", "properties", "person_id,datetime_created"):
            wanted = fields.split(",")
            self.assertEqual(
                [list(each.items()) for each in self.listed("fields=" + fields)],
                [[(name, value) for name, value in each.items() if name in wanted]
                 for each in whole])
        persons = self.client.get("/persons?fields=role,events,id").data
        self.assertEqual([list(each) for each in persons], [["id", "events", "role"]] * 2)
        self.assertEqual(len(persons[0]["events"]), COUNT + 1)
        persons = self.client.get("/persons?fields=email").data
        self.assertEqual([list(each) for each in persons], [["email"]] * 2)
        one = self.client.get(f"/persons/{self.kate}?fields=id,last_name")
        self.assertEqual(one.data, {"id": self.kate, "last_name": "Pryde"})
        event = self.client.get(f"/events/{whole[-1]['id']}?fields=event_type")
        self.assertEqual(event.data, {"event_type": "view"})

    def test_an_unknown_field_is_told_with_those_there_are(self):
        for path in ("/events?fields=id,name", "/persons?fields=", "/persons?fields=id,,role",
                     "/persons?fields=ID", f"/persons/{self.kate}?fields=properties%20"):
            self.assert_refused(self.client.get(path), 400, "datetime_created", "fields")

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
                ("/events?keyword=a%0Ab", "keyword"), ("/events?keyword=%ff", "keyword"),
                ("/events?since=yesterday", "since"),
                ("/events?until=2023-02-30T00:00:00", "until"),
                ("/events?properties=7", "properties"),
                ("/events?properties=%7B", "properties"),
                ("/events?properties=%7B%22a%22:%22%5Cu0000%22%7D", "properties"),
                ("/events?order=up", "order"), ("/events?order=DESC", "order"),
                ("/persons?order=", "order"), ("/persons?count=yes", "count"),
                ("/events?count=", "count"), ("/log?count=exact", "count"), ("/log?order=desc", "order"),
                ("/persons?order=asc&order=asc", "order"),
                ("/events?timestamps=iso", "timestamps"),
                ("/log?timestamps=", "timestamps"),
                ("/events?include=all", "include"), ("/persons?include=received", "include"),
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
