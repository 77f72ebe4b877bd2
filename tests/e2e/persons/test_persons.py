"""Persons: made, read, replaced, patched, deleted."""

import json
import re
import threading
import unittest

from served import UUIDV7, Served, new_id, person


class Persons(Served):
    def test_creating_answers_the_person_as_reading_does(self):
        body = person()
        made = self.client.post("/persons", body)
        self.assert_ok(made, 201)
        self.assert_person(made.data)
        self.assertEqual({name: made.data[name] for name in body}, body)
        read = self.client.get("/persons/" + made.data["id"])
        self.assert_ok(read)
        self.assertEqual(read.data, made.data)
        self.assertEqual(read.body.partition(b',"response":')[0],
                         made.body.partition(b',"response":')[0])

    def test_creating_says_where_and_at_which_sequence(self):
        made = self.client.post("/persons", person())
        self.assertEqual(made.headers["Location"], "/persons/" + made.data["id"])
        self.assertRegex(made.headers["ETag"], r'^"[^"]+"$')
        records = self.client.get(f"/log?after={made.sequence - 2}&limit=2").data
        self.assertEqual([record["type"] for record in records],
                         ["person.created", "event.recorded"])
        self.assertEqual(records[1]["sequence"], made.sequence)

    def test_creating_records_one_signup(self):
        made = self.created()
        self.assertEqual([event["event_type"] for event in made["events"]], ["signup"])
        self.assertEqual(made["events"][0]["datetime_created"], made["datetime_created"])

    def processor(self):
        """Ticks that the server has used."""
        with open(f"/proc/{self.server.process.pid}/stat") as stat:
            return sum(map(int, stat.read().rpartition(")")[2].split()[11:13]))

    def put_at_once(self, path, bodies):
        """All of them, each by a client of its own: the answers."""
        ready, answers = threading.Barrier(len(bodies)), []

        def put(body):
            client = self.server.client()
            client.get("/health")
            ready.wait()
            answers.append(client.put(path, body))
            client.close()
        threads = [threading.Thread(target=put, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_many_who_replace_a_person_with_many_events_do_not_work_for_each_other(self):
        kate = person()
        made = self.client.post("/persons", kate).data
        path = "/persons/" + made["id"]
        events = [{"id": new_id(), "event_type": "click", "person_id": made["id"],
                   "datetime_created": "2023-10-08T06:03:33.330037"} for _ in range(4000)]
        self.assertEqual(self.client.post("/events/batch", events).status, 200)
        names = [f"Kate{n}" for n in range(25)]
        bodies = [json.dumps(dict(kate, first_name=name, events=events))
                  for name in names]
        before = self.processor()
        self.assertEqual({each.status for each in self.put_at_once(path, bodies[:1])}, {200})
        alone = max(self.processor() - before, 5)
        before = self.processor()
        answers = self.put_at_once(path, bodies)
        self.assertEqual({each.status for each in answers}, {200})
        # Who looked at each event again whenever another was first took ten times as much.
        self.assertLess(self.processor() - before, 4 * alone * len(bodies))
        self.assertEqual(sorted({each.data["first_name"] for each in answers}),
                         sorted(names))
        self.assertEqual(self.client.get(path).data["events_total"], len(events) + 1)

    def test_ids_are_time_ordered(self):
        ids = [self.created()["id"] for _ in range(20)]
        self.assertEqual(ids, sorted(ids))
        for each in ids:
            self.assertRegex(each, f"^{UUIDV7.pattern}$")

    def test_the_role_is_user_unless_said(self):
        body = person()
        del body["role"]
        self.assertEqual(self.client.post("/persons", body).data["role"], "user")

    def test_an_email_is_taken_whatever_its_case(self):
        made = self.created(email="Ororo@Storm.mock")
        self.assertEqual(made["email"], "Ororo@Storm.mock")
        self.assert_refused(self.client.post("/persons", person(email="ororo@STORM.mock")),
                            409, "email")

    def test_of_many_at_once_with_one_email_one_is_made(self):
        answers, gate = [], threading.Barrier(8)

        def post():
            client = self.server.client()
            gate.wait()
            answers.append(client.post("/persons", person(email="one@of.many")))
            client.close()

        threads = [threading.Thread(target=post) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(each.status for each in answers), [201] + [409] * 7)
        records = [each["data"].get("email") for each in self.server.log_records()]
        self.assertEqual(records.count("one@of.many"), 1)

    def test_a_refused_person_leaves_nothing_behind(self):
        self.created(email="once@only.mock")
        head = self.server.log_records()[-1]["sequence"]
        self.client.post("/persons", person(email="once@only.mock"))
        self.assertEqual(self.server.log_records()[-1]["sequence"], head)

    def test_a_deleted_persons_email_is_free_again(self):
        made = self.created(email="again@test.mock")
        self.client.delete("/persons/" + made["id"])
        self.assertNotEqual(self.created(email="again@test.mock")["id"], made["id"])

    def test_names_are_trimmed_and_any_language(self):
        made = self.created(first_name="  Жан \t", last_name="グレイ \u00a0")
        self.assertEqual(made["first_name"], "Жан")
        read = self.client.get("/persons/" + made["id"]).data
        self.assertEqual((read["first_name"], read["last_name"]),
                         (made["first_name"], made["last_name"]))

    def test_the_description_is_as_strict_with_names(self):
        schema = self.client.get("/openapi.json").json["components"]["schemas"][
            "CreatePerson"]["properties"]["last_name"]
        for name in ("", " ", "\u3000", "a", " a\t", "\na", "a b", "a\tb", "a\u2028b", "a\u2028",
                     "\u00a0é\u200a", "\x7f", "a\x85", "a\x85b", "\u200b", "x" * 100, "x" * 101):
            with self.subTest(name):
                fits = re.search(schema["pattern"], name) and len(name) <= schema["maxLength"]
                answer = self.client.post("/persons", person(last_name=name))
                self.assertEqual(answer.status, 201 if fits else 400, answer.body)

    def test_putting_replaces_the_fields_and_keeps_the_rest(self):
        made = self.created()
        body = person(first_name="Katherine", role="user")
        put = self.client.put("/persons/" + made["id"], body)
        self.assert_ok(put)
        self.assertEqual({name: put.data[name] for name in body}, body)
        for name in ("id", "datetime_created", "events"):
            self.assertEqual(put.data[name], made[name])
        self.assertGreater(put.data["datetime_modified"], made["datetime_modified"])
        self.assertEqual(self.client.get("/persons/" + made["id"]).data, put.data)

    def test_a_person_can_be_put_back_as_it_was_read(self):
        made = self.created()
        put = self.client.put("/persons/" + made["id"], made)
        self.assert_ok(put)
        self.assertEqual(put.data, made)

    def test_a_person_whose_events_were_cut_can_be_put_back_too(self):
        made = self.created()
        for _ in range(2):
            self.recorded(made["id"])
        read = self.client.get(f"/persons/{made['id']}?events_limit=1").data
        self.assertEqual(read["events_total"], 3)
        put = self.client.put("/persons/" + made["id"], read)
        self.assert_ok(put)
        self.assertEqual(len(put.data["events"]), 3)

    def test_putting_records_unknown_events_and_leaves_missing_ones(self):
        made = self.created()
        brought = {"id": new_id(), "event_type": "click", "person_id": made["id"],
                   "datetime_created": "2023-10-08T06:03:33.330037"}
        put = self.client.put("/persons/" + made["id"], {**made, "events": [brought]})
        self.assert_ok(put)
        self.assertEqual(put.data["events"], [made["events"][0], {
            "id": brought["id"], "datetime_created": brought["datetime_created"],
            "event_type": "click", "person_id": made["id"]}])

    def test_putting_a_known_event_with_other_content_is_a_conflict(self):
        made = self.created()
        changed = {**made["events"][0], "event_type": "click"}
        answer = self.client.put("/persons/" + made["id"], {**made, "events": [changed]})
        self.assert_refused(answer, 409)
        self.assertEqual(self.client.get("/persons/" + made["id"]).data, made)

    def test_putting_all_four_fields_is_needed(self):
        made = self.created()
        for name in ("email", "first_name", "last_name", "role"):
            body = person()
            del body[name]
            self.assert_refused(self.client.put("/persons/" + made["id"], body), 400,
                                field=name)

    def test_putting_another_persons_id_is_refused(self):
        made = self.created()
        answer = self.client.put("/persons/" + made["id"], person(id=new_id()))
        self.assert_refused(answer, 400, field="id")

    def test_putting_another_persons_email_is_a_conflict(self):
        other, made = self.created(), self.created()
        answer = self.client.put("/persons/" + made["id"], person(email=other["email"]))
        self.assert_refused(answer, 409, "email")
        self.assertEqual(self.client.get("/persons/" + made["id"]).data, made)

    def test_patching_changes_what_it_names(self):
        made = self.created()
        for media in ("application/json", "application/merge-patch+json"):
            name = "Kitty " + media[-5:]
            patched = self.client.patch("/persons/" + made["id"], {"first_name": name},
                                        Content_Type=media)
            self.assert_ok(patched)
            self.assertEqual({**patched.data, "datetime_modified": 0},
                             {**made, "first_name": name, "datetime_modified": 0})
            self.assertEqual(self.client.get("/persons/" + made["id"]).data, patched.data)

    def test_patching_a_field_away_is_refused(self):
        made = self.created()
        self.assert_refused(self.client.patch("/persons/" + made["id"], {"role": None}),
                            400, field="role")

    def test_an_update_that_changes_nothing_appends_nothing(self):
        made = self.created()
        head = self.server.log_records()[-1]["sequence"]
        for body in ({}, {"first_name": made["first_name"]}):
            patched = self.client.patch("/persons/" + made["id"], body)
            self.assert_ok(patched)
            self.assertEqual(patched.data, made)
        self.assertEqual(self.server.log_records()[-1]["sequence"], head)

    def test_deleting_takes_the_events_out_too(self):
        made = self.created()
        event = self.recorded(made["id"])
        self.assert_ok(self.client.delete("/persons/" + made["id"]))
        for path in ("/persons/" + made["id"], "/events/" + event["id"]):
            self.assert_refused(self.client.get(path), 404)
        self.assertEqual(self.client.get("/events?person_id=" + made["id"]).data, [])

    def test_deleting_twice_is_not_found(self):
        made = self.created()
        self.assert_ok(self.client.delete("/persons/" + made["id"]))
        self.assert_refused(self.client.delete("/persons/" + made["id"]), 404)

    def test_deleting_with_another_id_in_the_body_deletes_nothing(self):
        made = self.created()
        answer = self.client.delete("/persons/" + made["id"], {"id": new_id()})
        self.assert_refused(answer, 400, field="id")
        self.assert_ok(self.client.get("/persons/" + made["id"]))

    def test_a_person_that_never_was_is_not_found(self):
        path = "/persons/" + new_id()
        self.assert_refused(self.client.get(path), 404)
        self.assert_refused(self.client.put(path, person()), 404)
        self.assert_refused(self.client.patch(path, {"role": "user"}), 404)
        self.assert_refused(self.client.delete(path), 404)

    def test_ids_are_read_in_either_case_and_written_in_lower(self):
        made = self.created()
        self.assertEqual(self.client.get("/persons/" + made["id"].upper()).data, made)

    def test_what_is_no_uuid_is_malformed(self):
        for each in ("1", "x", made_of("z"), made_of("a")[:-1], "%00", "a" * 300):
            answer = self.client.get("/persons/" + each)
            self.assertIn(answer.status, (400, 404), each)
            self.assert_refused(answer, answer.status)


def made_of(digit):
    return "-".join(digit * n for n in (8, 4, 4, 4, 12))


if __name__ == "__main__":
    unittest.main()
