"""Each number comes back with the value it was sent with, wherever it is sent and read."""

import json
import math
import os
import random
import struct
import unittest
from decimal import Decimal

from harness import Server
from served import Served, new_id

BIGGEST = "1.7976931348623157e308"
KNOWN = [str(2 ** 63 - 1), str(2 ** 63), str(-2 ** 63 - 1), str(2 ** 64), "1e20", "1e21", "1E+2",
         "1e-0", "5e-324", "4.9406564584124654e-324", "2.2250738585072014e-308", BIGGEST,
         "-" + BIGGEST, "1.797693134862315807e308", "-0", "-0.0", "0", "0.0", "0e7", "-0e-7",
         "0.1", "0.30000000000000004", "1e22", "1e23", "123456789012345678901234567890",
         "9007199254740993", "100000000000000000000", "1" + "0" * 308, "0." + "0" * 998 + "7",
         "3." + "1" * 999, "9" * 308, "1e+0000000000000000000012", "12345678901234567890e-30",
         str(10 ** 300 + 1)]


def a_double(chance):
    """As JavaScript, Python and Go write one of any size, also a denormal."""
    while True:
        value, = struct.unpack("d", chance.randbytes(8))
        if math.isfinite(value):
            return repr(value)


def an_integer(chance):
    return str(chance.randint(-10 ** chance.randint(1, 308), 10 ** chance.randint(1, 308)))


def a_decimal(chance):
    digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(1, 400)))
    point = chance.randint(1, len(digits))
    whole = digits[:point].lstrip("0") or "0"
    behind = "." + digits[point:] if digits[point:] else ""
    exponent = chance.choice(["", "", f"e{chance.randint(-590, 308 - len(whole))}",
                              f"E+{chance.randint(0, max(307 - len(whole), 0)):05}"])
    if len(whole) > 308:
        whole, exponent = "1", ""
    return chance.choice(["", "-"]) + whole + behind + exponent


def numbers(seed, count=40):
    chance = random.Random(seed)
    return KNOWN + [make(chance) for make in (a_double, an_integer, a_decimal)
                    for _ in range(count)]


