"""The clients of examples/: whatever is lost on the way, nothing is written twice."""

import json
import os
import shutil
import subprocess
import sys
import unittest

from flaky import Flaky
from harness import PATIENCE
from served import Served, new_id

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples")
PYTHON = """
import json, sys
from daybook import Daybook, Refused
daybook = Daybook(sys.argv[1])
person = daybook.request("POST", "/persons", {"external_id": sys.argv[2]})
verdicts = daybook.send([{"event_type": "one", "person_id": person["id"]},
                         {"alias": {"anonymous_id": sys.argv[2], "external_id": sys.argv[2]}},
                         {"event_type": "two", "anonymous_id": sys.argv[2]}])
none = daybook.send([{"event_type": "nobody's", "person_id": sys.argv[3]}])
try:
    daybook.request("POST", "/persons", {})
except Refused as refused:
    status = refused.status
print(json.dumps([person["id"], [each["status"] for each in verdicts], none[0]["status"], status]))
"""
NODE = """
import {Daybook} from './daybook.mjs';
const [url, name, nobody] = process.argv.slice(-3);
const daybook = new Daybook(url);
const person = await daybook.request('POST', '/persons', {external_id: name});
const verdicts = await daybook.send([
  {event_type: 'one', person_id: person.id},
  {alias: {anonymous_id: name, external_id: name}}, {event_type: 'two', anonymous_id: name}]);
const none = await daybook.send([{event_type: "nobody's", person_id: nobody}]);
const status = await daybook.request('POST', '/persons', {}).catch((refused) => refused.status);
console.log(JSON.stringify([person.id, verdicts.map((each) => each.status), none[0].status, status]));
"""


class Clients(Served):
    def through(self, folder, *command):
        """What a program that uses the client prints, while much is lost."""
        flaky, name = Flaky(self.server.port, "lost", "busy", "cut", "", "busy", "lost"), new_id()
        self.addCleanup(flaky.close)
        done = subprocess.run(
            [*command, flaky.url, name, new_id()], cwd=os.path.join(EXAMPLES, folder),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(flaky.faults, [])
        self.assertEqual(len(set(flaky.bodies)), 4, "sent again it is byte for byte the same")
        return name, json.loads(done.stdout)

    def check(self, name, told):
        id, verdicts, none, status = told
        self.assertEqual((verdicts, none, status), ([201, 201, 201], 404, 400))
        person = self.client.get(f"/persons/by/external_id/{name}").data
        self.assertEqual(person["id"], id)
        self.assertEqual([event["event_type"] for event in person["events"]],
                         ["signup", "one", "two"])

    def test_python(self):
        self.check(*self.through("python", sys.executable, "-B", "-c", PYTHON))

    def test_node(self):
        node = shutil.which("node")
        if not node:
            self.skipTest("there is no node: tools/install-deps test-clients")
        self.check(*self.through("node", node, "--input-type=module", "-e", NODE, "--"))


if __name__ == "__main__":
    unittest.main()
