"""One place says what a full disk is, and what makes a name last.

Where each caller looked at errno by itself, most forgot that a quota can be used up, and
told of a broken disk. Nothing but the files named here may look at these numbers, or sync.
"""
import re
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
ALLOWED = {
    re.compile(r"\b(ENOSPC|EDQUOT)\b"): {"src/store/base/durable.c"},
    # Two say more of it than that there is no room.
    re.compile(r"\bEFBIG\b"): {"src/store/base/durable.c", "src/store/lmdb/lmdb_error.c",
                               "src/store/maintenance/backup.c"},
    re.compile(r"\bfsync\("): {"src/store/base/durable.c"},
    # Of the log itself and of the ring, whose names do not change.
    re.compile(r"\bfdatasync\("): {"src/store/lmdb/environment_prove.c",
                                   "src/store/seal/ring_file.c"},
}


def code(path):
    """Without comments, which may name what they like."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


class OneErrno(unittest.TestCase):
    def test_only_one_file_looks_at_what_says_that_the_disk_is_full(self):
        texts = {str(path.relative_to(SOURCE)): code(path)
                 for room in ("src", "tools", "include")
                 for path in (SOURCE / room).rglob("*.[ch]")}
        for pattern, allowed in ALLOWED.items():
            with self.subTest(pattern=pattern.pattern):
                users = {name for name, text in texts.items() if pattern.search(text)}
                self.assertEqual(users, allowed)


if __name__ == "__main__":
    unittest.main()
