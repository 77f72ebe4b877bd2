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
            self.click(), self.click(person_id=new_id()), self.click(event_type="no blank"),
            7, self.click(colour="red"), self.click()])
        self.assertEqual(answer.status, 200, answer.body)
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
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual([each["status"] for each in answer.data],
                         [201, 400, 400, 400, 201])

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
