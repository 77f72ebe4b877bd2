"""Who is quarantined is listed and tried again over HTTP; and how old the backup is."""

import json
import os
import tempfile
import unittest

from harness import PATIENCE, Server
from served import Served, person
from tables import refuse_bad, take_bad


class Quarantine(Served):
    def spoil(self):
        refuse_bad(self.server)
        self.addCleanup(self.heal)

    def heal(self):
        take_bad(self.server)
        self.client.request("POST", "/admin/quarantine/retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")

    def test_they_are_listed_page_by_page_and_tried_again(self):
        self.assertEqual(self.client.get("/admin/quarantine").data, [])
        none = self.client.request("POST", "/admin/quarantine/retry")
        self.assertEqual((none.status, none.data), (200, {"retried": 0}))
        self.spoil()
        bad = []
        for _ in range(3):
            answer = self.client.post("/persons", person(first_name="bad"))
            self.assertEqual(answer.status, 201, answer.body)
            bad.append((answer.data["id"], answer.sequence - 1))  # its signup is the last
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 3,
                             "the quarantine")
        rows, pages = self.follow("/admin/quarantine?limit=2")
        self.assertEqual(pages, 2)
        self.assertEqual([(row["person_id"], row["sequence"]) for row in rows], bad)
        for row in rows:
            self.assertEqual(list(row), ["person_id", "anonymous_id", "sequence", "reason",
                                         "quarantined_at"])
            self.assertIn("no_bad", row["reason"])
            self.assertIsNone(row["anonymous_id"])
        asked = json.loads(self.server.run("status", "--json", check=False).stdout)
        self.assertEqual([row["reason"] for row in asked["quarantine"]],
                         [row["reason"] for row in rows])
        take_bad(self.server)
        retried = self.client.request("POST", "/admin/quarantine/retry")
        self.assertEqual(retried.data, {"retried": 3})
        self.server.wait_for(lambda: not self.client.get("/admin/quarantine").data, "the end")
        self.assertEqual(self.client.get("/persons/" + bad[0][0]).status, 200)
        for query_string in ("limit=0", "limit=1001", "limit=x", "after=-1", "offset=1"):
            self.assert_refused(self.client.get("/admin/quarantine?" + query_string), 400,
                                field=query_string.split("=")[0])

    def test_backups_are_told_with_their_age(self):
        answer = self.client.get("/admin/backups")
        self.assertEqual(answer.data, {"last": None})
        self.assertIn("daybook backup", answer.details)
        self.created()
        head = self.client.get("/health").data["head"]
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o777)
            self.server.run("backup", os.path.join(place, "monday"))
            self.recorded(self.created()["id"])
            last = self.client.get("/admin/backups").data["last"]
        now = self.client.get("/health").data["head"]
        self.assertEqual((last["head"], last["records_behind"]), (head, now - head))
        self.assertTrue(last["path"].endswith("/monday"))
        self.assertLess(last["age_seconds"], PATIENCE)


class Away(unittest.TestCase):
    """There is no PostgreSQL: it is told at once, and why."""

    assert_refused = Served.assert_refused

    def test_it_is_told(self):
        server = Server(env={"DB_HOST": "/nowhere", "DB_NAME": "none", "DB_USER": "none"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        for method, path in (("GET", "/admin/quarantine"),
                             ("POST", "/admin/quarantine/retry")):
            answer = client.request(method, path)
            self.assert_refused(answer, 503, "/nowhere")
            self.assertTrue(answer.json["response"]["type"].endswith("#unavailable"))
        self.assertEqual(client.get("/admin/backups").status, 200)
        self.assertEqual(client.get("/admin/tokens").status, 200)


if __name__ == "__main__":
    unittest.main()
