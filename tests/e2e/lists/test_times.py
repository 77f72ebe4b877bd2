"""Times, in the form that is asked for, in lists and beside them."""

import re
import unittest

from served import TIMESTAMP, Served, new_id, person


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


if __name__ == "__main__":
    unittest.main()
