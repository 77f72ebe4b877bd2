"""A disk that fails when it is told to, under a program that runs: tests/faults/disk.c,
preloaded. The layout of what both have mapped is that of tests/faults/disk.h."""

import errno
import mmap
import os
import struct

SHIM = os.environ["DAYBOOK_DISK_SHIM"]

CALLS = ("write", "sync", "meta", "head", "copy", "read", "directory")
HOW = ("nothing", "all", "half", "late")
FAULT = struct.Struct("<6I")  # calls, error, how, skip, times, seen
FAULTS = 4
COUNTS = FAULTS * FAULT.size
FAILED = COUNTS + 4 * len(CALLS)
FOREVER = 0xffffffff


class Disk:
    """The disk of the programs whose environment this is put into."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "disk")
        self.record = os.path.join(directory, "disk.record")
        with open(self.path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.used = 0

    def environment(self, record=False):
        options = os.environ.get("ASAN_OPTIONS")
        return {"LD_PRELOAD": SHIM, "DAYBOOK_DISK": self.path,
                # It is loaded before the sanitizer, and does without it.
                "ASAN_OPTIONS": (options + ":" if options else "") + "verify_asan_link_order=0",
                **({"DAYBOOK_DISK_RECORD": self.record} if record else {})}

    def fail(self, *calls, error=errno.EIO, how="nothing", skip=0, times=FOREVER):
        """From now on these calls fail, but for the first `skip`, and then `times` of
        them. nothing: it did nothing; all: it was done all the same; half: half was; late,
        of a sync: it does not come back before heal()."""
        bits = sum(1 << CALLS.index(call) for call in calls)
        at = self.used * FAULT.size
        self.used += 1
        FAULT.pack_into(self.map, at, 0, error, HOW.index(how), skip, times, 0)
        struct.pack_into("<I", self.map, at, bits)

    def heal(self):
        for i in range(FAULTS):
            struct.pack_into("<I", self.map, i * FAULT.size, 0)
        self.used = 0

    def count(self, call):
        return struct.unpack_from("<I", self.map, COUNTS + 4 * CALLS.index(call))[0]

    @property
    def failed(self):
        """How many calls did fail."""
        return struct.unpack_from("<I", self.map, FAILED)[0]

    def close(self):
        self.map.close()
