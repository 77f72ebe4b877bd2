"""Logs that were signed, and what a forger makes of them: for the tests of daybook audit and
of those that hold a log against what was signed."""

import hashlib
import json
import zlib

from tools import DONE, ToolCase

MAGIC = b"DAYBOOK EXPORT 1"
NAME = "a.example/log"
EVENTS = 600


def unpack(export):
    """The records of a msgpack export."""
    records, at = [], len(MAGIC)
    while True:
        length = int.from_bytes(export[at:at + 4], "big")
        if length == 0:
            return records
        records.append(export[at + 8:at + 8 + length])
        at += 8 + length


def pack(records, checkpoint=None):
    """An export of these, with every checksum as it must be: what a forger would make. With a
    checkpoint in its trailer; else as it was when there was none yet."""
    out = bytearray(MAGIC)
    for record in records:
        out += len(record).to_bytes(4, "big") + zlib.crc32(record).to_bytes(4, "big") + record
    trailer = json.dumps({"export": {
        "version": 1, "format": "msgpack", "records": len(records), "first": 1,
        "last": len(records), "whole": True, "sha256": hashlib.sha256(out).hexdigest()}},
        separators=(",", ":")).encode()
    if checkpoint is not None:
        told = json.dumps(checkpoint.decode(), ensure_ascii=False).encode()
        trailer = trailer.replace(b'"version":1', b'"version":2')[:-2] + \
            b',"source":{},"checkpoint":' + told
        trailer += b',"self":"%08x"}}' % zlib.crc32(trailer)
    return bytes(out + bytes(4) + len(trailer).to_bytes(4, "big") + trailer)


def fixed(record):
    """Where sequence, time and id stand (src/store/record/record_layout.h)."""
    behind = 3 + (record[2] & 31)  # the type
    return behind + 1, behind + 10, behind + 20


def numbered(records):
    """With the sequences that follow from their places."""
    out = []
    for number, record in enumerate(records, 1):
        at = fixed(record)[0]
        out.append(record[:at] + number.to_bytes(8, "big") + record[at + 8:])
    return out


def flipped(record, at):
    return record[:at] + bytes([record[at] ^ 1]) + record[at + 1:]


def changed(record):
    """A bit of its time is another."""
    return flipped(record, fixed(record)[1] + 7)


def renamed(record):
    """It has another id."""
    return flipped(record, fixed(record)[2] + 15)


def kind(record):
    return record[3:3 + (record[2] & 31)]


def leaf(record):
    return hashlib.sha256(b"\0" + hashlib.sha256(record).digest()).digest()


def root_by_proof(record, index, size, path):
    """RFC 9162, 2.1.3.2."""
    fn, sn, node = index, size - 1, leaf(record)
    for sibling in path:
        if fn & 1 or fn == sn:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    return node


class Audit(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("log", EVENTS)
        self.vkey = self.audit("init", "--origin", NAME).stdout.decode().strip()

    def audit(self, *arguments, data="log", status=DONE):
        return self.run_tool("audit", *arguments, "--data-dir", data, status=status)

    def checkpoint(self, name, data="log"):
        return self.write(name, self.audit("checkpoint", data=data).stdout)

    def verify(self, *arguments, status=DONE, data="log"):
        return self.audit("verify", *arguments, status=status, data=data).stdout.decode()

    def export_file(self, name, *arguments, data="log"):
        self.run_tool("export", name, "--data-dir", data, *arguments)
        return name

    def event(self, records):
        return next(one for one in reversed(records) if kind(one) == b"event.recorded")

    def records(self):
        return unpack(self.read(self.export_file("whole.msgpack")))