def exact(text):
    """Whatever json gives, with numbers as decimals of all their digits."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


class Numbers(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", {
            "email": "kate@x.mock", "first_name": "K", "last_name": "P"}).data["id"]

    def event(self, value, **fields):
        body = json.dumps({"event_type": "n", "person_id": self.kate, **fields})
        return body[:-1] + ',"properties":{"n":%s}}' % value

    def values(self, answer):
        self.assertLess(answer.status, 300, answer.body[:300])
        data = exact(answer.body)["data"]
        return [each["properties"]["n"] for each in (data if isinstance(data, list) else [data])]

    def listed(self, ids):
        found = {each["id"]: each["properties"]["n"] for each in exact(self.client.get(
            f"/events?person_id={self.kate}&keyword=n&limit=10000").body)["data"]}
        return [found[id] for id in ids]

    def test_they_come_back_from_the_log_and_from_the_tables(self):
        for seed in range(3):
            sent = numbers(seed)
            batch = self.client.post("/events/batch", "[%s]" % ",".join(map(self.event, sent)))
            self.assertEqual({each["status"] for each in batch.data}, {201}, batch.body[:900])
            ids = [each["id"] for each in batch.data]
            wanted = [Decimal(each) for each in sent]
            self.assertEqual(self.listed(ids), wanted)
            for id, value in list(zip(ids, wanted)):
                self.assertEqual(self.values(self.client.get("/events/" + id)), [value])

    def test_they_are_found_by_their_value(self):
        for value in numbers(7, 6):
            id = new_id()
            made = self.client.post("/events", self.event('{"x":%s}' % value, id=id))
            self.assertEqual(made.status, 201, made.body)
            for spelled in {value, f"{Decimal(value):f}"}:
                query = self.client.get(
                    f'/events?person_id={self.kate}&after={made.sequence - 1}'
                    f'&properties={{"n":{{"x":{spelled.replace("+", "%2B")}}}}}')
                self.assertEqual([each["id"] for each in query.data], [id], value)

    def test_they_are_the_same_event_again_however_they_are_written(self):
        for value in numbers(11, 6):
            id = new_id()
            self.assertEqual(
                self.client.post("/events", self.event(value, id=id)).status, 201)
            again = self.client.post("/events", self.event(f"{Decimal(value):f}", id=id))
            self.assert_ok(again)
            other = self.client.post("/events", self.event(f"1{Decimal(value):f}".replace(
                "1-", "-1"), id=id))
            self.assertIn(other.status, (400, 409))

    def test_they_are_put_with_a_person(self):
        sent, put = numbers(13, 10), self.created()
        events = [self.event(value, id=new_id(), person_id=put["id"]) for value in sent]
        body = json.dumps({name: put[name] for name in
                           ("email", "first_name", "last_name", "role")})
        answer = self.client.put("/persons/" + put["id"],
                                 body[:-1] + ',"events":[%s]}' % ",".join(events))
        self.assertEqual(answer.status, 200, answer.body)
        wanted = sorted(Decimal(value) for value in sent)
        for answer in answer, self.client.get("/persons/" + put["id"]):
            found = [each["properties"]["n"] for each in exact(answer.body)["data"]["events"]
                     if "properties" in each]
            self.assertEqual(sorted(found), wanted)

    def test_they_are_exported_and_imported(self):
        sent = [(new_id(), value) for value in numbers(23, 10)]
        for id, value in sent:
            self.assertEqual(
                self.client.post("/events", self.event(value, id=id)).status, 201)
        path = os.path.join(self.server.data_dir, "numbers.ndjson")
        self.server.run("export", path)
        other = Server()
        self.addCleanup(other.close)
        self.server.bring_keys(other.data_dir)
        other.run("import", path)
        client = other.start().client()
        for id, value in sent:
            self.assertEqual(self.values(client.get("/events/" + id)), [Decimal(value)])
        client.close()

    def traits(self, answer):
        self.assertLess(answer.status, 300, answer.body[:300])
        return exact(answer.body)["data"]["properties"]

    def test_they_are_a_persons_put_and_patched(self):
        for seed in (17, 19):
            sent = numbers(seed, 5)
            wanted = {f"n{at}": Decimal(value) for at, value in enumerate(sent)}
            members = [f'"n{at}":{value}' for at, value in enumerate(sent)]
            external = new_id()
            made = self.client.post("/persons", '{"external_id":"%s","properties":{%s}}' % (
                external, ",".join(members[::2])))
            path = "/persons/" + made.data["id"]
            patched = self.client.patch(path, '{"properties":{%s}}' % ",".join(members[1::2]))
            self.assertEqual(self.traits(patched), wanted)
            self.assertEqual(self.traits(self.client.get(path)), wanted)
            again = self.client.patch(path, '{"properties":{%s}}' % ",".join(members))
            self.assertEqual(again.headers["ETag"], patched.headers["ETag"])
            put = self.client.put("/persons/by/external_id/" + external, '{"properties":{%s}}'
                                  % ",".join(f'"n{at}":{value:f}' for at, value in
                                             enumerate(map(Decimal, sent))))
            self.assertEqual(self.traits(put), wanted)
            found = self.client.get('/persons?properties={"n5":%s}' % sent[5])
            self.assertIn(made.data["id"], [each["id"] for each in found.data])

    def test_a_body_of_the_largest_grows_no_row_past_its_bound(self):
        """As many as fit a record when they are written out, and no more."""
        largest = ",".join(["1e308"] * 211)
        made = self.client.post("/events", self.event(f"[{largest}]"))
        self.assertEqual(made.status, 201, made.body)
        shown = self.client.get("/events/" + made.data["id"])
        self.assertLess(len(shown.body), 67000)
        answer = self.client.post("/events", self.event(f"[{largest},1e308]"))
        self.assert_refused(answer, 400, "written out", "properties")


if __name__ == "__main__":
    unittest.main()
