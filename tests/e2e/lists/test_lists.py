"""Lists: bounded, followed page by page, filtered."""

import json
import re
import unittest
from urllib.parse import quote

from served import TIMESTAMP, Served, new_id, next_page, person
from tables import Locked

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


class Times(Served):
    """timestamps=rfc3339, in the query or preferred, and include=received."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.client.post("/persons", person()).data["id"]
        cls.event = cls.client.post(
            "/events", {"event_type": "click", "person_id": cls.person,
                        "properties": {"at": "2023-10-08T06:03:33.330037"},
                        "datetime_created": "2023-10-08T06:03:33.330037"}).data["id"]
        cls.client.post(f"/persons/{cls.person}/aliases", {"anonymous_id": "a 1"})
        cls.paths = ("/events", "/persons", f"/persons/{cls.person}/aliases",
                     f"/persons/{cls.person}", f"/events/{cls.event}", "/log", "/log/1")

    def asked(self, method, path, body=None, **headers):
        """The answer as it is usually, and with each way to ask for a Z."""
        sign = "&" if "?" in path else "?"
        yield self.client.request(method, path, body, headers)
        yield self.client.request(method, f"{path}{sign}timestamps=rfc3339", body, headers)
        for prefer in ("timestamps=rfc3339", 'wait=3, timestamps="rfc3339";a=b'):
            answer = self.client.request(method, path, body, {"Prefer": prefer, **headers})
            self.assertIn("timestamps=rfc3339", answer.headers.get_all("Preference-Applied"))
            self.assertIn("Prefer", answer.headers.get_all("Vary"))
            yield answer

    def zoned(self, text):
        """With a Z behind each time but the one within properties."""
        return re.sub(r'(?<!"at":)(?<!"at": )"(' + TIMESTAMP.pattern + ')"', r'"\1Z"',
                      text.decode())

    def test_times_of_reads(self):
        for path in self.paths:
            with self.subTest(path):
                usual, *others = self.asked("GET", path)
                self.assertRegex(usual.body.decode(), TIMESTAMP.pattern + '"')
                for other in others:
                    self.assertEqual((other.status, other.body.decode()),
                                     (usual.status, self.zoned(usual.body)))
                self.assertEqual(self.client.get(path).body, usual.body)

    def test_times_of_lines_of_the_log(self):
        usual, *others = self.asked("GET", "/log", Accept="application/x-ndjson")
        for other in others:
            self.assertEqual(other.body.decode(), self.zoned(usual.body))

    def test_times_of_writes(self):
        event = {"event_type": "view", "person_id": self.person, "id": new_id(),
                 "properties": {"at": "2023-10-08T06:03:33.330037"}}
        at = f"/events/{new_id()}"
        for method, path, body in (
                ("POST", "/events", event), ("POST", at, {**event, "id": at[8:]}),
                ("PATCH", f"/persons/{self.person}", {"first_name": "Kate"})):
            with self.subTest(path):
                self.client.request(method, path, body)
                usual, *others = self.asked(method, path, body)
                for other in others:
                    if method == "PATCH":
                        self.assertRegex(other.data["datetime_modified"],
                                         f"^{TIMESTAMP.pattern}Z$")
                        continue
                    self.assertEqual(other.body.decode(), self.zoned(usual.body))
        made = self.client.post("/persons?timestamps=rfc3339", person())
        self.assertRegex(made.data["datetime_created"], f"^{TIMESTAMP.pattern}Z$")
        self.assertRegex(made.data["events"][0]["datetime_created"], f"^{TIMESTAMP.pattern}Z$")
        put = self.client.put(f"/persons/{made.data['id']}?timestamps=rfc3339", made.data)
        self.assertEqual(put.status, 200, put.body)
        self.assertEqual(put.data["events"], made.data["events"])

    def test_each_form_has_a_tag_of_its_own(self):
        for path in (f"/persons/{self.person}", f"/events/{self.event}"):
            usual, asked, preferred, _ = self.asked("GET", path)
            self.assertEqual(asked.headers["ETag"], preferred.headers["ETag"])
            self.assertNotEqual(asked.headers["ETag"], usual.headers["ETag"])
            for tag, prefer, status in (
                    (usual.headers["ETag"], "timestamps=rfc3339", 200),
                    (asked.headers["ETag"], "timestamps=rfc3339", 304),
                    (asked.headers["ETag"], "wait=3", 200),
                    (usual.headers["ETag"], "timestamps=local", 304)):
                self.assertEqual(self.client.get(
                    path, if_none_match=tag, prefer=prefer).status, status)
        changed = self.client.patch(
            f"/persons/{self.person}", {"last_name": "Summers"}, if_match=self.client.get(
                f"/persons/{self.person}?timestamps=rfc3339").headers["ETag"])
        self.assertEqual(changed.status, 200, changed.body)

    def test_head_is_that_of_get(self):
        for path in self.paths:
            sign = "&" if "?" in path else "?"
            path = f"{path}{sign}timestamps=rfc3339"
            head, get = self.client.request("HEAD", path), self.client.get(path)
            self.assertEqual((head.status, head.body), (200, b""))
            for name in ("ETag", "Content-Length", "Content-Type"):
                self.assertEqual(head.headers[name], get.headers[name])

    def test_when_an_event_was_received(self):
        record = next(each for each in self.client.get("/log").data
                      if each["subject_id"] == self.event)
        usual = self.client.get(f"/events/{self.event}")
        answer = self.client.get(f"/events/{self.event}?include=received")
        self.assertEqual(answer.data, {**usual.data, "received": record["recorded_at"]})
        self.assertEqual(list(answer.data)[-1], "received")
        self.assertNotEqual(answer.headers["ETag"], usual.headers["ETag"])
        one = {"event_type": "view", "person_id": self.person, "id": new_id()}
        for status in (201, 200):
            made = self.client.post("/events?include=received&timestamps=rfc3339", one)
            self.assertEqual(made.status, status, made.body)
            self.assertRegex(made.data["received"], f"^{TIMESTAMP.pattern}Z$")
            self.assertEqual(self.client.get(
                f"/events/{one['id']}?include=received&timestamps=rfc3339").data, made.data)
        self.assert_refused(self.client.post("/events?include=all", {**one, "id": new_id()}),
                            400, field="include")
        short = self.client.get(
            f"/events/{self.event}?fields=id,received&timestamps=rfc3339")
        self.assertEqual(short.data, {"id": self.event, "received": record["recorded_at"] + "Z"})


class Whose(Served):
    """Persons and events by what a person is known by."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate, cls.kurt, cls.anna = (
            cls.client.post("/persons", person(**fields)).data for fields in (
                {"email": "Kate+tag@Marauders.mock"},
                {"external_id": "crm/7 é", "properties": {"plan": "pro", "seats": 3}},
                {"properties": {"plan": "pro", "seats": 5}}))
        cls.known = [cls.client.post("/events", {"event_type": "click", "person_id": each["id"]}
                                     ).data for each in (cls.kate, cls.kurt, cls.kurt)]
        cls.unknown = [cls.client.post("/events", {"event_type": kind, "anonymous_id": who}).data
                       for kind, who in (("click", "a 1"), ("view", "a 1"), ("view", "a 2"))]

    def ids(self, path):
        answer = self.client.get(path)
        self.assertEqual(answer.status, 200, answer.body)
        return [each["id"] for each in answer.data]

    def test_a_person_by_email_in_any_case(self):
        for email in ("Kate%2Btag@Marauders.mock", "kate%2btag@marauders.MOCK"):
            answer = self.client.get("/persons?email=" + email)
            self.assert_ok(answer)
            self.assertEqual(answer.data, [self.client.get(f"/persons/{self.kate['id']}").data])

    def test_a_person_by_external_id_to_the_byte(self):
        answer = self.client.get("/persons?external_id=" + quote("crm/7 é"))
        self.assertEqual(answer.data, [self.client.get(f"/persons/{self.kurt['id']}").data])
        self.assertEqual(self.ids("/persons?external_id=" + quote("CRM/7 é")), [])

    def test_nobody_is_an_empty_list_that_says_so(self):
        for path in ("/persons?email=none@x.mock", "/persons?external_id=none",
                     "/events?email=none@x.mock", "/events?external_id=none",
                     f"/events?email={quote(self.kate['email'])}&person_id={self.kurt['id']}",
                     f"/persons?external_id=none&email={quote(self.kate['email'])}"):
            answer = self.client.get(path + "&count=exact")
            self.assertEqual((answer.status, answer.data), (200, []))
            self.assertIn("no ", answer.details)
            self.assertEqual(answer.json["response"]["count"], 0)
            self.assertEqual(answer.json["response"]["count_is"], "exact")
            self.assertIsNotNone(answer.headers["Daybook-Projected-Sequence"])

    def test_who_has_an_email_now_is_found(self):
        one = self.created(email="first@x.mock")
        self.client.patch("/persons/" + one["id"], {"email": "second@x.mock"})
        self.assertEqual(self.ids("/persons?email=first@x.mock"), [])
        self.assertEqual(self.ids("/persons?email=second@x.mock"), [one["id"]])
        self.client.delete("/persons/" + one["id"])
        self.assertEqual(self.ids("/persons?email=second@x.mock"), [])
        self.assertEqual(self.ids("/events?email=second@x.mock"), [])

    def test_who_is_not_in_the_tables_yet_is_not_nobody(self):
        with Locked(self.server, "person", "exclusive"):
            one = self.created(email="late@x.mock", external_id="late")
            for path in ("/persons?email=late@x.mock", "/persons?external_id=late"):
                self.assert_refused(self.client.get(path, prefer="wait=0"), 503, "not yet")
            self.assertEqual(self.client.get("/persons?email=never@x.mock", prefer="wait=0").data,
                             [])
        self.assertEqual(self.ids("/persons?email=late@x.mock"), [one["id"]])
        self.client.delete("/persons/" + one["id"])

    def test_events_of_who_has_it(self):
        of_kurt = self.ids(f"/events?person_id={self.kurt['id']}")
        self.assertEqual(of_kurt[1:], [each["id"] for each in self.known[1:]])
        for query in ("external_id=" + quote("crm/7 é"), "email=" + quote(self.kurt["email"]),
                      f"person_id={self.kurt['id']}&email={quote(self.kurt['email'])}"):
            self.assertEqual(self.ids("/events?" + query), of_kurt)
            self.assertEqual(self.ids(f"/events?order=desc&limit=2&{query}"),
                             of_kurt[:0:-1])
            self.assertEqual(self.ids("/events?keyword=click&" + query), of_kurt[1:])

    def test_persons_by_properties(self):
        for wanted, persons in (({"plan": "pro"}, [self.kurt, self.anna]),
                                ({"plan": "pro", "seats": 5}, [self.anna]),
                                ({"plan": "free"}, [])):
            query = "/persons?properties=" + quote(json.dumps(wanted))
            self.assertEqual(self.ids(query), [each["id"] for each in persons])
            self.assertEqual(self.ids(query + "&order=desc"),
                             [each["id"] for each in persons[::-1]])
        self.assertEqual(self.ids("/persons?external_id=" + quote("crm/7 é") +
                                  "&properties=" + quote('{"seats": 5}')), [])

    def test_events_of_an_anonymous_id_claimed_or_not(self):
        first, second = self.ids("/events?anonymous_id=a%201"), self.ids("/events?anonymous_id=a%202")
        self.assertEqual(first, [each["id"] for each in self.unknown[:2]])
        self.assertEqual(second, [self.unknown[2]["id"]])
        self.assertEqual(self.ids("/events?anonymous_id=a%201&keyword=view"), first[1:])
        self.assertEqual(self.ids("/events?anonymous_id=a%201&order=desc"), first[::-1])
        self.assertEqual(self.ids("/events?anonymous_id=none"), [])
        claimed = self.client.post(f"/persons/{self.anna['id']}/aliases", {"anonymous_id": "a 2"})
        self.assertIn(claimed.status, (200, 201), claimed.body)
        found = self.client.get("/events?anonymous_id=a%202").data
        self.assertEqual([(each["id"], each["person_id"]) for each in found],
                         [(second[0], self.anna["id"])])
        self.assertIn(second[0], self.ids(f"/events?person_id={self.anna['id']}"))
        self.assertEqual(
            self.ids(f"/events?anonymous_id=a%201&person_id={self.anna['id']}"), [])

    def test_the_tag_of_an_anonymous_event_moves_with_whose_it_is(self):
        event = self.client.post("/events", {"event_type": "click", "anonymous_id": "a 3"}).data
        path = "/events/" + event["id"]
        tag = self.client.get(path).headers["ETag"]
        self.assertEqual(self.client.get(path, if_none_match=tag).status, 304)
        claimed = self.client.post(f"/persons/{self.anna['id']}/aliases", {"anonymous_id": "a 3"})
        self.assertIn(claimed.status, (200, 201), claimed.body)
        answer = self.client.get(path, if_none_match=tag)
        self.assertEqual((answer.status, answer.data["person_id"]), (200, self.anna["id"]))

    def test_when_it_was_received_is_listed(self):
        recorded = {each["subject_id"]: each["recorded_at"]
                    for each in self.client.get("/log").data}
        for each in self.client.get("/events?include=received").data:
            self.assertEqual(list(each)[-1], "received")
            self.assertEqual(each["received"], recorded[each["id"]])

    def test_what_nobody_can_be_known_by_is_refused(self):
        for path, name in (("/persons?email=kate", "email"), ("/events?email=a+b@x.mock", "email"),
                           ("/events?email=", "email"), ("/persons?external_id=", "external_id"),
                           ("/events?external_id=" + "x" * 201, "external_id"),
                           ("/events?anonymous_id=a%0Ab", "anonymous_id"),
                           ("/events?anonymous_id=" + "x" * 129, "anonymous_id"),
                           ("/persons?anonymous_id=", "anonymous_id"),
                           ("/persons?person_id=" + self.kate["id"], "person_id"),
                           ("/persons?properties=7", "properties")):
            self.assert_refused(self.client.get(path), 400, name, field=name)


class Nobody(Served):
    def test_without_persons_the_list_is_a_success_that_says_so(self):
        for path in ("/persons", "/events", "/log"):
            answer = self.client.get(path)
            self.assertEqual((answer.status, answer.data), (200, []))
            self.assertIn("no ", answer.details)


if __name__ == "__main__":
    unittest.main()
