"""Who somebody is, for tests of it."""

import threading
from urllib.parse import quote

from served import Served


def at_once(count, work):
    """work(n) in so many threads that begin together; what they returned."""
    results, gate = [None] * count, threading.Barrier(count)

    def run(number):
        gate.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Identity(Served):
    def anonymous(self, anonymous_id, **fields):
        """An event of somebody; answered as it is read."""
        answer = self.client.post("/events", {"event_type": "click",
                                              "anonymous_id": anonymous_id, **fields})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(answer.data["anonymous_id"], anonymous_id)
        return answer.data

    def alias(self, whose, anonymous_id, status=201):
        answer = self.client.post(f"/persons/{whose}/aliases",
                                  {"anonymous_id": anonymous_id})
        self.assertEqual(answer.status, status, answer.body)
        return answer

    def unalias(self, whose, anonymous_id):
        return self.client.delete(
            f"/persons/{whose}/aliases/{quote(anonymous_id, safe='')}")

    def owner(self, event):
        """Whose it is, as every way of reading says; None: nobody's; 404: gone."""
        one = self.client.get("/events/" + event["id"])
        listed, _ = self.follow("/events?keyword=" + event["event_type"])
        listed = [each for each in listed if each["id"] == event["id"]]
        if one.status == 404:
            self.assertEqual(listed, [])
            return 404
        self.assertEqual(one.data, {**event, "person_id": one.data["person_id"]})
        self.assertEqual(listed, [one.data])
        return one.data["person_id"]

    def events_of(self, whose):
        """The ids of a person's events but for the signup, by list and with the person."""
        listed = self.client.get("/events?keyword=click&person_id=" + whose).data
        shown = [each for each in self.client.get("/persons/" + whose).data["events"]
                 if each["event_type"] == "click"]
        self.assertEqual(listed, shown)
        for each in listed:
            self.assertEqual(each["person_id"], whose)
        return [each["id"] for each in listed]

    def refused_for(self, answer, field, whose):
        """A 409 that names whose the field is."""
        self.assert_refused(answer, 409)
        error, = answer.json["response"]["errors"]
        self.assertEqual((error["field"], error["person_id"]), (field, whose))
