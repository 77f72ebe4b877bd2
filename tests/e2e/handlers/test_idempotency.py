"""Idempotency-Key: a POST that is sent again happens once."""

import threading
import unittest

from served import Served, new_id, person


class Idempotency(Served):
    def head(self):
        return self.client.get("/health").data["head"]

    def click(self, **fields):
        return {"event_type": "click", "person_id": self.kate, **fields}

    def setUp(self):
        self.kate = self.created()["id"]
        self.key = new_id()

    def test_the_same_again_gets_the_first_answer(self):
        for path, body in (("/persons", person()), ("/events", self.click()),
                           ("/events/" + new_id(), self.click()),
                           ("/events", self.click(properties={"a": 1}, id=new_id()))):
            key = new_id()
            first = self.client.post(path, body, Idempotency_Key=key)
            self.assertEqual(first.status, 201, first.body)
            head = self.head()
            again = self.client.post(path, body, Idempotency_Key=key)
            self.assertEqual((again.status, again.body), (201, first.body))
            for name in ("Location", "ETag", "Daybook-Sequence"):
                self.assertEqual(again.headers[name], first.headers[name])
            self.assertEqual(self.head(), head)

    def test_the_first_answer_comes_whatever_happened_since(self):
        body = person()
        first = self.client.post("/persons", body, Idempotency_Key=self.key)
        self.client.patch("/persons/" + first.data["id"], {"first_name": "Kitty"})
        self.client.delete("/persons/" + first.data["id"])
        again = self.client.post("/persons", body, Idempotency_Key=self.key)
        self.assertEqual((again.status, again.body), (201, first.body))

    def test_another_body_is_refused(self):
        self.client.post("/events", self.click(), Idempotency_Key=self.key)
        head = self.head()
        for path, body in (("/events", self.click(properties={"a": 1})),
                           ("/events/" + new_id(), self.click()), ("/persons", person())):
            answer = self.client.post(path, body, Idempotency_Key=self.key)
            self.assert_refused(answer, 422, "idempotency key")
        self.assertEqual(self.head(), head)

    def test_a_batch_of_which_no_item_can_be_read_is_another_body_too(self):
        self.client.post("/events", self.click(), Idempotency_Key=self.key)
        self.assert_refused(self.client.post("/events/batch", [7], Idempotency_Key=self.key),
                            422, "idempotency key")
        self.assert_refused(self.client.post("/events/batch", [7], Idempotency_Key=""),
                            400, "Idempotency-Key")
        other = new_id()
        for _ in range(2):  # and it uses no key up
            answer = self.client.post("/events/batch", [7], Idempotency_Key=other)
            self.assertEqual([each["status"] for each in answer.data], [400])
        self.assert_ok(self.client.post("/events", self.click(), Idempotency_Key=other), 201)

    def test_a_refusal_does_not_use_the_key_up(self):
        refused = self.client.post("/events", self.click(person_id=new_id()),
                                   Idempotency_Key=self.key)
        self.assert_refused(refused, 404)
        answer = self.client.post("/events", self.click(), Idempotency_Key=self.key)
        self.assert_ok(answer, 201)

    def test_without_a_key_the_same_body_is_two_events(self):
        first, again = (self.client.post("/events", self.click()) for _ in range(2))
        self.assertNotEqual(first.data["id"], again.data["id"])

    def test_a_key_must_be_one(self):
        for key in ("", "x" * 256, "ü"):
            answer = self.client.request("POST", "/events", self.click(),
                                         {"Idempotency-Key": key.encode()})
            self.assert_refused(answer, 400, "Idempotency-Key")

    def test_white_space_behind_a_key_is_not_part_of_it(self):
        body = self.click()
        first = self.client.post("/events", body, Idempotency_Key=self.key)
        again = self.client.post("/events", body, Idempotency_Key=self.key + " ")
        self.assertEqual(first.body, again.body)

    def test_the_key_is_known_after_a_restart(self):
        body = person()
        first = self.client.post("/persons", body, Idempotency_Key=self.key)
        self.client.close()
        self.server.stop()
        self.server.start()
        again = self.client.post("/persons", body, Idempotency_Key=self.key)
        self.assertEqual((again.status, again.body), (201, first.body))
        other = self.client.post("/persons", person(), Idempotency_Key=self.key)
        self.assert_refused(other, 422)

    def test_many_at_once_append_once(self):
        answers, gate, head = [], threading.Barrier(16), self.head()

        def post():
            client = self.server.client()
            gate.wait()
            answers.append(client.post("/events", self.click(), Idempotency_Key=self.key))
            client.close()

        threads = [threading.Thread(target=post) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({(each.status, each.body) for each in answers},
                         {(201, answers[0].body)})
        self.assertEqual(self.head(), head + 1)


if __name__ == "__main__":
    unittest.main()
