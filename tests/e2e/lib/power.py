"""The power is cut under a server that writes. What tests/faults/disk.c has recorded of its
writes is played back, to any point, and of what was not synced by then the disk has got all,
nothing or something: in whatever order, and of a page perhaps a sector only.

Of one thing the disk is trusted, as LMDB trusts it: a sector of 512 bytes is written or not.
What LMDB changes of a meta page lies in one sector."""

import json
import os
import shutil
import struct
import subprocess
import tempfile
import threading

from tools import environment
from writes import Author

LOOK = os.environ["DAYBOOK_LOOK"]
RECORD = struct.Struct("<IIQ")  # as in tests/faults/disk.h: what, length, offset
SECTOR = 512


class Operation:
    def __init__(self, what, offset, data, end):
        self.what, self.offset, self.data = what, offset, data
        self.end = end       # how long the recording was after it
        self.failed = False  # a meta page whose write was told to have failed


def recording(path):
    with open(path, "rb") as file:
        whole = file.read()
    operations, at = [], 0
    while at < len(whole):
        what, length, offset = RECORD.unpack_from(whole, at)
        at += RECORD.size + length
        operations.append(Operation(chr(what), offset, whole[at - length:at], at))
    assert at == len(whole), "the recording is cut"
    for one, following in zip(operations, operations[1:]):
        one.failed = one.what == "B" and following.what != "E"
    return operations


def put(image, offset, data):
    if len(image) < offset + len(data):
        image.extend(bytes(offset + len(data) - len(image)))
    image[offset:offset + len(data)] = data


def put_some(image, offset, data, chance):
    """A sector or not."""
    for at in range(0, len(data), SECTOR):
        if chance.random() < 0.5:
            put(image, offset + at, data[at:at + SECTOR])


class Playback:
    """The disk after each operation: what it has for certain, and what it may have."""

    def __init__(self, chance, reached):
        self.chance, self.reached = chance, reached
        self.certain = bytearray()
        self.pending = []  # [(offset, data)], in the order they were written
        self.begun = None  # a write through O_DSYNC that has not ended
        self.synced = 0    # how often
        self.doubt = False  # a commit failed, and nobody knows whether it happened

    def play(self, operation):
        if self.begun and operation.what != "E":
            self.settle_begun()
        if operation.what == "W":
            self.pending.append((operation.offset, operation.data))
        elif operation.what == "S":
            for offset, data in self.pending:
                put(self.certain, offset, data)
            self.pending = []
            self.synced += 1
        elif operation.what == "L":
            # The system takes what it could not write for written: no later sync helps.
            for offset, data in self.pending:
                put_some(self.certain, offset, data, self.chance)
            self.pending = []
        elif operation.what == "B":
            self.begun = (operation.offset, operation.data)
            self.doubt = self.doubt or operation.failed
        elif operation.what == "E":
            put(self.certain, *self.begun)
            self.begun = None
            self.doubt = False

    def settle_begun(self):
        """It failed: it may be on the disk all the same."""
        if self.chance.random() < self.reached:
            put(self.certain, *self.begun)
        self.begun = None

    def image(self, kind):
        """What the disk may have where the power is cut now."""
        image = bytearray(self.certain)
        writes = self.pending + ([self.begun] if self.begun else [])
        if kind == "something":
            writes = [write for write in writes if self.chance.random() < 0.5]
        elif kind == "beginning":
            writes = writes[:self.chance.randint(0, len(writes))]
        elif kind == "nothing":
            writes = []
        for offset, data in writes[:-1] if kind != "all" else writes:
            put(image, offset, data)
        if kind != "all" and writes:
            # In the order in which they were written, the last one is torn; and the begun
            # one is the only one of its kind, so whether it is there is tossed too.
            put_some(image, *writes[-1], self.chance)
        return image


KINDS = ("nothing", "all", "beginning", "something")


class Looker:
    """Tells what a log has that was found with these bytes on the disk."""

    def __init__(self):
        home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="daybook-power-", dir=home)
        self.log = os.path.join(self.dir, "log")
        self.process = subprocess.Popen([LOOK], stdin=subprocess.PIPE, env=environment(),
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, directory):
        print(directory, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def look(self, image):
        shutil.rmtree(self.log, ignore_errors=True)
        os.mkdir(self.log, 0o700)
        with open(os.path.join(self.log, "data.mdb"), "wb") as file:
            file.write(image)
        return self.ask(self.log)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Writers:
    """Clients that write, and note how long the recording was when they had an answer: all
    that was acknowledged by then must be in it."""

    def __init__(self, server, disk, chance, clients, count):
        self.server, self.disk, self.count = server, disk, count
        self.acknowledged = []  # (length of the recording, sequence)
        self.refused = 0
        self.errors = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(
            target=self.run, daemon=True, args=(Author(chance, f"w{i}"),))
            for i in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def join(self):
        for thread in self.threads:
            thread.join()
        assert not self.errors, self.errors[:3]

    def run(self, author):
        client = self.server.client()
        try:
            for _ in range(self.count):
                self.write(client, author)
        except Exception as error:  # told by the main thread
            self.errors.append(f"{type(error).__name__}: {error}")

    def write(self, client, author):
        with self.lock:
            write = author.next()
        answer = client.request(write.method, write.path, write.body, write.headers)
        length = os.path.getsize(self.disk.record)
        promised = write.acknowledged(answer)
        if promised is None:
            assert answer.status == 503, (answer.status, answer.body)
            self.refused += 1
            return
        with self.lock:
            author.learn(write, answer)
            self.acknowledged += [(length, sequence) for _, sequence in promised]


def check_cut(found, final, least, playback, where):
    """That what is found after the cut is a beginning of the whole log, with all that was
    acknowledged; a commit that failed may be there, too, and others have its place later.
    """
    if "refused" in found:
        # Only while LMDB makes the file, before its first sync, is there nothing to open.
        assert playback.synced == 0 and least == 0, (where, found)
        return 0
    assert found["findings"] == 0, (where, found["findings"])
    assert found["head"] >= least, (where, f"{found['head']} records, not {least}")
    sure = least if playback.doubt else found["head"]
    assert found["checksums"][:sure] == final[:sure], (where, "other records")
    return found["head"]


def cut_everywhere(operations, acknowledged, final, looker, chance, pick, reached=0.5,
                   before=b"", least=0):
    """Cut after each operation that is picked, in each kind of way; how many cuts. reached:
    how probable it is that a meta page is on the disk whose write was told to have failed.
    before: the file that was there, with so many records at least.
    """
    playback, cuts = Playback(chance, reached), 0
    playback.certain.extend(before)
    acknowledged = sorted(acknowledged)
    for place, operation in enumerate(operations):
        playback.play(operation)
        while acknowledged and acknowledged[0][0] <= operation.end:
            least = max(least, acknowledged.pop(0)[1])
        if not pick(playback):
            continue
        for kind in KINDS:
            found = looker.look(playback.image(kind))
            head = check_cut(found, final, least, playback, (place, operation.what, kind))
            cuts += 1
            if kind == "nothing" and operation.what == "E":
                least = max(least, head)  # committed, whoever has heard of it
    assert not acknowledged, "acknowledged before it was recorded"
    return cuts
