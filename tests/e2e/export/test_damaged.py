"""An export that was damaged on its way, or is none: told with where, and nothing is imported."""

import hashlib
import json
import os
import random
import re
import unittest

from exports import SEED
from tools import DIFFERENT, FAILED, ToolCase, records_of


class Damage(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 3000, SEED)
        self.whole = self.export("first")
        self.chance = random.Random(SEED)
        print(f"DAYBOOK_SEED={SEED}", flush=True)

    def refused_import(self, message, data, name="export", status=DIFFERENT):
        self.write(name, data)
        done = self.refused(status, message, "import", name, "--data-dir", "made")
        self.assertEqual(done.stdout, b"")
        self.assertFalse(os.path.exists(self.path("made")), "something is left behind")

    def test_a_flipped_bit_is_named_with_its_line(self):
        for _ in range(12):
            self.flip(self.chance.randrange(len(self.whole)), self.chance.randrange(8))
        # The digit after {"format": tells whether the line can be read at all.
        for bit in range(8):
            self.flip(self.whole.index(b"\n") + 1 + len(b'{"format":'), bit)

    def flip(self, at, bit):
        changed = bytearray(self.whole)
        changed[at] ^= 1 << bit
        begin = self.whole.rfind(b"\n", 0, at) + 1
        line = self.whole.count(b"\n", 0, at) + 1
        newer = re.match(rb'\{"format":[6-9],', changed[begin:])
        self.refused_import(f"line {line}: ", bytes(changed),
                            status=FAILED if newer else DIFFERENT)

    def test_a_missing_line_is_named(self):
        lines = self.whole.splitlines(keepends=True)
        for number in (1, 2, 700, 1500, len(lines) - 1):
            left = lines[:number - 1] + lines[number:]
            self.refused_import(f"line {number}: ", b"".join(left))

    def test_lines_that_changed_places_are_named(self):
        lines = self.whole.splitlines(keepends=True)
        for number in (1, 500, 1200):
            moved = list(lines)
            moved[number - 1], moved[number] = moved[number], moved[number - 1]
            self.refused_import(f"line {number}: ", b"".join(moved))

    def test_a_cut_file_is_told_with_where_it_ends(self):
        for _ in range(8):
            cut = self.whole[:self.chance.randrange(200, len(self.whole))]
            line = cut.count(b"\n") + (not cut.endswith(b"\n"))
            self.refused_import(f"line {line}", cut)
        self.refused_import("is empty", b"")

    def test_cut_and_damaged_compressed_files_are_told(self):
        for ending in ("gz", "zst"):
            name = f"whole.{ending}"
            self.export("first", name)
            data = self.read(name)
            self.refused_import("cut short", data[:-20], name)
            self.refused_import("cut short", data[:len(data) // 2], name)
            changed = bytearray(data)
            changed[len(data) // 2] ^= 16
            self.refused_import("", bytes(changed), name)

    def test_a_damaged_msgpack_export_is_named_with_the_record(self):
        data = self.export("first", "--format", "msgpack")
        starts, at = [], 16
        while (length := int.from_bytes(data[at:at + 4], "big")) > 0:
            starts.append(at)
            at += 8 + length
        for number in (1, 2, 1000, len(starts)):
            changed = bytearray(data)
            changed[starts[number - 1] + self.chance.randrange(60)] ^= 64
            self.refused_import(f"record {number} (byte {starts[number - 1]})",
                                bytes(changed))
        missing = data[:starts[700]] + data[starts[701]:]
        self.refused_import("record 701 (byte", missing)
        self.refused_import(f"record {len(starts)} (byte", data[:at - 1])
        self.refused_import(f"record {len(starts) + 1} (byte {at})", data[:at])

    def test_a_part_of_a_log_is_refused(self):
        person = records_of(self.whole)[0]["subject_id"]
        for arguments in (("--to", "100"), ("--from", "1"), ("--from", "7"),
                          ("--type", "event.recorded"), ("--person", person)):
            self.refused_import("", self.export("first", *arguments))
        self.refused_import("no log can be made of a part",
                            self.export("first", "--to", "100"))

    def test_the_digest_is_that_of_what_is_before_the_trailer(self):
        before, trailer = self.whole.rstrip(b"\n").rsplit(b"\n", 1)
        self.assertEqual(json.loads(trailer)["export"]["sha256"],
                         hashlib.sha256(before + b"\n").hexdigest())
        forged = before.replace(b"Pryde", b"Erdyp", 1) + b"\n"
        digest = hashlib.sha256(forged).hexdigest().encode()
        self.refused_import("is not what was exported",
                            forged + trailer[:-67] + digest + b'"}}\n')

    def test_a_newer_format_is_told(self):
        self.write("newer", self.whole.replace(b'{"format":1,', b'{"format":8,', 1))
        self.refused(FAILED, "newer than this program", "import", "newer", "--data-dir",
                     "made")
        self.assertFalse(os.path.exists(self.path("made")))


if __name__ == "__main__":
    unittest.main()
