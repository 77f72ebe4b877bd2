"""What README has newcomers paste works, and works again."""

import json
import os
import re
import subprocess
import unittest

from served import Served

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
# A refusal ends the shell.
STRICT = 'set -eu; curl() { command curl --fail-with-body "$@"; }\n'


def snippets(title):
    """The blocks of this section, one behind the other."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        section = re.search(rf"^## {title}\n(.*?)^## ", readme.read(), re.M | re.S)[1]
    return "".join(re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S))


class Readme(Served):
    def paste(self, shell):
        script = snippets("See the point")
        self.assertIn("127.0.0.1:8080", script)
        script = script.replace("127.0.0.1:8080", f"127.0.0.1:{self.server.port}")
        done = subprocess.run([shell, "-c", STRICT + script], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def look_at(self, answers):
        (created, recorded, read, found, log, once, again, anonymous, alias, known, put,
         batch, order, order_again, newest, days, funnel) = answers
        self.assertEqual(created["response"]["status"], 201)
        self.assertEqual(recorded["response"]["status"], 201)
        self.assertEqual(read["data"]["id"], created["data"]["id"])
        self.assertEqual(read["data"]["events"][-1]["id"], recorded["data"]["id"])
        self.assertEqual([event["id"] for event in found["data"]], [recorded["data"]["id"]])
        self.assertGreaterEqual(len(log["data"]), 3)
        self.assertEqual(once["data"]["id"], again["data"]["id"])
        self.assertIsNone(anonymous["data"]["person_id"])
        self.assertEqual(alias["response"]["status"], 201)
        self.assertEqual(known["data"], [{**anonymous["data"],
                                          "person_id": created["data"]["id"]}])
        self.assertEqual((put["response"]["status"], put["data"]["properties"]),
                         (201, {"plan": "pro"}))
        self.assertEqual([item["status"] for item in batch["data"]], [201, 201, 400])
        self.assertEqual([each["data"][0]["status"] for each in (order, order_again)],
                         [201, 200])
        self.assertEqual(order["data"][0]["sequence"], order_again["data"][0]["sequence"])
        self.assertEqual([event["id"] for event in newest["data"]],
                         [order["data"][0]["id"], batch["data"][1]["id"]])
        self.assertEqual(newest["response"]["count"], 7)
        self.assertGreaterEqual(days["data"][-1]["count"], 8)
        self.assertEqual([step["share"] for step in funnel["data"]["steps"]][0], 1)
        self.assertGreaterEqual(funnel["data"]["steps"][1]["persons"], 1)

    def test_see_the_point_works_again_and_again(self):
        for shell in ("bash", "bash", "sh"):
            with self.subTest(shell):
                self.look_at(self.paste(shell))


if __name__ == "__main__":
    unittest.main()
