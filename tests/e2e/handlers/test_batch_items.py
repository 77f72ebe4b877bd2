"""What a batch shares, its clock, and its items of each kind: events, persons, aliases."""

import datetime
import json
import unittest

from served import Served, new_id, person

MINUTE = datetime.timedelta(minutes=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def microseconds(time):
    return (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) \
        // datetime.timedelta(microseconds=1)


def parsed(text):
    return datetime.datetime.fromisoformat(text + "+00:00")


class Shared(Served):
    settings = {"BATCH_BODY_MAX": "64 KiB"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]

    def batch(self, items, **shared):
        return self.client.post("/events/batch", {**shared, "items": items})

    def click(self, **fields):
        return {"event_type": "click", "person_id": self.kate, **fields}

    def event(self, id):
        return self.client.get("/events/" + id).data

    def head(self):
        return self.client.get("/health").data["head"]

    def test_the_context_stands_under_each_ones_properties(self):
        context = {"page": {"url": "/", "title": "Home"}, "plan": "pro", "n": 1}
        answer = self.batch([
            self.click(), self.click(properties={"page": {"url": "/a", "x": None}, "n": None}),
            {"event": self.click(properties={"page": 7})}, self.click(properties={})],
            context=context)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual([self.event(each["id"])["properties"] for each in answer.data], [
            context,
            {"page": {"url": "/a", "title": "Home", "x": None}, "plan": "pro", "n": None},
            {"page": 7, "plan": "pro", "n": 1}, context])
        found = self.client.get(
            f'/events?person_id={self.kate}&properties={{"page":{{"title":"Home"}}}}')
        self.assertEqual(len(found.data), 3)

    def test_the_same_under_the_same_context_is_known(self):
        items = [self.click(id=new_id(), properties={"n": n}) for n in range(3)]
        self.batch(items, context={"a": 1})
        again = self.batch(items, context={"a": 1.0})
        self.assertEqual([each["status"] for each in again.data], [200] * 3)
        other = self.batch(items, context={"a": 2})
        self.assertEqual([each["status"] for each in other.data], [409] * 3)
        self.assertEqual(other.status, 422)

    def test_a_context_is_held_to_the_bounds_of_properties_and_of_the_batch(self):
        for context in (7, ["a"], None):
            self.assert_refused(self.batch([self.click()], context=context), 400,
                                "an object", "context")
        deep = {}
        for _ in range(28):
            deep = {"a": deep}
        self.assert_refused(self.batch([self.click()], context=deep), 400, "nest", "context")
        large = {"a": "x" * 3000}
        self.assertEqual(self.batch([self.click()] * 20, context=large).status, 200)
        self.assert_refused(self.batch([self.click()] * 22, context=large), 413, "65536")

    def test_each_mistake_of_the_object_is_named(self):
        head, items = self.head(), [self.click()]
        for body, said, field in (
                ({"items": items, "context": {}, "x": 1}, "unknown field", "x"),
                ({"context": {}}, "required", "items"), ({"items": {}}, "array", "items"),
                ({"items": items, "sent_at": "yesterday"}, "time", "sent_at"),
                ({"items": items, "sent_at": None}, "time", "sent_at"),
                ({"items": items, "sent_at": 1e300}, "time", "sent_at"),
                ('{"items":[7],"context":{"a":"\\ud800"}}', "surrogate", "context"),
                ('{"items":[7],"items":[7]}', "duplicate", "items")):
            self.assert_refused(self.client.post("/events/batch", body), 400, said, field)
        self.assert_refused(self.batch([]), 400, "no items")
        for text in ('{"items":[7]', '{"items":[7]}}', '{"items":[7 7]}', '{items:[7]}',
                     '{"items":[7],}', json.dumps(self.click())):
            self.assert_refused(self.client.post("/events/batch", text), 400)
        self.assertEqual(self.head(), head)

    def test_a_clock_that_is_wrong_is_put_right(self):
        for form in (lambda time: time.isoformat(),
                     lambda time: microseconds(time) / 1000,
                     lambda time: time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")):
            for wrong in (-100000 * MINUTE, 3 * MINUTE):
                did = now() - 10 * MINUTE
                answer = self.batch(
                    [self.click(datetime_created=form(did + wrong)), self.click()],
                    sent_at=form(now() + wrong))
                self.assertEqual(answer.status, 200, answer.body)
                shown, plain = (self.event(each["id"]) for each in answer.data)
                self.assertLess(abs(parsed(shown["datetime_created"]) - did), 0.5 * MINUTE)
                self.assertLess(abs(parsed(plain["datetime_created"]) - now()), 0.5 * MINUTE)
                record, other = (self.client.get(f"/log/{each['sequence']}").data
                                 for each in answer.data)
                added = int(record["meta"]["clock_offset"])
                said = microseconds(parsed(record["data"]["datetime_created"])) - added
                self.assertLessEqual(abs(said - microseconds(did + wrong)), 1)
                self.assertNotIn("clock_offset", other["meta"])

    def test_sent_again_at_another_time_it_is_the_same_event(self):
        items = [self.click(id=new_id(), datetime_created="2023-10-08T06:03:33.5")]
        first = self.batch(items, sent_at="2023-10-08T06:04:00Z")
        again = self.batch(items, sent_at="2023-10-08T06:05:00Z")
        self.assertEqual([each["status"] for each in (*first.data, *again.data)], [201, 200])
        self.assertEqual(first.data[0]["sequence"], again.data[0]["sequence"])
        plain = self.client.post("/events", items[0])
        self.assertEqual(plain.status, 200, plain.body)
        items[0]["datetime_created"] = "2023-10-08T06:03:33.6"
        self.assertEqual(self.batch(items, sent_at="2023-10-08T06:05:00Z").status, 422)

    def test_a_time_put_right_out_of_the_calendar_is_refused(self):
        answer = self.batch([self.click(datetime_created="9999-12-31T23:59:59"),
                             self.click()], sent_at="2000-01-01T00:00:00")
        self.assertEqual([each["status"] for each in answer.data], [400, 201])
        self.assertIn("sent_at", answer.data[0]["details"])


class Large(Served):
    def test_what_is_merged_over_the_bound_is_that_items_refusal(self):
        click = {"event_type": "click", "person_id": self.created()["id"]}
        answer = self.client.post("/events/batch", {"context": {"a": "x" * 50000}, "items": [
            click, {**click, "properties": {"b": "y" * 20000}}]})
        self.assertEqual([each["status"] for each in answer.data], [201, 400],
                         answer.body[:300])
        self.assertIn("context", answer.data[1]["details"])


class Mixed(Served):
    def batch(self, items, **headers):
        return self.client.post("/events/batch", items, **headers)

    def verdicts(self, answer):
        return [each["status"] for each in answer.data]

    def test_items_are_decided_in_their_order(self):
        id, anonymous, external = new_id(), new_id(), "ext " + new_id()
        items = [
            {"event": {"event_type": "Page Viewed", "anonymous_id": anonymous}},
            {"event_type": "too early", "person_id": id},
            {"person": person(id=id, external_id=external)},
            {"event_type": "Order Completed", "person_id": id},
            {"alias": {"anonymous_id": anonymous, "external_id": external}},
            {"alias": {"anonymous_id": anonymous, "person_id": id}},
            {"event": {"event_type": "Page Viewed", "anonymous_id": anonymous}}]
        answer = self.batch({"items": items})
        self.assertEqual(self.verdicts(answer), [201, 404, 201, 201, 201, 200, 201],
                         answer.body)
        self.assertEqual(answer.status, 207)
        said = answer.json["response"]
        self.assertEqual([said[name] for name in ("recorded", "known", "refused")], [5, 1, 1])
        self.assertEqual([answer.data[at]["id"] for at in (2, 4, 5)], [id] * 3)
        shown = self.client.get("/persons/" + id).data
        self.assertEqual([each["event_type"] for each in shown["events"]],
                         ["Page Viewed", "signup", "Order Completed", "Page Viewed"])
        lines = "".join(json.dumps(item) + "\n" for item in items[2:])
        again = self.batch(lines, Content_Type="application/x-ndjson")
        self.assertEqual(self.verdicts(again), [200, 201, 200, 200, 201], again.body)

    def test_a_person_is_made_or_updated_by_its_external_id(self):
        external, email = "ext " + new_id(), f"{new_id()}@x.mock"
        made = self.batch([{"person": {"external_id": external, "properties":
                                       {"plan": "free", "at": {"a": 1}}}}])
        self.assertEqual(self.verdicts(made), [201], made.body)
        id = made.data[0]["id"]
        update = {"person": {"external_id": external, "email": email, "properties":
                             {"plan": "pro", "at": {"b": 2}}}}
        answer = self.batch([update, {"event_type": "click", "person_id": id}])
        self.assertEqual(self.verdicts(answer), [200, 201], answer.body)
        self.assertEqual(answer.data[0]["id"], id)
        self.assertEqual(answer.status, 200)
        self.assertIn("2 recorded", answer.details)
        again = self.batch([update])
        self.assertEqual((self.verdicts(again), again.data[0]["id"]), ([200], id))
        self.assertIn("1 known", again.details)
        shown = self.client.get("/persons/" + id).data
        self.assertEqual((shown["email"], shown["external_id"], shown["properties"]),
                         (email, external, {"plan": "pro", "at": {"a": 1, "b": 2}}))

    def test_a_person_with_an_id_is_known_when_it_is_sent_again(self):
        item = {"person": person(id=new_id())}
        self.assertEqual(self.verdicts(self.batch([item])), [201])
        again = self.batch([item, {"person": {**item["person"], "last_name": "Other"}}])
        self.assertEqual(self.verdicts(again), [200, 409], again.body)
        self.assertEqual(again.data[0]["id"], item["person"]["id"])

    def test_it_is_known_also_where_it_was_changed_since(self):
        item = {"person": person(id=new_id(), external_id="e-" + new_id())}
        path = "/persons/" + item["person"]["id"]
        self.assertEqual(self.verdicts(self.batch([item])), [201])
        change = {"last_name": "Other", "external_id": None}
        self.assertEqual(self.client.request("PATCH", path, change).status, 200)
        self.assertEqual(self.client.get(path).status, 200)  # and so it is in the tables
        again = self.batch([item, {"person": {**item["person"], "last_name": "Third"}}])
        self.assertEqual(self.verdicts(again), [200, 409], again.body)
        self.assertEqual(self.client.get(path).data["last_name"], "Other")

    def test_what_is_anothers_is_refused_and_named(self):
        one, other = self.created(external_id=new_id()), self.created()
        anonymous = new_id()
        answer = self.batch([
            {"alias": {"anonymous_id": anonymous, "person_id": one["id"]}},
            {"alias": {"anonymous_id": anonymous, "person_id": other["id"]}},
            {"person": person(email=one["email"])},
            {"alias": {"anonymous_id": new_id(), "external_id": "nobody's"}},
            {"alias": {"anonymous_id": new_id(), "person_id": new_id()}}])
        self.assertEqual(self.verdicts(answer), [201, 409, 409, 404, 404], answer.body)
        for each, field in ((answer.data[1], "anonymous_id"), (answer.data[2], "email")):
            error, = each["errors"]
            self.assertEqual((error["field"], error["person_id"]), (field, one["id"]))
            self.assertEqual((each["details"], error["message"]), (
                f"Another person has this {field}", f"another person has this {field}"))
        self.assertIn("external_id", answer.data[3]["details"])
        alone = self.client.post("/persons", person(email=one["email"])).json["response"]
        self.assertEqual((answer.data[2]["details"], answer.data[2]["errors"]),
                         (alone["details"], alone["errors"]))

    def test_a_mistake_of_the_object_names_nobody(self):
        one = self.created()
        taken = self.client.post("/persons", person(email=one["email"]))
        self.assertIn(one["id"], taken.body.decode())
        answer = self.batch({"items": 7})
        self.assert_refused(answer, 400, "array", "items")
        self.assertNotIn(one["id"], answer.body.decode())

    def test_a_key_tells_whose_it_was_though_it_is_no_longer(self):
        one, key = self.created(), new_id()
        items = [{"person": person()}, {"person": person(email=one["email"])}]
        first = self.batch(items, Idempotency_Key=key)
        self.assertEqual(self.verdicts(first), [201, 409], first.body)
        self.assert_ok(self.client.patch("/persons/" + one["id"],
                                         {"email": f"{new_id()}@x.mock"}))
        self.assertEqual(self.batch(items, Idempotency_Key=key).body, first.body)

    def test_each_mistake_of_an_item_is_its_own(self):
        kate = self.created()["id"]
        answer = self.batch([
            {"person": {}}, {"person": 7}, {"alias": {"anonymous_id": "a"}},
            {"alias": {"anonymous_id": "a", "person_id": kate, "external_id": "b"}},
            {"event": {"event_type": "a", "anonymous_id": "a", "person_id": kate}},
            {"event": {"event_type": "a"}}, {"other": {}},
            {"person": person(), "event": {}}, {"event": {"event_type": "a",
                                                          "person_id": kate}}])
        self.assertEqual(self.verdicts(answer), [400] * 8 + [201], answer.body)
        self.assertIn("each as an item of its own", answer.data[7]["details"])
        self.assertNotIn("errors", answer.data[7])

    def test_what_else_would_do_is_said_of_what_is_missing(self):
        for item, field, said in (
                ({"event_type": "a"}, "person_id", "required, unless there is an anonymous_id"),
                ({"event_type": "a", "person_id": None}, "person_id",
                 "must not be null, unless there is an anonymous_id"),
                ({"person": {"first_name": "a", "last_name": "b"}}, "email",
                 "required, unless there is an external_id or anonymous_id"),
                ({"person": person(last_name=None)}, "last_name",
                 "must not be null, unless there is an external_id or anonymous_id"),
                ({"alias": {"anonymous_id": "a"}}, "person_id",
                 "required, unless there is an external_id")):
            verdict, = self.batch([item]).data
            self.assertEqual(verdict["errors"], [{"field": field, "message": said}])

    def test_an_event_alone_is_told_where_to_go(self):
        for alone in ({"event_type": "a", "anonymous_id": "b"},
                      {"event": {"event_type": "a", "anonymous_id": "b"}}):
            self.assert_refused(self.batch(alone), 400, "a single event to /events")

    def test_one_key_makes_each_kind_happen_once(self):
        kate, external = self.created(), new_id()
        items = [{"person": {"external_id": external, "properties": {"a": 1}}},
                 {"person": {"external_id": external, "properties": {"b": 1}}},
                 {"person": {"external_id": external, "properties": {"b": 1}}},
                 {"alias": {"anonymous_id": new_id(), "external_id": external}},
                 {"alias": {"anonymous_id": new_id(), "external_id": "nobody's"}},
                 {"person": person(email=kate["email"])},
                 {"event": {"event_type": "a", "anonymous_id": new_id()}}]
        key = new_id()
        first = self.batch(items, Idempotency_Key=key)
        self.assertEqual(self.verdicts(first), [201, 200, 200, 201, 404, 409, 201],
                         first.body)
        self.assertEqual(len({each["id"] for each in first.data[:4]}), 1)
        self.assertEqual(self.batch(items, Idempotency_Key=key).body, first.body)


if __name__ == "__main__":
    unittest.main()
