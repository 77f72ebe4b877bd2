"""A record type cannot be added half-way.

DBK_TYPES in include/store/record.h is the one list of types. Here a copy of that header
gets one more; then the compiler must name every file that says what becomes of each type,
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
COMPILER = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE",
            *shlex.split(os.environ["INCLUDES"])]  # of msgpack, which may not be installed
BUILD = Path(os.environ["BUILD"])
HEADER = SOURCE / "include/store/record.h"
ROW = re.compile(r'TYPE\((\d+), (DBK_\w+), "([\w.]+)", [^)]+\)')


def rows():
    return ROW.findall(HEADER.read_text())


ROWS = rows()
LAST, NEXT = len(ROWS), len(ROWS) + 1
ADDED = (f'TYPE({NEXT}, DBK_EVENT_TRIED, "event.tried", DBK_SUBJECT_EVENT, '
         "DBK_HAS_PERSON_ID, DBK_HAS_PROPERTIES)")


def files_that_name_types():
    """Each with its layer."""
    names = re.compile("|".join(rf"\b{row[1]}\b" for row in ROWS))
    for layer in (*(SOURCE / "src").iterdir(), SOURCE / "tools"):
        for path in sorted(layer.rglob("*.c")):
            if names.search(path.read_text()):
                yield layer, path


class AddedType(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """What knows of no record is compiled once."""
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.base = Path(directory.name)
        subprocess.run([*COMPILER, f"-I{SOURCE}/include", "-c",
                        *(SOURCE / "src/store/base").glob("*.c")],
                       cwd=cls.base, check=True)

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
        self.assertEqual(len(ROWS), HEADER.read_text().count("    TYPE("))
        self.assertEqual([int(row[0]) for row in ROWS], list(range(1, NEXT)))

    def test_today_no_file_lacks_a_type(self):
        self.assertEqual(list(self.named_by_the_compiler()), [])

    def test_the_compiler_names_the_files_that_are_listed(self):
        line = re.search(r"^- \*\*a record type\*\*:.*$",
                         (SOURCE / "ARCHITECTURE.md").read_text(), re.M)[0]
        listed = {SOURCE / name for name in re.findall(r"`((?:src|tools)/[\w/]+\.c)`", line)}
        self.add(ADDED)
        self.assertEqual(set(self.named_by_the_compiler()), listed)

    def try_records(self):
        """Encode and decode with the copy; what test_record_types says."""
        program = self.copy / "types"
        store = SOURCE / "src/store"
        run = self.compile(store, "-Wall", "-Wextra", "-Werror", "-o", program,
                           SOURCE / "tests/store/record/test_record_types.c",
                           *(store / "record").glob("*.c"), store / "seal/seal.c", *self.base.glob("*.o"),
                           *shlex.split(os.environ["LIBRARIES"]))
        if run.returncode:
            return run.stderr
        run = subprocess.run([program], capture_output=True, text=True)
        return run.stdout + run.stderr if run.returncode else None

    def test_its_row_alone_makes_it_encode_and_decode(self):
        self.add(ADDED)
        self.assertIsNone(self.try_records())

    def test_a_row_that_is_half_done_is_refused(self):
        for right, wrong in [(f"{NEXT},", f"{LAST},"), (f"{NEXT},", f"{NEXT + 1},"),
                             ("event.tried", ROWS[0][2]), ("event.tried", ""),
                             ("event.tried", "person.tried"),
                             ("event.tried", "event.tried_with_a_name_of_32_bytes"),
                             ("DBK_HAS_PERSON_ID", "0"),
                             ("DBK_HAS_PROPERTIES", "2048")]:
            with self.subTest(wrong):
                self.add(ADDED.replace(right, wrong))
                self.assertIsNotNone(self.try_records())

    def test_the_api_describes_every_type(self):
        found = []

        def look(part):
            for value in part.values() if isinstance(part, dict) else part:
                if isinstance(value, list) and ROWS[0][2] in value:
                    found.append(value)
                elif isinstance(value, (dict, list)):
                    look(value)

        document = json.loads((SOURCE / "src/http/openapi.json").read_text())
        types = [row[2] for row in ROWS]
        look(document)
        self.assertEqual(found, [types])
        filtered = document["components"]["parameters"]["RecordTypes"]["schema"]["pattern"]
        self.assertRegex(",".join(types), filtered)
        for wrong in ("", "person", "person.created,", "persons.created", "event.tried"):
            self.assertNotRegex(wrong, filtered)

    def test_made_histories_have_every_type(self):
        made = (SOURCE / "tests/generate/draft.c").read_text()
        for row in ROWS:
            self.assertTrue(row[1] in made, row[1])


if __name__ == "__main__":
    unittest.main()
