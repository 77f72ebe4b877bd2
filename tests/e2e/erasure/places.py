"""Where a text is: in the files below a folder, and in the memory of a process."""

import contextlib
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


def _resident(pid):
    """(begin, end, name) of each mapping that the process may write to and that has pages."""
    with open(f"/proc/{pid}/smaps") as smaps:
        mapping = None
        for line in smaps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            if found:
                mapping = (int(found[1], 16), int(found[2], 16), found[4])
                writable = found[3][1] == "w"
            elif line.startswith("Rss:") and writable and line.split()[1] != "0":
                yield mapping


def _pages(pagemap, begin, end):
    """(begin, end) of what is there of a mapping, which may be far larger: a sanitizer's is."""
    size, most, first = os.sysconf("SC_PAGE_SIZE"), 1 << 20, begin
    while begin < end:
        pagemap.seek(begin // size * 8)
        entries = memoryview(pagemap.read(min(most, (end - begin) // size) * 8)).cast("Q")
        if not len(entries):
            return  # so it is of a process that has ended, too
        for at in range(0, len(entries), CHUNK // size):
            if any(entries[at:at + CHUNK // size]):
                first = begin + at * size
                yield first, min(first + CHUNK, begin + len(entries) * size)
        begin += len(entries) * size


def in_memory(pid, *marks, skip=()):
    """[(mapping, address, what is around it)] of the marks, which are in lower case, in all that
    the process may write to. skip: names of mappings that are not looked at."""
    wanted = [mark.encode() for mark in marks]
    places = []
    with contextlib.ExitStack() as opened:
        try:
            mappings = list(_resident(pid))
            memory, pagemap = (opened.enter_context(open(f"/proc/{pid}/{name}", "rb", 0))
                               for name in ("mem", "pagemap"))
        except OSError:
            return []  # it has ended
        for begin, end, name in mappings:
            if name in skip or end - begin > 1 << 40:  # a sanitizer's, of what is where
                continue
            for first, last in list(_pages(pagemap, begin, end)):
                try:
                    memory.seek(first)
                    data = memory.read(last - first).lower()
                except (OSError, ValueError, OverflowError):
                    continue  # given back meanwhile
                for mark in wanted:
                    at = data.find(mark)
                    while at >= 0:
                        around = data[max(0, at - AROUND):at + len(mark) + AROUND]
                        places.append((name, first + at, around))
                        at = data.find(mark, at + 1)
    return places


def texts(*marks):
    """Patterns of each, in any case, as it is and in UTF-16."""
    return [re.compile(re.escape(each), re.IGNORECASE)
            for mark in marks for each in (mark.encode(), mark.encode("utf-16-le"))]


def told(places, most=12):
    """For the message of a failure."""
    return f"{len(places)} places:\n" + "\n".join(
        f"{where} at {offset:#x}: {around!r}" for where, offset, around in places[:most])
