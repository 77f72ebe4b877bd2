"""What the statistics refuse, and how; and persons searched as they are typed."""

import json
import os
import re
import subprocess
import unittest
from urllib.parse import quote

from served import Served, new_id
from tables import Locked, query, refuse_bad, take_bad

LONG = "x" * 201
PAGE = os.path.join(os.path.dirname(__file__), *[os.pardir] * 3, "docs/statistics.md")


class Slow(Served):
    """A table is locked for less than the two seconds after which PostgreSQL counts as
    hanging."""

    settings = {"QUERY_TIMEOUT": "1"}

    def test_what_takes_too_long_says_to_narrow_the_range(self):
        for table, path in (
                ("event_day", "stats"), ("event_day", "types"),
                ("event_hour", "stats?by=hour"), ("event_hour", "stats?tz=Europe/Berlin"),
                ("event", "funnel?steps=a,b"),
                ("event", "retention?first=a&then=b&tz=Asia/Kolkata"),
                ("event_day", "retention?first=a&then=b"),
                ("event", f"stats?person_id={new_id()}")):
            with self.subTest(path), Locked(self.server, table):
                answer = self.client.get("/events/" + path)
                self.assert_refused(answer, 503, "narrow the range")
                self.assertEqual(answer.json["response"]["type"],
                                 "/docs/errors.md#timeout")
            self.assertEqual(self.client.get("/events/" + path).status, 200)


class Gone(Served):
    def test_whoever_goes_leaves_no_query(self):
        with Locked(self.server, "event"):
            client = self.server.client()
            client.connection.request("GET", "/events/funnel?steps=a,b")
            waiting = ("select count(*) from pg_locks join pg_class on oid = relation "
                       "join pg_namespace n on n.oid = relnamespace where relname = 'event' "
                       f"and nspname = '{self.server.env['DB_SCHEMA']}' and not granted")
            self.server.wait_for(lambda: query(self.server, waiting) != "0", "the query")
            client.close()
            self.server.wait_for(lambda: "client is gone" in self.server.told(), "its end")


class Aside(Served):
    def exact(self, path):
        answer = self.client.get("/events/" + path)
        self.assertEqual(answer.status, 200, answer.body)
        exact = answer.json["response"]["exact"]
        self.assertEqual("quarantined" in answer.details, not exact)
        return exact

    def test_no_count_without_who_is_set_aside_looks_exact(self):
        kate, kurt = (self.created()["id"] for _ in range(2))
        refuse_bad(self.server)
        paths = ("stats", "types", "funnel?steps=a,b", "retention?first=a&then=b")
        self.assertEqual([self.exact(path) for path in paths], [True] * 4)
        self.assertEqual(self.client.patch(f"/persons/{kate}", {"first_name": "bad"}).status,
                         200)
        self.assertEqual([self.exact(path) for path in paths], [False] * 4)
        self.assert_refused(self.client.get(f"/events/stats?person_id={kate}"), 503, kate)
        self.assertTrue(self.exact(f"stats?person_id={kurt}"))
        take_bad(self.server)
        self.server.run("retry")
        self.server.wait_for(lambda: self.exact("stats"), "the healing")
        self.assertTrue(self.exact(f"stats?person_id={kate}"))


