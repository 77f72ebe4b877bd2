"""Every number, compared with a recount of the events that are there, after a random
workload with deletes, and aliases given and taken, across the days when clocks change."""

import itertools
import json
import random
import unittest
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import recount
from served import Served, new_id, person

SEED = 20261129
TYPES = ["signup", "click", "purchase", "Order, Completed", "ünïcode"]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana",
         "Pacific/Apia", "America/St_Johns"]
# About these clocks change, in one of the zones: by an hour, by half of one, at midnight, and
# by two hours a minute behind it; or a day is left out.
AROUND = [datetime(*day, tzinfo=timezone.utc) for day in (
    (2025, 3, 30, 1), (2025, 10, 26, 1), (2025, 4, 5, 15), (2025, 10, 4, 15, 30),
    (2025, 11, 2, 5), (2025, 3, 9, 5), (1988, 10, 30, 1, 30), (2011, 12, 30, 10))]


class Recount(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(SEED)
        cls.persons = [new_id() for _ in range(30)]
        cls.send([{"person": person(id=id_)} for id_ in cls.persons])
        cls.sent = [cls.event() for _ in range(3000)]
        for i in range(0, len(cls.sent), 1000):
            cls.send(cls.sent[i:i + 1000])
        cls.change()
        cls.events = cls.there()

    @classmethod
    def send(cls, items):
        answer = cls.client.post("/events/batch", items)
        assert answer.status in (200, 201, 207), answer.body
        assert {item["status"] for item in answer.data} == {201}, answer.body

    @classmethod
    def event(cls):
        at = cls.random.choice(AROUND) + timedelta(
            seconds=cls.random.gauss(0, 86400 * cls.random.choice([0.1, 2, 20])))
        if cls.random.random() < 0.3:  # on the edges of hours, and of half ones
            at = at.replace(minute=cls.random.choice([0, 30]), second=0, microsecond=0)
        who = {"person_id": cls.random.choice(cls.persons)}
        if cls.random.random() < 0.3:
            who = {"anonymous_id": f"a{cls.random.randrange(12)}"}
        return {"id": new_id(), "event_type": cls.random.choice(TYPES),
                "datetime_created": recount.text(at), **who}

    @classmethod
    def change(cls):
        for i in range(8):
            assert cls.client.post(f"/persons/{cls.persons[i]}/aliases",
                                   {"anonymous_id": f"a{i}"}).status == 201
        for i in range(2):
            assert cls.client.delete(
                f"/persons/{cls.persons[i]}/aliases/a{i}").status == 200
        for event in cls.random.sample(cls.sent, 150):
            assert cls.client.delete(f"/events/{event['id']}").status == 200
        for id_ in cls.persons[5:9]:
            assert cls.client.delete(f"/persons/{id_}").status == 200

    @classmethod
    def there(cls):
        found, path = [], "/events?limit=10000"
        answer = cls.client.get(path)
        assert answer.headers["Link"] is None
        for event in answer.data:
            found.append({"at": recount.utc(event["datetime_created"]),
                          "type": event["event_type"], "person": event["person_id"]})
        assert len(found) > 2000
        return found

    def get(self, route, **params):
        answer = self.client.get(f"/events/{route}?{urlencode(params)}")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIs(answer.json["response"]["exact"], True)
        self.assertEqual(answer.json["response"]["details"],
                         "The request was successful")
        self.assertGreater(int(answer.headers["Daybook-Projected-Sequence"]), 0)
        return answer.data

    def ranges(self):
        """None, whole days, whole hours, and any."""
        yield {}
        yield {"since": datetime(2025, 3, 29, tzinfo=timezone.utc),
               "until": datetime(2025, 10, 27, tzinfo=timezone.utc)}
        yield {"since": datetime(2025, 3, 30, 1, tzinfo=timezone.utc)}
        for _ in range(2):
            since, until = sorted(self.random.choice(self.events)["at"] for _ in "ab")
            yield {"since": since, "until": until}

    @staticmethod
    def as_params(range_):
        return {name: recount.text(at) for name, at in range_.items()}

    def test_stats(self):
        some = [[], ["click"], ["Order, Completed", "signup", "ünïcode"]]
        for tz, by, range_, unique in itertools.product(
                ZONES, ("hour", "day", "week", "month"), self.ranges(), (False, True)):
            chosen, group = self.random.choice(some), self.random.random() < 0.5
            params = {"tz": tz, "by": by, **self.as_params(range_)}
            if chosen:
                params["type"] = ",".join(type_.replace(",", "\\,") for type_ in chosen)
            if unique:
                params["unique"] = "true"
            if group:
                params["group"] = "type"
            with self.subTest(**params):
                self.assertEqual(
                    self.get("stats", **params),
                    recount.stats(self.events, by, tz, chosen, unique=unique,
                                  group=group, **range_))

    def test_stats_of_a_person(self):
        for id_, tz, range_ in itertools.product(
                (self.persons[0], self.persons[2], self.persons[6], new_id()), ZONES,
                self.ranges()):
            params = {"person_id": id_, "tz": tz, "by": "week", "unique": "true",
                      **self.as_params(range_)}
            with self.subTest(**params):
                self.assertEqual(
                    self.get("stats", **params),
                    recount.stats(self.events, "week", tz, person_id=id_, unique=True,
                                  **range_))

    def test_types(self):
        expected = recount.types(self.events)
        self.assertEqual(self.get("types"), expected)
        self.assertEqual(self.get("types", limit=2), expected[:2])

    def test_funnel(self):
        spans = {"90s": timedelta(seconds=90), "30m": timedelta(minutes=30),
                 "12h": timedelta(hours=12), "7d": timedelta(days=7),
                 "9w": timedelta(weeks=9)}
        reached = 0
        for (within, span), range_ in itertools.product(spans.items(), self.ranges()):
            steps = [self.random.choice(TYPES)
                     for _ in range(self.random.choice([2, 3, 5, 10]))]
            params = {"steps": ",".join(step.replace(",", "\\,") for step in steps),
                      "within": within, **self.as_params(range_)}
            with self.subTest(**params):
                data = self.get("funnel", **params)
                self.assertEqual(data["within_seconds"], span.total_seconds())
                expected = recount.funnel(self.events, steps, span, **range_)
                self.assertEqual([step["event_type"] for step in data["steps"]], steps)
                self.assertEqual([step["persons"] for step in data["steps"]], expected)
                for step, persons in zip(data["steps"], expected):
                    self.assertAlmostEqual(
                        step["share"], persons / expected[0] if expected[0] else 0, 5)
                reached += sum(expected[1:])
        self.assertGreater(reached, 100)  # else nothing was tried

    def test_retention(self):
        for tz, by, range_ in itertools.product(ZONES, ("day", "week", "month"),
                                                self.ranges()):
            first, then = (self.random.choice(TYPES) for _ in "ab")
            params = {"first": first, "then": then, "tz": tz, "by": by,
                      **self.as_params(range_)}
            with self.subTest(**params):
                self.assertEqual(self.get("retention", **params),
                                 recount.retention(self.events, first, then, by, tz,
                                                   **range_))

    def test_times_end_with_z_where_asked(self):
        for route, params in (("stats", {}), ("types", {}),
                              ("retention", {"first": "click", "then": "click"})):
            text = json.dumps(self.get(route, timestamps="rfc3339", **params))
            self.assertRegex(text, r'T\d\d:\d\d:\d\d\.\d{6}Z"')
            self.assertNotRegex(text, r'T\d\d:\d\d:\d\d\.\d{6}"')


if __name__ == "__main__":
    unittest.main()
