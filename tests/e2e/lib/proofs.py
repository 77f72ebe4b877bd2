"""The Merkle tree of RFC 6962 over a log, checkpoints and proofs, as C2SP has them: written
anew from these, so that nothing here agrees with the program by being its own."""

import base64
import hashlib
import os
import subprocess
import tempfile


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf(entry):
    return sha256(b"\0" + entry)


def node(left, right):
    return sha256(b"\1" + left + right)


def _split(count):
    """The largest power of two below it."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(index, leaves):
    """PATH(m, D[n]) of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [root(leaves[k:])]
    return path(index - k, leaves[k:]) + [root(leaves[:k])]


def root_by_path(entry, index, size, hashes):
    """Source: RFC 9162, 2.1.3.2. None: the path is none of this index."""
    fn, sn, value = index, size - 1, leaf(entry)
    for each in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            value = node(each, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node(value, each)
        fn, sn = fn >> 1, sn >> 1
    return value if sn == 0 else None


def number(n):
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.append(f"x{n % 1000:03}")
    return "/".join(reversed(groups))


def tile_path(level, n, width=256):
    """level may be "entries"."""
    return f"/tile/{level}/{number(n)}" + (f".p/{width}" if width < 256 else "")


def tiles(size):
    """(level, n, width) of every tile that a tree of this size has."""
    level, hashes = 0, size
    while hashes:
        for n in range(hashes // 256):
            yield level, n, 256
        if hashes % 256:
            yield level, hashes // 256, hashes % 256
        level, hashes = level + 1, hashes // 256


def tile(level, n, width, leaves):
    step = 256 ** level
    first = n * 256
    return b"".join(root(leaves[i * step:(i + 1) * step])
                    for i in range(first, first + width))


def bundle(n, width, entries):
    return b"".join(len(each).to_bytes(2, "big") + each
                    for each in entries[n * 256:n * 256 + width])


class Checkpoint:
    def __init__(self, note):
        self.text, signatures = note.split(b"\n\n")
        self.text += b"\n"
        origin, size, hashed, end = self.text.split(b"\n")
        assert end == b"" and signatures.endswith(b"\n"), note
        self.origin, self.size = origin.decode(), int(size)
        self.root = base64.b64decode(hashed, validate=True)
        self.signatures = signatures.decode().splitlines()

    def signed_by(self, vkey):
        """Whether the signature of this key is there and right, by OpenSSL."""
        name, key_id, key = vkey.split("+", 2)
        key = base64.b64decode(key, validate=True)
        assert key[0] == 1 and len(key) == 33
        assert sha256(name.encode() + b"\n" + key)[:4].hex() == key_id
        for line in self.signatures:
            dash, signer, signature = line.split(" ")
            signature = base64.b64decode(signature, validate=True)
            if (dash, signer, signature[:4].hex()) == ("—", name, key_id):
                return self.origin == name and _verify(key[1:], self.text, signature[4:])
        return False


ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what stands before the key


def _verify(key, text, signature):
    with tempfile.TemporaryDirectory() as place:
        for name, data in (("key", ED25519 + key), ("text", text), ("sig", signature)):
            with open(os.path.join(place, name), "wb") as file:
                file.write(data)
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key",
             "-rawin", "-in", "text", "-sigfile", "sig"],
            cwd=place, capture_output=True).returncode == 0


class Proof:
    """A file NAME.tlog-proof."""

    def __init__(self, text):
        head, self.note = text.split(b"\n\n", 1)
        version, index, *hashes = head.split(b"\n")
        assert version == b"c2sp.org/tlog-proof@v1", version
        assert index.startswith(b"index "), index
        self.index = int(index[len(b"index "):])
        self.hashes = [base64.b64decode(each, validate=True) for each in hashes]
        self.checkpoint = Checkpoint(self.note)

    def proves(self, record):
        """Whether it proves that these bytes are in the log of its checkpoint."""
        return root_by_path(sha256(record), self.index, self.checkpoint.size,
                            self.hashes) == self.checkpoint.root
