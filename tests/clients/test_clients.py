"""What make test-clients is made of, without generators: each client calls every
operation, and nothing is brought in a version that nobody has named."""

import json
import re
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]


def operations():
    document = json.loads((SOURCE / "src/http/openapi.json").read_text(encoding="utf-8"))
    return {operation["operationId"] for methods in document["paths"].values()
            for operation in methods.values()}


def by_hand(text):
    """Those that it says it calls without what was generated, as for what has no end."""
    return set(re.findall(r"called (\w+)", text))


class Clients(unittest.TestCase):
    def test_each_calls_every_operation(self):
        for name in ("client.ts", "client.go", "Client.java"):
            text = (HERE / name).read_text(encoding="utf-8")
            called = set(re.findall(r'"(\w+)"', text)) | by_hand(text)
            self.assertEqual(operations() - called, set(), name)
        for name in ("attrs_client.py", "pydantic_client.py"):
            text = (HERE / name).read_text(encoding="utf-8")
            called = {re.sub("_(.)", lambda found: found[1].upper(), operation)
                      for operation in re.findall(r"call\((?:\w+\.)?(\w+)", text)}
            self.assertEqual(operations() - called - by_hand(text), set(), name)

    def test_every_version_is_named(self):
        for line in (HERE / "requirements.txt").read_text().split():
            self.assertRegex(line, r"^[\w-]+==\d[\w.]*$")
        package = json.loads((HERE / "package.json").read_text())
        for name, version in package["dependencies"].items():
            self.assertRegex(version, r"^\d+\.\d+\.\d+$", name)

    def test_nothing_names_a_registry_or_a_place_of_a_machine(self):
        for path in HERE.iterdir():
            if path.is_file() and path.name != Path(__file__).name:
                self.assertNotRegex(path.read_text(encoding="utf-8"),
                                    r"https://|resolved|/(home|work|root|usr)/", path.name)


if __name__ == "__main__":
    unittest.main()
