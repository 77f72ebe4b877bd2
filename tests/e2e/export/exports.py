"""Exports as these tests make and read them."""

import gzip
import os
import time

from tools import bare

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


def uncompressed(export):
    """The export, of a .gz too, as bare() has it."""
    if export.startswith(b"\x1f\x8b"):
        return bare(gzip.decompress(export))
    return bare(export)
