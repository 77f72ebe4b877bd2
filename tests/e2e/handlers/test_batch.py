"""POST /events/batch: a verdict an item."""

import json
import unittest

from served import UUID, Served, new_id, person


class Batch(Served):
    settings = {"BATCH_ITEMS_MAX": "50", "BATCH_BODY_MAX": "64 KiB"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]

    def batch(self, items, **headers):
        return self.client.post("/events/batch", items, **headers)

    def lines(self, items, **headers):
        text = "".join(json.dumps(item) + "\n" for item in items)
        return self.batch(text, Content_Type="application/x-ndjson", **headers)

    def click(self, **fields):
        return {"event_type": "click", "person_id": self.kate, **fields}

    def head(self):
        return self.client.get("/health").data["head"]

    def assert_mixed(self, answer, **counts):
        """Some were refused, some were not, and machines are told how many."""
        self.assertEqual(answer.status, 207, answer.body)
        said = answer.json["response"]
        self.assertEqual({name: said[name] for name in counts}, counts)
        self.assertEqual((said["status"], said["message"]), (207, "Multi-Status"))
        self.assertEqual(said["details"],
                         "{recorded} recorded, {known} known already, {refused} refused"
                         .format(**counts))

    def test_every_item_is_recorded_in_its_order(self):
        for send in (self.batch, self.lines):
            items = [self.click(properties={"n": n}) for n in range(20)]
            answer = send(items)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual([each["status"] for each in answer.data], [201] * 20)
            self.assertEqual([each["index"] for each in answer.data], list(range(20)))
            sequences = [each["sequence"] for each in answer.data]
            self.assertEqual(sequences,
                             list(range(answer.sequence - 19, answer.sequence + 1)))
            for item, each in zip(items, answer.data):
                self.assertRegex(each["id"], f"^{UUID.pattern}$")
                read = self.client.get("/events/" + each["id"]).data
                self.assertEqual(read["properties"], item["properties"])

    def test_a_bad_item_does_not_disturb_the_others(self):
        answer = self.batch([
            self.click(), self.click(person_id=new_id()), self.click(event_type="no\nbreak"),
            7, self.click(colour="red"), self.click()])
        self.assert_mixed(answer, recorded=2, known=0, refused=4)
        self.assertEqual([each["status"] for each in answer.data],
                         [201, 404, 400, 400, 400, 201])
        self.assertEqual(answer.details, "2 recorded, 0 known already, 4 refused")
        self.assertEqual([error["field"] for error in answer.data[2]["errors"]],
                         ["event_type"])
        self.assertEqual([error["field"] for error in answer.data[4]["errors"]],
                         ["colour"])
        for each in answer.data[1:5]:
            self.assertTrue(each["details"])
            self.assertNotIn("sequence", each)

    def test_a_broken_line_does_not_disturb_the_others(self):
        line = json.dumps(self.click()).encode()
        answer = self.batch(b"\n".join([line, b"{", b"", b'{"a":1,"a":2}', b"\xff", line]),
                            Content_Type="application/x-ndjson")
        self.assert_mixed(answer, recorded=2, known=0, refused=3)
        self.assertEqual([each["status"] for each in answer.data],
                         [201, 400, 400, 400, 201])

    def test_what_is_wrong_inside_an_item_is_its_own(self):
        """However wrong it is: as long as strings and brackets can be followed."""
        good = json.dumps(self.click()).encode()
        spoilt = [good[:-1] + b',"properties":{"a":%s}}' % value for value in (
            rb'"\ud83d"', rb'"\ude00\ud83d"', rb'"\u0000"', rb'"\u12g4"', rb'"\x"',
            b'"\xff"', b'"\xed\xa0\x80"', b'"a\nb"', b'"\0"', b"\xff", b"1e400",
            b"-2e308", b"1e-2000", b"01", b"+1", b"1.", b".5", b"0x10", b"NaN",
            b"-Infinity", b"undefined", b"nul", b"'x'", b"[1 2]", b"[1,]", b"[,]",
            b'{"b":1,}', b'{"b":}', b"{b:1}", b"[" * 5000 + b"]" * 5000,
            b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"b":1,"b":2}')]
        spoilt += [b'"click"', b"7", b"NaN", b"nul", b"\xff", b"01", b"[]", b"{}", b"[[]]",
                   good[:-1] + b',"event_type":"click"}', good[:-1] + b',}',
                   good[:-1] + b',"id":"\\ud800"}', good[:-1] + b',"\xff":1}']
        for item in spoilt:
            with self.subTest(item[:200]):
                answer = self.batch(b"[%s ,\n%s,%s]" % (good, item, good))
                self.assert_mixed(answer, recorded=2, known=0, refused=1)
                self.assertEqual([each["status"] for each in answer.data], [201, 400, 201])
                self.assertTrue(answer.data[1]["details"])
                answer = self.batch(b"[%s]" % item)
                self.assertEqual(answer.status, 422, answer.body)
                self.assertEqual([each["status"] for each in answer.data], [400])

    def test_nothing_is_recorded_of_what_cannot_be_followed(self):
        good, head = json.dumps(self.click()).encode(), self.head()
        for text in (b"[%s", b"[%s,", b"[%s]]", b"[%s] []", b"[%s %s]", b"[%s}",
                     b"[%s,]", b"[,%s]", b"[%s,,%s]", b'[%s,"]', b'[%s,"\\"]', b"[%s,{]}]",
                     b'[%s,{"a":"x"y"},%s,{"a":"x"y"},%s]', b'[%s,{"a":"5 " long"},%s]',
                     b'[%s,{"a":1 "b":2}]', b"[%s,'a,b',%s]", b'[%s,{"a":"b""c"}]',
                     b'[%s,[{"a":[}]]]', b"[%s]\0", b"[1 2,%s]", b"[%s:%s]"):
            with self.subTest(text):
                answer = self.batch(text.replace(b"%s", good))
                self.assert_refused(answer, 400, "line 1, column")
        self.assertEqual(self.head(), head)

    def test_a_batch_without_refusals_says_what_it_always_said(self):
        item, other = self.click(id=new_id()), new_id()
        for details in ("2 recorded, 1 known already, 0 refused",
                        "0 recorded, 3 known already, 0 refused"):
            answer = self.batch([item, {**item, "id": other}, item])
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json["response"],
                             {"details": details, "message": "Ok", "status": 200})
            self.assertTrue(answer.body.endswith(
                b',"response":{"details":"%s","message":"Ok","status":200}}'
                % details.encode()), answer.body)

    def test_known_ones_among_refused_ones_are_no_failure(self):
        item = self.click(id=new_id())
        self.batch([item])
        answer = self.batch([item, {**item, "event_type": "other"}, 7])
        self.assert_mixed(answer, recorded=0, known=1, refused=2)
        self.assertEqual([each["status"] for each in answer.data], [200, 409, 400])

    def test_the_same_batch_again_is_known(self):
        items = [self.click(id=new_id(), properties={"n": n}) for n in range(5)]
        first, again = self.batch(items), self.batch(items)
        self.assertEqual([each["status"] for each in again.data], [200] * 5)
        self.assertEqual([(each["id"], each["sequence"]) for each in again.data],
                         [(each["id"], each["sequence"]) for each in first.data])

    def test_an_id_twice_in_one_batch_is_recorded_once(self):
        item = self.click(id=new_id())
        answer = self.batch([item, item, {**item, "event_type": "other"}])
        self.assertEqual([each["status"] for each in answer.data], [201, 200, 409])
        found = [each for each in self.server.log_records()
                 if each["subject_id"] == item["id"]]
        self.assertEqual(len(found), 1)

    def test_one_key_makes_a_batch_happen_once(self):
        items, key = [self.click(), self.click(person_id=new_id())], new_id()
        first = self.batch(items, Idempotency_Key=key)
        self.assert_mixed(first, recorded=1, known=0, refused=1)
        head = self.server.log_records()[-1]["sequence"]
        again = self.batch(items, Idempotency_Key=key)
        self.assertEqual(again.body, first.body)
        self.assertEqual(self.server.log_records()[-1]["sequence"], head)

    def test_more_items_than_allowed_are_too_large(self):
        self.assertEqual(self.batch([self.click()] * 50).status, 200)
        self.assert_refused(self.batch([self.click()] * 51), 413, "50")
        self.assert_refused(self.lines([self.click()] * 51), 413, "50")

    def test_more_bytes_than_allowed_are_too_large(self):
        big = self.click(properties={"text": "x" * 3000})
        self.assert_refused(self.batch([big] * 30), 413)

    def test_what_is_no_batch_is_refused(self):
        for body in (b"", b"[]", b"{}", b"[1", b"[] []", json.dumps(self.click())):
            self.assert_refused(self.batch(body), 400)
        self.assert_refused(self.batch(b"\n \n", Content_Type="application/x-ndjson"), 400)
        self.assert_refused(self.batch([self.click()], Content_Type="text/csv"), 415)

    def test_a_batch_is_read_back_at_once(self):
        answer = self.lines([self.click() for _ in range(50)])
        read = self.client.get(f"/events?person_id={self.kate}&limit=10000")
        self.assertGreaterEqual(int(read.headers["Daybook-Projected-Sequence"]),
                                answer.sequence)
        self.assertLessEqual({each["id"] for each in answer.data},
                             {each["id"] for each in read.data})


if __name__ == "__main__":
    unittest.main()