class Asked(Served):

    def refused(self, path, field, saying=""):
        with self.subTest(path):
            self.assert_refused(self.client.get(path), 400, saying, field)

    def test_bad_parameters_are_named(self):
        stats, funnel = "/events/stats?", "/events/funnel?"
        retention = "/events/retention?first=a&then=b&"
        for path in (stats + "by=year", stats + "by=", stats + "by=DAY",
                     retention + "by=hour"):
            self.refused(path, "by")
        for zone in ("", "Mars/Base", "Europe/Berlin%20", "CET", "EST5EDT", "UTC%2B3",
                     "Foo/Bar%2B3", "Etc/GMT%2B13", "Etc/GMT-15", "Etc/GMT3", "/etc/passwd",
                     "../../etc/passwd", "Europe//Berlin", "Europe/", "a/" + "b" * 80,
                     "Europe/Berlin'--", "%F0%9F%98%80/x", "localtime", "<%2B03>-3",
                     "Etc/GMT-%201", "Etc/GMT%2B-1"):
            self.refused(stats + "tz=" + zone, "tz")
            self.refused(retention + "tz=" + zone, "tz")
        for since in ("yesterday", "2023-13-01T00:00:00", "2023-13-01", "2023-10-8",
                      "20231008", "2023-10-08T", "2023-10-08Z"):
            for path in (stats, funnel + "steps=a,b&", retention):
                self.refused(f"{path}since={since}", "since")
                self.refused(f"{path}until={since}", "until")
        self.refused(stats + "since=2023-10-08T00:00:00&until=2023-10-07T00:00:00", "until",
                     "since")
        for types in ("", ",", "a,", ",a", "a,,b", LONG, "a%00", "a%0A", "%FF", "a\\b", "a\\",
                      ",".join(["a"] * 21)):
            self.refused(stats + "type=" + types, "type")
        for steps in ("", "a", ",", "a,", "a,,b", "a," + LONG, ",".join(["a"] * 11), "a,%FF",
                      "a,b\\"):
            self.refused(funnel + "steps=" + steps, "steps")
        self.refused(funnel, "steps", "required")
        for within in ("", "7", "d", "0d", "-1d", "1.5h", "7D", "7%20d", "1y", "3661d",
                       "999999999w", "99999999999s", "%2B7d", "7dd"):
            self.refused(funnel + "steps=a,b&within=" + within, "within")
        self.refused("/events/retention?then=a", "first", "required")
        self.refused("/events/retention?first=a", "then", "required")
        self.refused("/events/retention?first=&then=a", "first")
        self.refused("/events/retention?first=a&then=" + LONG, "then")
        for unique in ("yes", "1", "TRUE", ""):
            self.refused(stats + "unique=" + unique, "unique")
        self.refused(stats + "group=person", "group")
        self.refused(stats + "person_id=7", "person_id")
        for limit in ("0", "10001", "-1", "x"):
            self.refused("/events/types?limit=" + limit, "limit")
        for path in (stats, funnel, retention, "/events/types?"):
            self.refused(path + "bogus=1", "bogus")
        self.refused(stats + "by=day&by=day", "by", "more than once")

    def test_the_description_is_as_strict(self):
        """Who goes by the OpenAPI document is not refused, and is told of no mistake that
        is none."""
        dates = ("0000-01-01", "0001-01-01", "1900-02-29", "2000-02-29", "2023-02-29",
                 "2024-02-29", "2023-04-31", "2023-13-01", "2023-00-10", "2023-12-31",
                 "2023-10-32", "2023-1-1", "9999-12-31")
        times = [date + "T00:00:00" for date in dates] + [
            "2023-10-08" + time for time in (
                "", "T24:00:00", "T23:59:60", "T23:60:00", "t06:03:33z", " 06:03:33",
                "_06:03:33", "T06:03", "T06:03:33.", "T06:03:33.1234567", "T06:03:33,1",
                "T06:03:33+24:00", "T06:03:33-23:59", "T06:03:33+02:60", "T06:03:33+0200",
                "T06:03:33 Z")] + ["9999-12-31T23:59:59.9999999+00:00"]
        lists = ("", ",", "a", "a,", ",a", "a,b", "a,,b", "a\\,b", "a\\,b,c", "a\\", "a\\b,c",
                 "a\\\\,b", "a\x7f,b", "a\x9f,b", "é,ü", "a b,c", ",".join("abcdefghij"),
                 ",".join("abcdefghijk"), ",".join("abcdefghijklmnopqrst"),
                 ",".join("abcdefghijklmnopqrstu"))
        withins = ("0d", "1d", "3660d", "3661d", "522w", "523w", "87840h", "87841h",
                   "5270400m", "5270401m", "316224000s", "316224001s", "7", "d", "7D", "1.5h")
        emails = ("", "a", "@b", "a@", "a@b", "A.b+c@x-y.example", "a@-b", "a@b-", "a@b..c",
                  "a@b.", "a b@c", "é@b", "a@é", "a@b@c", "a@" + "b" * 63, "a@" + "b" * 64)
        zones = ("", "UTC", "GMT", "Etc/UTC", "Etc/GMT+12", "Etc/GMT-14", "Etc/GMT+13",
                 "Etc/GMT-15", "Europe/Berlin", "America/Argentina/Ushuaia", "Europe", "/a",
                 "Europe//Berlin", "Europe/Berlin/", "Europe/Ber lin", "é/Berlin", "+1", "CET0")
        types = ("", "a", "é", "a,b", "a\\", "a\nb", "a\x80")
        for name, path, values in (
                ("Since", "/events?limit=1&since=", times),
                ("Until", "/events?limit=1&until=", times),
                ("SinceDay", "/events/funnel?steps=a,b&since=", times + list(dates)),
                ("UntilDay", "/events/stats?until=", times + list(dates)),
                ("Steps", "/events/funnel?steps=", lists),
                ("Within", "/events/funnel?steps=a,b&within=", withins),
                ("TypeList", "/events/stats?type=", lists),
                ("Zone", "/events/stats?tz=", zones), ("Email", "/persons?email=", emails),
                ("ExternalId", "/events?external_id=", types),
                ("AnonymousId", "/events?anonymous_id=", types),
                ("PersonAnonymousId", "/persons?anonymous_id=", types),
                ("Search", "/persons?q=", types),
                ("FirstType", "/events/retention?then=a&first=", types),
                ("ThenType", "/events/retention?first=a&then=", types)):
            schema = self.described(name)
            for value in values:
                with self.subTest(name, value=value):
                    fits = re.search(schema["pattern"], value) is not None and \
                        len(value) <= schema.get("maxLength", 200)
                    answer = self.client.get(path + quote(value))
                    self.assertEqual(answer.status, 200 if fits else 400, answer.body)

    def described(self, name):
        document = self.client.get("/openapi.json").json
        return document["components"]["parameters"][name]["schema"]

    def test_bounds_are_named(self):
        """The rows are put there: 10,001 hours and 101 cohorts are many events."""
        query(self.server, """
            insert into event_hour select timestamp '1990-01-01' + i * interval '1 hour',
                'many', 1, timestamp '1990-01-01', timestamp '1990-01-01'
            from generate_series(1, 10001) i;
            insert into event_day select hour::date, event_type, count(*), min(first), max(last)
            from event_hour where event_type = 'many' group by 1, 2;
            insert into event (id, sequence, person_id, event_type, datetime_created, received)
            select gen_random_uuid(), 100000 + i, gen_random_uuid(), 'cohort',
                date '1990-01-01' + i, now()
            from generate_series(1, 101) i""")
        self.refused("/events/stats?type=many&by=hour", "by", "10000")
        self.refused("/events/retention?first=cohort&then=cohort&by=day", "by", "100")
        until = "&until=1990-04-01T00:00:00"
        self.assertEqual(
            len(self.client.get("/events/stats?type=many&by=day").data), 417)
        self.assertEqual(len(self.client.get(
            "/events/stats?type=many&by=hour" + until).data), 90 * 24 - 1)
        cohorts = self.client.get(
            "/events/retention?first=cohort&then=cohort&by=day" + until).data
        self.assertEqual((len(cohorts), cohorts[0]["returned"][:2]), (89, [1, 0]))
        query(self.server, "delete from event_hour where event_type = 'many'; "
                           "delete from event_day where event_type = 'many'; "
                           "delete from event where event_type = 'cohort'")

    def test_a_day_is_one_of_the_zone(self):
        """In Havana midnight comes twice in November, and is left out in March; in St John's
        it came twice within two hours in 1988."""
        id_ = self.created()["id"]
        for at in ("2023-10-07T21:59:59", "2023-10-07T22:00:00", "2023-10-07T23:59:59",
                   "2023-10-08T00:00:00", "2023-11-05T03:59:59", "2023-11-05T04:00:00",
                   "2023-11-05T05:00:00", "2023-03-12T04:59:59", "2023-03-12T05:00:00",
                   "1988-10-30T01:29:59", "1988-10-30T01:30:00", "1988-10-30T01:45:00",
                   "1988-10-30T03:30:00"):
            self.recorded(id_, "at midnight", datetime_created=at)
        for since, until, zone, found in (
                ("2023-10-08", "2023-10-09", "UTC", 1), ("2023-10-07", "2023-10-08", "UTC", 3),
                ("2023-10-08", "2023-10-09", "Europe/Berlin", 3),
                ("2023-10-07", "2023-10-08", "Europe/Berlin", 1),
                ("2023-10-08", "2023-10-07T23:00:00", "Europe/Berlin", 1),
                ("2023-10-07T22:00:00", "2023-10-08", "UTC", 2),
                ("2023-10-08", "2023-10-07T21:00:00", "Europe/Berlin", 0),
                ("1988-10-29", "1988-10-30", "America/St_Johns", 1),
                ("1988-10-30", "1988-10-31", "America/St_Johns", 3),
                ("2023-11-05", "2023-11-06", "America/Havana", 2),
                ("2023-11-04", "2023-11-05", "America/Havana", 1),
                ("2023-03-12", "2023-03-13", "America/Havana", 1),
                ("2023-03-11", "2023-03-12", "America/Havana", 1),
                ("2023-03-12", "2023-03-12", "America/Havana", 0)):
            with self.subTest(since=since, until=until, zone=zone):
                rows = self.client.get(f"/events/stats?type=at%20midnight&by=hour&tz={zone}"
                                       f"&since={since}&until={until}").data
                self.assertEqual(sum(row["count"] for row in rows), found)
                if since[:7] == "2023-10":
                    continue
                cohorts = self.client.get(
                    "/events/retention?first=at%20midnight&then=at%20midnight&by=day"
                    f"&tz={zone}&since={since}&until={until}").data
                first = (since, until) == ("1988-10-29", "1988-10-30")  # of all times
                self.assertEqual([each["persons"] for each in cohorts], [1] if first else [])
        steps = "/events/funnel?steps=at%20midnight,at%20midnight&within=1d"
        for since, until, persons in (("2023-10-07", "2023-10-08", 1),
                                      ("2023-10-08", "2023-10-09", 0)):
            data = self.client.get(f"{steps}&since={since}&until={until}").data
            self.assertEqual(data["steps"][1]["persons"], persons)

    def test_nothing_is_an_answer(self):
        for path, data in (
                ("stats?type=none", []), ("retention?first=none&then=none", []),
                (f"stats?person_id={new_id()}&unique=true", []),
                ("stats?since=2023-10-08T00:00:00&until=2023-10-08T00:00:00", [])):
            self.assertEqual(self.client.get("/events/" + path).data, data)
        self.assertEqual(
            self.client.get("/events/funnel?steps=none,none").data,
            {"within_seconds": 604800, "steps": [
                {"event_type": "none", "persons": 0, "share": 0}] * 2})

    def test_the_first_year_is_told_as_such(self):
        id_ = self.created()["id"]
        self.recorded(id_, "old", datetime_created="0001-01-01T00:00:00")
        self.recorded(id_, "old", datetime_created="9999-12-31T23:59:59.999999")
        for tz in ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"):
            for by in ("hour", "day", "week", "month"):
                answer = self.client.get(
                    f"/events/stats?type=old&tz={tz}&by={by}&unique=true")
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual([row["persons"] for row in answer.data], [1, 1])
                self.assertGreaterEqual(answer.data[0]["from"], "0001-01-01T00:00:00.000000")
            if tz != "UTC":
                self.assertEqual(self.client.get(
                    f"/events/retention?first=old&then=old&tz={tz}").status, 200)

    def test_persons_are_found_as_they_are_typed(self):
        made = [self.created(email=email, first_name=first, last_name=last)["id"]
                for email, first, last in (
                    ("Zoe.Quill@typed.mock", "Anaïs", "O'Hara"),
                    ("z_e@typed.mock", "Émile", "100% Sure"),
                    ("zwe@typed.mock", "Back\\slash", "Zoega"))]

        def found(text, more=""):
            answer = self.client.get(f"/persons?q={quote(text)}{more}")
            self.assertEqual(answer.status, 200, answer.body)
            return [made.index(row["id"]) for row in answer.data if row["id"] in made]

        for text, expected in (
                ("zoe", [0, 2]), ("ZOE.q", [0]), ("z_", [1]), ("100%", [1]), ("%", []),
                ("back\\", [2]), ("\\", []), ("anaÏ", [0]), ("éMI", [1]), ("o'h", [0]),
                ("quill", []), ("Zoe.Quill@typed.mock", [0]), ("z", [0, 1, 2])):
            with self.subTest(text):
                self.assertEqual(found(text), expected)
                self.assertEqual(found(text, "&order=desc"), expected[::-1])
        counted = self.client.get("/persons?q=zoe&count=exact&limit=1")
        self.assertEqual(counted.json["response"]["count"], 2)
        self.assertIn("q=zoe", counted.headers["Link"])
        self.assertEqual(found("zoe", "&email=zwe@typed.mock"), [2])
        self.assertEqual(found("ana", "&email=zwe@typed.mock"), [])
        for text in ("", "%FF", "a%00", "%0A", "x" * 255):
            self.refused("/persons?q=" + text, "q")

    def test_the_examples_of_the_page_work(self):
        with open(PAGE, encoding="utf-8") as page:
            script = re.search(r"^```sh\n(.*?)^```", page.read(), re.M | re.S)[1]
        script = script.replace("127.0.0.1:8080", f"127.0.0.1:{self.server.port}")
        done = subprocess.run(["sh", "-eu", "-c", script], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=True)
        for line in done.stdout.splitlines():
            self.assertEqual(json.loads(line)["response"]["status"], 200, line)
        self.assertEqual(len(done.stdout.splitlines()), 6)

    def test_the_methods_are_told(self):
        for route in ("stats", "types", "funnel", "retention"):
            answer = self.client.delete(f"/events/{route}")
            self.assert_refused(answer, 405)
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, OPTIONS")


if __name__ == "__main__":
    unittest.main()
