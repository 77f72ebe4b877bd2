"""ETag, If-Match and If-None-Match."""

import threading
import unittest

from served import Served, new_id, person


class Conditional(Served):
    def setUp(self):
        made = self.client.post("/persons", person())
        self.path, self.kate = "/persons/" + made.data["id"], made.data
        self.tag = made.headers["ETag"]

    def tag_now(self):
        return self.client.get(self.path).headers["ETag"]

    def test_a_read_that_would_say_the_same_is_not_modified(self):
        tag = self.tag_now()
        for header in (tag, "W/" + tag, f'"other", {tag}', "*"):
            answer = self.client.get(self.path, If_None_Match=header)
            self.assertEqual((answer.status, answer.body), (304, b""), header)
            self.assertEqual(answer.headers["ETag"], tag)
        self.assert_ok(self.client.get(self.path, If_None_Match='"other"'))

    def test_changing_the_person_changes_its_tag(self):
        tag = self.tag_now()
        self.client.patch(self.path, {"first_name": "Kitty"})
        self.assert_ok(self.client.get(self.path, If_None_Match=tag))
        self.assertNotEqual(self.tag_now(), tag)

    def test_adding_and_deleting_an_event_changes_the_tag_of_a_read(self):
        before = self.tag_now()
        event = self.recorded(self.kate["id"])
        added = self.tag_now()
        self.client.delete("/events/" + event["id"])
        self.assertNotEqual(added, before)
        self.assertNotEqual(self.tag_now(), added)

    def test_showing_fewer_events_has_another_tag(self):
        self.assertNotEqual(self.client.get(self.path + "?events_limit=0").headers["ETag"],
                            self.tag_now())

    def test_an_event_has_a_tag_too(self):
        made = self.client.post("/events", {"event_type": "click",
                                            "person_id": self.kate["id"]})
        path = "/events/" + made.data["id"]
        self.assertEqual(self.client.get(path).headers["ETag"], made.headers["ETag"])
        self.assertEqual(
            self.client.get(path, If_None_Match=made.headers["ETag"]).status, 304)

    def test_a_write_at_the_version_read_is_done(self):
        answer = self.client.patch(self.path, {"role": "user"}, If_Match=self.tag)
        self.assert_ok(answer)
        for n, form in enumerate(("{}", '"1", {}', "*")):
            for tag_of in (lambda: answer.headers["ETag"], self.tag_now):
                answer = self.client.patch(self.path, {"first_name": f"Kate {n}"},
                                           If_Match=form.format(tag_of()))
                self.assert_ok(answer)
        put = self.client.put(self.path, person(), If_Match=answer.headers["ETag"])
        self.assert_ok(put)
        self.assert_ok(self.client.delete(self.path, If_Match=put.headers["ETag"]))

    def test_a_write_at_an_older_version_is_refused(self):
        moved = self.client.patch(self.path, {"first_name": "Kitty"})
        for answer in (self.client.patch(self.path, {"role": "user"}, If_Match=self.tag),
                       self.client.put(self.path, person(), If_Match=self.tag),
                       self.client.delete(self.path, If_Match=self.tag),
                       self.client.delete(self.path, If_Match='"unknown"'),
                       self.client.delete(self.path, If_Match="W/" + moved.headers["ETag"])):
            self.assert_refused(answer, 412)
        self.assertEqual(self.client.get(self.path).data, moved.data)

    def test_a_write_where_nothing_should_be_is_refused(self):
        event = self.recorded(self.kate["id"])
        path = "/events/" + event["id"]
        for header in ("*", self.tag, "W/" + self.tag, self.tag_now(), f'"1", {self.tag}'):
            for answer in (self.client.put(self.path, person(), If_None_Match=header),
                           self.client.patch(self.path, {"role": "user"},
                                             If_None_Match=header),
                           self.client.delete(self.path, If_None_Match=header)):
                self.assert_refused(answer, 412, "If-None-Match")
        for answer in (self.client.delete(path, If_None_Match="*"),
                       self.client.post(path, event, If_None_Match="*")):
            self.assert_refused(answer, 412, "If-None-Match")
        self.assertEqual(self.client.get(self.path).data["role"], self.kate["role"])
        self.assert_ok(self.client.get(path))

    def test_a_write_where_other_versions_should_not_be_is_done(self):
        for header in ('"1"', 'W/"x", "1-00000000"'):
            self.assert_ok(self.client.patch(self.path, {"role": "user"},
                                             If_None_Match=header))
        self.assert_refused(self.client.patch(self.path, {}, If_None_Match="x"), 400,
                            "If-None-Match")
        made = self.client.post("/events/" + new_id(), {
            "event_type": "click", "person_id": self.kate["id"]}, If_None_Match="*")
        self.assertEqual(made.status, 201)

    def test_nothing_is_made_where_nothing_is(self):
        path = "/persons/" + new_id()
        for method in self.client.put, self.client.patch:
            self.assert_refused(method(path, person(), If_None_Match="*"), 404)
        self.assertEqual(self.client.get(path).status, 404)

    def test_an_event_added_does_not_move_the_person(self):
        self.recorded(self.kate["id"])
        self.assert_ok(self.client.patch(self.path, {"role": "user"}, If_Match=self.tag))

    def test_what_is_no_tag_is_malformed(self):
        for header in ("7", '"7', "7\"", '"a" "b"', "*, *"):
            self.assert_refused(
                self.client.patch(self.path, {"role": "user"}, If_Match=header), 400,
                "If-Match")

    def test_nobody_has_no_version(self):
        path = "/persons/" + new_id()
        for answer in (self.client.patch(path, {}, If_Match=self.tag),
                       self.client.delete(path, If_Match=self.tag)):
            self.assertIn(answer.status, (404, 412))

    def test_an_event_that_is_gone_is_not_found_whatever_is_expected_of_it(self):
        gone, kept = (self.recorded(self.kate["id"])["id"] for _ in range(2))
        self.client.delete("/events/" + gone)
        self.client.delete(self.path)
        for event in gone, kept:
            for header in ('"1"', "*", "7"):
                self.assert_refused(
                    self.client.delete("/events/" + event, If_Match=header), 404)

    def test_of_many_writes_at_one_version_one_is_done(self):
        statuses, gate = [], threading.Barrier(8)

        def patch(number):
            client = self.server.client()
            gate.wait()
            statuses.append(client.patch(self.path, {"first_name": f"Kate {number}"},
                                         If_Match=self.tag).status)
            client.close()

        threads = [threading.Thread(target=patch, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [200] + [412] * 7)


if __name__ == "__main__":
    unittest.main()
