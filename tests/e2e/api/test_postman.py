"""The Postman collection passes, and so does the one from before persons had aliases. What
its scripts say is known here by heart, so that it needs no Postman; newman runs them as
they are in make test-clients."""

import json
import os
import re
import unittest
import uuid

from served import Served

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
SHIPPED = os.path.join(ROOT, "docs/daybook.postman_collection.json")
FIRST = os.path.join(ROOT, "tests/data/postman/first.postman_collection.json")
# Another file of /docs is there without the viewer, too.
VIEWERS = "{{base_url}}/docs/swagger-ui.css"

MAKES = re.compile(r"pm\.collectionVariables\.set\('(\w+)', "
                   r"pm\.variables\.replaceIn\('(.*)'\)(?: \+ '(.*)')?\);")
KEEPS = re.compile(r"pm\.collectionVariables\.set\('(\w+)', (.*)\);")
STATUS = re.compile(r"pm\.test\('status is (\d+)', \(\) => .*\b\1\b.*\);")
PERSON = "const person = pm.response.json().data;"
KEPT = {
    "person.id": lambda answer: answer.data["id"],
    "person.events[0].id": lambda answer: answer.data["events"][0]["id"],
    "pm.response.json().data.id": lambda answer: answer.data["id"],
    "pm.response.headers.get('ETag')": lambda answer: answer.headers["ETag"],
}


def requests(items):
    for item in items:
        yield from requests(item.get("item", []))
        if "request" in item:
            yield item


class Postman(Served):
    settings = {"SEALED": "true"}  # a person is erased

    def run_collection(self, path):
        with open(path, encoding="utf-8") as file:
            collection = json.load(file)
        self.values = {each["key"]: each["value"] for each in collection["variable"]}
        self.values["base_url"] = ""
        count = 0
        for item in requests(collection["item"]):
            if item["request"]["url"]["raw"] == VIEWERS:
                continue
            with self.subTest(item["name"]):
                self.send(item)
            count += 1
        self.assertGreater(count, 15)

    def replaced(self, text):
        return re.sub(r"\{\{(.*?)\}\}", lambda found: str(uuid.uuid4())
                      if found[1].startswith("$") else self.values[found[1]], text)

    def script(self, item, listen):
        return [line for event in item.get("event", []) if event["listen"] == listen
                for line in event["script"]["exec"]]

    def send(self, item):
        for line in self.script(item, "prerequest"):
            name, text, more = MAKES.fullmatch(line).groups()
            self.values[name] = self.replaced(text) + (more or "")
        request = item["request"]
        answer = self.client.request(
            request["method"], self.replaced(request["url"]["raw"]),
            self.replaced(request["body"]["raw"]) if "body" in request else None,
            {each["key"]: self.replaced(each["value"]) for each in request["header"]
             if not each.get("disabled")})
        lines = self.script(item, "test")
        self.assertRegex(lines[0], STATUS)
        self.assertEqual(answer.status, int(STATUS.fullmatch(lines[0])[1]), answer.body)
        for line in lines[1:]:
            if line != PERSON:
                name, what = KEEPS.fullmatch(line).groups()
                self.values[name] = KEPT[what](answer)

    def test_each_request_of_the_collection_is_answered_as_it_expects(self):
        self.run_collection(SHIPPED)

    def test_each_request_of_the_first_collection_still_is(self):
        self.run_collection(FIRST)


if __name__ == "__main__":
    unittest.main()
