"""Statements that overwrite or destroy, held to their rule: each names its schema, so that
none means another application's table in a session that is not ours."""

import glob
import os
import re
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# What follows the words, up to the name.
WRITES = re.compile(
    r"\b(?:delete from|insert into|truncate|copy|analyze|update(?! o[fn]\b)|"
    r"drop (?:table|function|schema|index|view|type)|alter (?:table|schema))\s+"
    r"(?:if exists\s+|only\s+)?(\S+)", re.IGNORECASE)
NAMED = (':"schema"', "%I")


def statements():
    for pattern in ("src/projections/sql/*/*.sql", "migrations/*.down.sql"):
        yield from sorted(glob.glob(os.path.join(ROOT, pattern)))


class Statements(unittest.TestCase):
    def test_each_names_its_schema(self):
        seen = 0
        for path in statements():
            with open(path) as file:
                text = re.sub(r"--.*", "", file.read())
            # A function that sets its own search_path is in nobody's session.
            text = re.sub(r"set search_path.*?\$\$.*?\$\$", "", text, flags=re.DOTALL)
            for found in WRITES.finditer(re.sub(r"\b(?:for|do) update\b", "", text)):
                seen += 1
                with self.subTest(file=os.path.relpath(path, ROOT)):
                    self.assertTrue(found[1].startswith(NAMED), found[0])
        self.assertGreater(seen, 25)


if __name__ == "__main__":
    unittest.main()
