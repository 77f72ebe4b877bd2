"""A witness as c2sp.org/tlog-witness has it, in memory, which can be told to misbehave; and
what a test needs of c2sp.org/signed-note and RFC 6962 to say what is right."""

import base64
import hashlib
import http.server
import struct
import threading
import time

import ed25519

LOG, WITNESS = 1, 4  # types of keys
EMPTY = hashlib.sha256(b"").digest()


def b64(data):
    return base64.b64encode(data).decode()


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name, kind, public):
    return f"{name}+{key_id(name, kind, public).hex()}+{b64(bytes([kind]) + public)}"


class Note:
    """A signed note, taken apart: text, and (name, id, signature) of each line."""

    def __init__(self, raw):
        text, _, lines = raw.rpartition("\n\n")
        self.text = text + "\n"
        self.signatures = []
        for line in lines.splitlines():
            dash, name, encoded = line.split(" ")
            assert dash == "\u2014", line
            data = base64.b64decode(encoded, validate=True)
            self.signatures.append((name, data[:4], data[4:]))
        self.origin, size, root = self.text.splitlines()[:3]
        self.size = int(size)
        self.root = base64.b64decode(root, validate=True)

    def names(self):
        return [name for name, _, _ in self.signatures]

    def signed_by(self, key):
        """Whether the vkey's signature is there; a wrong one is an error."""
        name, _, encoded = key.split("+", 2)
        data = base64.b64decode(encoded, validate=True)
        kind, public = data[0], data[1:]
        for other, number, signature in self.signatures:
            if (other, number) != (name, key_id(name, kind, public)):
                continue
            message = self.text.encode()
            if kind == WITNESS:
                seconds, = struct.unpack(">Q", signature[:8])
                message = b"cosignature/v1\ntime %d\n" % seconds + message
                signature = signature[8:]
            if not ed25519.verify(public, signature, message):
                raise ValueError(f"wrong signature of {name}")
            return True
        return False


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def extends(old, old_root, size, root, proof):
    """RFC 9162, 2.1.4.2."""
    if old in (0, size):
        return not proof and (old == 0 or old_root == root)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        return False
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(step, first), node(step, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root


class Witness:
    """fault: None, or how it answers: "slow", "badsig", "409loop", "garbage", "flood", a
    status, or a function of (status, body) that makes another of them."""

    def __init__(self, name, logs=()):
        self.name = name
        self.seed = hashlib.sha256(name.encode()).digest()
        self.vkey = vkey(name, WITNESS, ed25519.public_key(self.seed))
        self.logs = list(logs)  # vkeys
        self.size, self.root = 0, EMPTY
        self.fault = None
        self.delay = 30
        self.asked = []  # (old, size, status) of each request
        self.lock = threading.Lock()
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    witness.answer(self, self.path, body)
                except OSError:  # it was not waited for
                    self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked did not wait

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/w"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def line(self):
        """Of a policy."""
        return f"witness {self.name} {self.vkey} {self.url}\n"

    def answer(self, handler, path, body):
        with self.lock:
            status, said = self.judge(body) if path == "/w/add-checkpoint" else (404, "no\n")
            fault, delay = self.fault, self.delay
        kind = "text/x.tlog.size" if status == 409 else "text/plain"
        if fault == "slow":
            time.sleep(delay)
        elif fault == "badsig" and status == 200:
            data = bytearray(base64.b64decode(said.split()[2]))
            data[30] ^= 1
            said = f"\u2014 {self.name} {b64(bytes(data))}\n"
        elif fault == "409loop":
            status, said, kind = 409, f"{len(self.asked) % 2}\n", "text/x.tlog.size"
        elif fault == "garbage":
            status, said = 200, "\u2014 \x00 not base64!\n" * 100
        elif fault == "flood":
            status, said = 200, "\u2014 a b\n" * 100_000
        elif isinstance(fault, int):
            status, said = fault, "so it is told\n"
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(said.encode())))
        if status in (301, 302, 307, 308):
            handler.send_header("Location", self.url + "/add-checkpoint")
        handler.end_headers()
        handler.wfile.write(said.encode())

    def judge(self, body):
        head, _, raw = body.partition("\n\n")
        first, *hashes = head.split("\n")
        old = int(first.removeprefix("old "))
        note = Note(raw)
        status, said = self.decide(old, [base64.b64decode(h, validate=True) for h in hashes],
                                   note)
        self.asked.append((old, note.size, status))
        return status, said

    def decide(self, old, proof, note):
        known = [log for log in self.logs if log.split("+")[0] == note.origin]
        if not known:
            return 404, "unknown log\n"
        if not any(note.signed_by(log) for log in known):
            return 403, "unknown key\n"
        if old > note.size:
            return 400, "old is larger\n"
        if old != self.size:
            return 409, f"{self.size}\n"
        if not extends(old, self.root, note.size, note.root, proof):
            return 422, "another history\n"
        self.size, self.root = note.size, note.root
        return 200, self.cosign(note.text)

    def cosign(self, text, seconds=None):
        seconds = int(time.time()) if seconds is None else seconds
        message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        signature = struct.pack(">Q", seconds) + ed25519.sign(self.seed, message)
        public = ed25519.public_key(self.seed)
        return (f"\u2014 {self.name} "
                f"{b64(key_id(self.name, WITNESS, public) + signature)}\n")
