"""Where a text is: in the files below a folder, and in the memory of a process."""

import os
import re

CHUNK = 1 << 24
AROUND = 60


def _found(data, patterns):
    for pattern in patterns:
        for match in pattern.finditer(data):
            yield match.start(), data[max(0, match.start() - AROUND):match.end() + AROUND]


def in_files(folder, patterns, skip=()):
    """[(path, offset, what is around it)]; a file that is gone meanwhile has nothing. skip:
    names of files in folder that are not looked at."""
    places = []
    for here, folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            if os.path.relpath(path, folder) in skip or not os.path.isfile(path):
                continue
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except OSError:
                continue
            places += [(path, offset, around) for offset, around in _found(data, patterns)]
        for name in folders + names:  # a name is as telling
            if any(pattern.search(os.fsencode(name)) for pattern in patterns):
                places.append((os.path.join(here, name), -1, b""))
    return places


def in_memory(pid, patterns):
    """[(mapping, address, what is around it)] of all that the process may write to."""
    places = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \S+ *(.*)", line)
            if not found:
                continue
            begin, end = int(found[1], 16), int(found[2], 16)
            while begin < end:  # a megabyte of the next, for what lies across
                try:
                    memory.seek(begin)
                    data = memory.read(min(CHUNK, end - begin))
                except (OSError, ValueError, OverflowError):
                    break  # a page that is none
                if not data:
                    break
                places += [(found[3], begin + offset, around)
                           for offset, around in _found(data, patterns)]
                begin += len(data)
    return places


def texts(*marks):
    """Patterns of each, in any case, as it is and in UTF-16."""
    return [re.compile(re.escape(each), re.IGNORECASE)
            for mark in marks for each in (mark.encode(), mark.encode("utf-16-le"))]


def told(places, most=12):
    """For the message of a failure."""
    return f"{len(places)} places:\n" + "\n".join(
        f"{where} at {offset:#x}: {around!r}" for where, offset, around in places[:most])
