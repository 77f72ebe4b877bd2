"""What clients send in forms of their own: marks before UTF-8, times to the nanosecond,
media types with weights, and secrets where none belong."""

import gzip
import json
import os
import unittest

from served import Served, new_id, person

MARK = b"\xef\xbb\xbf"
NDJSON = "application/x-ndjson"


class Forms(Served):
    def body(self, **fields):
        return json.dumps(person(**fields)).encode()

    def test_a_mark_before_a_body_is_skipped(self):
        answer = self.client.post("/persons", MARK + self.body())
        self.assertEqual(answer.status, 201, answer.body)
        path = "/persons/" + answer.data["id"]
        self.assert_ok(self.client.patch(path, MARK + b'{"first_name": "Kitty"}'))
        event = {"event_type": "click", "person_id": answer.data["id"]}
        batch = MARK + json.dumps([event]).encode()
        self.assertEqual(self.client.post("/events/batch", batch).data[0]["status"], 201)
        line = json.dumps(event).encode() + b"\n"
        batch = self.client.post("/events/batch", MARK + line + MARK + line,
                                 content_type=NDJSON)
        self.assertEqual([item["status"] for item in batch.data], [201, 400])

    def test_a_mark_elsewhere_is_refused(self):
        for body in (MARK + MARK + self.body(), b" " + MARK + self.body(),
                     self.body() + MARK, MARK, MARK[:2] + self.body()):
            self.assert_refused(self.client.post("/persons", body), 400)
        name = self.client.post("/persons", self.body(first_name="\ufeffKate"))
        self.assertIn(name.status, (201, 400))  # as any other character of a text
        self.assert_refused(self.client.get("/events?properties=%EF%BB%BF{}"), 400)

    def test_a_mark_before_a_file_is_skipped(self):
        made = dict(person(), id=new_id(), datetime_created="2015-09-12T00:00:00.123456789Z")
        event = {"id": new_id(), "person_id": made["id"], "event_type": "click",
                 "datetime_created": "2015-09-12T00:00:00.9999999"}
        persons = os.path.join(self.server.data_dir, "persons.ndjson")
        events = os.path.join(self.server.data_dir, "events.ndjson.gz")
        with open(persons, "wb") as file:
            file.write(MARK + json.dumps(made).encode() + b"\n")
        with gzip.open(events, "wb") as file:
            file.write(MARK + json.dumps(event).encode() + b"\r\n")
        self.server.run("import", persons, events)
        shown = self.client.get("/persons/" + made["id"]).data
        self.assertEqual(shown["datetime_created"], "2015-09-12T00:00:00.123456")
        shown = self.client.get("/events/" + event["id"]).data
        self.assertEqual(shown["datetime_created"], "2015-09-12T00:00:00.999999")
        with open(persons, "ab") as file:
            file.write(MARK + b"{}\n")
        done = self.server.run("import", persons, "-", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("persons.ndjson:2: ", done.stderr)

    def test_a_mark_before_dotenv_is_skipped(self):
        path = os.path.join(self.server.data_dir, ".env")
        with open(path, "wb") as file:
            file.write(MARK + b"LOG_FORMAT=nonsense\n")
        done = self.server.run("status", check=False)
        os.unlink(path)
        self.assertEqual(done.returncode, 2)
        self.assertIn("LOG_FORMAT", done.stderr)

    def test_fractions_are_cut_to_microseconds(self):
        whose = self.created()["id"]
        for sent, shown in (("2023-10-08T06:03:33.1234567", "2023-10-08T06:03:33.123456"),
                            ("2023-10-08T06:03:33.999999999Z", "2023-10-08T06:03:33.999999"),
                            ("1969-12-31T23:59:59.9999999+00:00",
                             "1969-12-31T23:59:59.999999"),
                            ("2023-10-08T06:03:33.0000000009", "2023-10-08T06:03:33.000000")):
            event = self.recorded(whose, id=new_id(), datetime_created=sent)
            self.assertEqual(event["datetime_created"], shown)
            again = self.client.post("/events", dict(
                id=event["id"], person_id=whose, event_type="click", datetime_created=sent))
            self.assert_ok(again)
            query = f"/events?person_id={whose}&since={sent.replace('+', '%2B')}"
            self.assertIn(event["id"], [one["id"] for one in self.client.get(query).data])
        done = self.server.run("export", "--from", "2001-01-01T00:00:00.123456789Z",
                               "--to", "2099-01-01T00:00:00.1234567")
        self.assertIn(whose, done.stdout)

    def test_weights_choose_the_media_type(self):
        self.created()
        for accept, kind in (
                (f"{NDJSON};q=0.5, application/json", "application/json"),
                (f"application/json;q=0.4, {NDJSON};q=0.5", NDJSON),
                (f"{NDJSON};q=0", "application/json"), (f"{NDJSON};q=0, */*", "application/json"),
                ("application/json;q=0, */*;q=0.1", NDJSON), ("*/*", "application/json"),
                ("text/html", "application/json")):
            for path in ("/log?limit=1", "/log/1"):
                with self.subTest(accept):
                    answer = self.client.get(path, accept=accept)
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertEqual(answer.headers["Content-Type"], kind)
        for accept, kind in (("application/json;q=0.5, text/html", "text/html; charset=utf-8"),
                             ("text/html;q=0.5, application/json", "application/json"),
                             ("text/html;q=0, */*", "application/json"),
                             ("text/html;q=0", "application/json"),
                             ("*/*", "text/html; charset=utf-8")):
            answer = self.client.get("/", accept=accept)
            self.assertEqual(answer.headers["Content-Type"], kind, accept)

    def test_what_is_excluded_is_not_sent(self):
        before = self.client.get("/health").data["head"]
        for accept in ("application/json;q=0", "*/*;q=0", "text/html, */*;q=0.000",
                       "*/*, application/*;q=0"):
            for method, path, body in (
                    ("GET", "/persons", None), ("GET", "/health", None),
                    ("POST", "/persons", person()), ("GET", "/openapi.json", None)):
                with self.subTest(f"{method} {path} {accept}"):
                    answer = self.client.request(method, path, body, {"Accept": accept})
                    self.assert_refused(answer, 406, "Accept")
        for path in ("/", "/log", "/log/1"):
            self.assert_refused(self.client.get(path, accept="*/*;q=0"), 406)
        self.assert_refused(self.client.get("/docs", accept="text/*;q=0"), 406)
        self.assertEqual(self.client.get("/health").data["head"], before)

    def test_values_of_a_query_are_not_logged(self):
        secret = "open-sesame-4711"
        asked = new_id()
        for target in (f"/events?keyword={secret}&limit=7&person_id={asked}",
                       f"/persons/{asked}?token={secret}", f"/nothing?{secret}",
                       f"/log?access_token%3D{secret}", f"/events?a;key={secret}",
                       f"/events?limit={secret}", f"/persons%3Ftoken={secret}",
                       f"/events?properties=%7B%22{secret}%22%3A%22\\u0000{secret}%22%7D",
                       f"/persons%253Ftoken={secret}", f"/persons;token={secret}",
                       f"/persons#{secret}", f"/log?{secret}=", f"/log?limit=1&{secret}==",
                       f"/?={secret}", f"/health?&&x={secret}?y={secret}"):
            self.client.get(target, x_request_id=secret[::-1], referer=f"http://x/?{secret}")
        self.client.post("/persons?key=" + secret, person())
        self.client.request("PUT", "/persons?key=" + secret)
        self.server.wait_for(lambda: " method=PUT path=/persons?key " in self.server.told(),
                             "the last line")
        told = self.server.told()
        self.assertNotIn(secret, told)
        for shown in ("path=/events?keyword&limit&person_id ", f"path=/persons/{asked}?token ",
                      "path=/nothing?* ", "path=/log?* ", "path=/events?limit ",
                      "path=/persons?* ", "path=/persons?key "):
            self.assertIn(shown, told)


if __name__ == "__main__":
    unittest.main()
