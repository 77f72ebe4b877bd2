"""What GET shows can be sent again: events POSTed, persons PUT, also at their bounds."""

import json
import random
import unittest

from served import Served, new_id

BOUND = 65536  # bytes of properties, without white space, numbers written out


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def full(items, frame='{"a":[%s]}'):
    """Properties of these items, again and again, up to the bound."""
    text, size, at = [], len(frame) - 2, 0
    while size + len(items[at % len(items)].encode()) + 1 <= BOUND:
        text.append(items[at % len(items)])
        size += len(text[-1].encode()) + 1
        at += 1
    return frame % ",".join(text)


def at_the_bound(seed):
    """JSON texts that PostgreSQL shows longer than they were sent."""
    rng = random.Random(seed)
    digits = [str(rng.randint(0, 9)) for _ in range(97)]
    mixed = ["1", "-2.50", '"x"', "null", "true", "[]", "{}", '{"b":1,"a":[2]}', '"\u00fc,: "']
    rng.shuffle(mixed)
    return [full(["1"]), full(digits), full(mixed), full(["[]"]), full(["{}"]),
            full(['"\\n"', '"\\\\"']),
            "{" + ",".join(f'"{n:x}":{n % 10}' for n in range(7000)) + "}",
            '{"a":"' + "y" * (BOUND - 8) + '"}',
            '{"a":"' + "\u00fc" * (BOUND // 2 - 4) + '"}',
            '{ "a" :\n[' + " , ".join(["1"] * 30000) + "\t]  }",
            '{"n":[' + ",".join(["1e200"] * 300) + "]}"]


def numbers_alike(answer):
    """1e3 and 1000 are the same number, and not to Python."""
    return json.loads(answer.body, parse_int=float)["data"]


class RoundTrip(Served):
    def send(self, person_id, properties, event_id=None):
        return self.client.post("/events", (
            '{"event_type":"full","person_id":"%s",%s"properties":%s}' % (
                person_id, f'"id":"{event_id}",' if event_id else "", properties)))

    def test_an_event_as_it_is_shown_is_taken_again(self):
        whose = self.created()["id"]
        for properties in at_the_bound(7):
            with self.subTest(properties[:40]):
                made = self.send(whose, properties)
                self.assertEqual(made.status, 201, made.body[:300])
                path = "/events/" + made.data["id"]
                listed = self.client.get(
                    f"/events?person_id={whose}&after={made.sequence - 1}").data[0]
                shown = self.client.get(path)
                self.assertEqual(shown.data, listed)
                text = shown.body.decode()
                start, end = text.index('"data":') + 7, text.index(',"response":')
                same = self.client.post("/events", text[start:end])
                self.assert_ok(same)
                self.assertEqual(numbers_alike(same), numbers_alike(shown))
                again = self.client.post(
                    "/events", text[start:end].replace(made.data["id"], new_id()))
                self.assert_ok(again, 201)
                self.assertEqual(numbers_alike(again)["properties"],
                                 numbers_alike(shown)["properties"])
                # By a client that writes all but ASCII as escapes, as most in Python do.
                other = self.client.post("/events", dict(shown.data, id=new_id()))
                self.assert_ok(other, 201)
                self.assertEqual(other.data["properties"], shown.data["properties"])

    def test_a_person_as_it_is_shown_is_put_again(self):
        for part in range(0, 10, 2):
            whose = self.created(first_name="\u00fc" * 100, last_name="\U0001f600" * 100)["id"]
            path = "/persons/" + whose
            for properties in at_the_bound(part)[part:part + 2] * 9:
                self.assertEqual(self.send(whose, properties).status, 201)
            shown = self.client.get(path)
            text = shown.body.decode()
            start, end = text.index('"data":') + 7, text.rindex(',"response":')
            answer = self.client.put(path, text[start:end],
                                     if_match=shown.headers["ETag"])
            self.assertEqual(answer.status, 200, answer.body[:300])
            self.assertEqual(answer.data, shown.data)
            self.assertEqual(self.client.get(path).headers["ETag"], shown.headers["ETag"])

    def test_one_byte_more_is_too_much(self):
        whose = self.created()["id"]
        answer = self.send(whose, '{"a":"' + "y" * (BOUND - 7) + '"}')
        self.assert_refused(answer, 400, "at most 65536 bytes", "properties")


if __name__ == "__main__":
    unittest.main()
