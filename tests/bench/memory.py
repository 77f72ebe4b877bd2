"""What a process holds in memory beside LMDB's mapped pages, from /proc."""

import re

_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ")


def resident_mib(pid):
    """(everything but the pages of data.mdb, those pages) in MiB."""
    own = mapped = 0
    of_log = False
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            if _MAPPING.match(line):
                of_log = line.rstrip().endswith("/data.mdb")
            elif line.startswith("Rss:"):
                kib = int(line.split()[1])
                mapped += kib if of_log else 0
                own += 0 if of_log else kib
    return own / 1024, mapped / 1024
