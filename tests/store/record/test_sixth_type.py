"""A record type cannot be added half-way.

DBK_TYPES in include/store/record.h is the one list of types. Here a copy of that header
gets a sixth; then the compiler must name every file that says what becomes of each type,
and these must be the files that ARCHITECTURE.md lists for whoever adds one.
"""
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
COMPILER = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE"]
BUILD = Path(os.environ["BUILD"])
HEADER = SOURCE / "include/store/record.h"
ROW = re.compile(r'TYPE\((\d+), (DBK_\w+), "([\w.]+)", [^)]+\)')
SIXTH = ('TYPE(6, DBK_EVENT_MOVED, "event.moved", DBK_SUBJECT_EVENT, DBK_HAS_PERSON_ID, '
         "DBK_HAS_PROPERTIES)")


def rows():
    return ROW.findall(HEADER.read_text())


def files_that_name_types():
    """Each with its layer."""
    names = re.compile("|".join(rf"\b{row[1]}\b" for row in rows()))
    for layer in (*(SOURCE / "src").iterdir(), SOURCE / "tools"):
        for path in sorted(layer.rglob("*.c")):
            if names.search(path.read_text()):
                yield layer, path


class SixthType(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.copy = Path(self.directory.name)

    def add(self, row):
        """The header with one more row, where it is found before the real one."""
        text = HEADER.read_text()
        last = list(ROW.finditer(text))[-1]
        (self.copy / "store").mkdir(exist_ok=True)
        (self.copy / "store/record.h").write_text(
            text[:last.end()] + " " + row + text[last.end():])

    def compile(self, layer, *arguments):
        rooms = [room for top in (layer, BUILD / layer.relative_to(SOURCE))
                 for room in (top, *top.rglob("*"))
                 if room.is_dir() and "CMakeFiles" not in room.parts]
        return subprocess.run(
            [*COMPILER, f"-I{self.copy}", f"-I{SOURCE}/include",
             *(f"-I{room}" for room in rooms), *arguments],
            capture_output=True, text=True)

    def named_by_the_compiler(self):
        """Files whose switch has no case for some type; all others must compile."""
        for layer, path in files_that_name_types():
            run = self.compile(layer, "-fsyntax-only", "-Werror=switch-enum", path)
            if run.returncode and "switch" not in run.stderr:
                self.fail(run.stderr)
            if run.returncode:
                yield path

    def test_the_list_is_read(self):
        self.assertEqual(len(rows()), 5)
        self.assertEqual([int(row[0]) for row in rows()], [1, 2, 3, 4, 5])

    def test_today_no_file_lacks_a_type(self):
        self.assertEqual(list(self.named_by_the_compiler()), [])

    def test_the_compiler_names_the_files_that_are_listed(self):
        line = re.search(r"^- \*\*a record type\*\*:.*$",
                         (SOURCE / "ARCHITECTURE.md").read_text(), re.M)[0]
        listed = {SOURCE / name for name in re.findall(r"`((?:src|tools)/[\w/]+\.c)`", line)}
        self.add(SIXTH)
        self.assertEqual(set(self.named_by_the_compiler()), listed)

    def try_records(self):
        """Encode and decode with the copy; what test_record_types says."""
        program = self.copy / "types"
        store = SOURCE / "src/store"
        run = self.compile(store, "-Wall", "-Wextra", "-Werror", "-o", program,
                           SOURCE / "tests/store/record/test_record_types.c",
                           *(store / "record").glob("*.c"), *(store / "base").glob("*.c"),
                           *shlex.split(os.environ["LIBRARIES"]))
        if run.returncode:
            return run.stderr
        run = subprocess.run([program], capture_output=True, text=True)
        return run.stdout + run.stderr if run.returncode else None

    def test_its_row_alone_makes_it_encode_and_decode(self):
        self.add(SIXTH)
        self.assertIsNone(self.try_records())

    def test_a_row_that_is_half_done_is_refused(self):
        for right, wrong in [("6,", "5,"), ("6,", "7,"),
                             ("event.moved", "event.deleted"), ("event.moved", ""),
                             ("event.moved", "person.moved"),
                             ("event.moved", "event.moved_to_another_of_its_owners"),
                             ("DBK_HAS_PERSON_ID", "0"),
                             ("DBK_HAS_PROPERTIES", "1024")]:
            with self.subTest(wrong):
                self.add(SIXTH.replace(right, wrong))
                self.assertIsNotNone(self.try_records())

    def test_the_api_describes_every_type(self):
        found = []

        def look(part):
            for value in part.values() if isinstance(part, dict) else part:
                if isinstance(value, list) and rows()[0][2] in value:
                    found.append(value)
                elif isinstance(value, (dict, list)):
                    look(value)

        look(json.loads((SOURCE / "src/http/openapi.json").read_text()))
        self.assertEqual(found, [[row[2] for row in rows()]])

    def test_made_histories_have_every_type(self):
        made = (SOURCE / "tests/generate/draft.c").read_text()
        for row in rows():
            self.assertIn(row[1], made)


if __name__ == "__main__":
    unittest.main()
