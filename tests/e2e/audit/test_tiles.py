"""GET /checkpoint, /tile/… and /log/{sequence}/proof, held against a tree that is computed
here, of the records' bytes."""

import threading
import unittest

import proofs
from audited import MSGPACK, Log
from harness import Client

SIZES = (0, 1, 255, 256, 257, 511, 513)
NOT_CANONICAL = (
    "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile//000", "/tile/0//000",
    "/tile/0/000/", "/tile/0/000.p/1/", "/tile/0/000.p", "/tile/0/000.p/",
    "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/000.p/01", "/tile/0/000.p/+1",
    "/tile/0/000.p/x", "/tile/0/000.p1", "/tile/0/000/1", "/tile/0/0", "/tile/0/00",
    "/tile/0/0000", "/tile/0/x000/000", "/tile/0/x000", "/tile/0/X001/000",
    "/tile/0/1/000", "/tile/0/x1/000", "/tile/0/001/000", "/tile/0/-01", "/tile/0/%30%30%30",
    "/tile/%30/000", "/tile/00/000", "/tile/01/000", "/tile/-1/000", "/tile/+0/000",
    "/tile/64/000", "/tile/256/000", "/tile/x/000", "/tile/0/000.P/1", "/tile/0/000%2ep/1",
    "/tile/0/x999/x999/x999/x999/x999/x999/999", "/tile/0/x018/x446/x744/x073/x709/x551/616",
    "/tile/%zz/000", "/tile/0/%zz", "/tile/entries", "/tile/entries/", "/tile/entries/0",
    "/tile/entries/000/", "/tile/entries/000.p/0", "/tile/entries/000.p/256",
    "/tile/entries/x000/000", "/tile/Entries/000", "/tile/entries/0/000", "/checkpoint/",
    "/Checkpoint")


class Sizes(Log):
    def test_each_size_is_as_it_is_computed(self):
        for size in SIZES:
            self.grow(size)
            with self.subTest(size=size):
                self.hold_root(size)
                self.hold_tiles(size)
                self.hold_proofs(size)
                self.hold_what_is_not_there(size)

    def hold_root(self, size):
        found = self.checkpoint()
        self.assertEqual((found.size, found.root), (size, proofs.root(self.leaves)))

    def hold_tiles(self, size):
        for level, n, width in proofs.tiles(size):
            whole = proofs.tile(level, n, width, self.leaves)
            for part in {1, width // 2, width - 1, width} - {0}:
                self.assertEqual(self.raw(proofs.tile_path(level, n, part)),
                                 whole[:part * 32])
            if level == 0:
                self.assertEqual(self.raw(proofs.tile_path("entries", n, width)),
                                 proofs.bundle(n, width, self.entries))

    def hold_proofs(self, size):
        for index in {0, 1, size // 2, 254, 255, 256, size - 1}:
            if not 0 <= index < size:
                continue
            answer = self.client.get(f"/log/{index + 1}/proof")
            self.assertEqual((answer.status, answer.headers["Content-Type"]),
                             (200, "text/plain; charset=utf-8"))
            proof = proofs.Proof(answer.body)
            self.assertEqual((proof.index, proof.checkpoint.size), (index, size))
            self.assertEqual(proof.hashes, proofs.path(index, self.leaves))
            self.assertTrue(proof.proves(self.records[index]))
            self.assertFalse(proof.proves(self.records[index] + b"x"))
            self.assertTrue(proof.checkpoint.signed_by(self.key()))

    def hold_what_is_not_there(self, size):
        full, rest = divmod(size, 256)
        for path in (proofs.tile_path(0, full), proofs.tile_path("entries", full),
                     proofs.tile_path(0, full, rest + 1) if rest < 255 else "/tile/0/900",
                     proofs.tile_path(1, 0, full + 1), proofs.tile_path(2, 0, 1),
                     proofs.tile_path(63, 0, 1), proofs.tile_path(0, 2 ** 55)):
            self.assert_refused(self.client.get(path), 404, "no such tile")
        self.assert_refused(self.client.get(f"/log/{size + 1}/proof"), 404, "no record")


class Paths(Log):
    def test_only_the_canonical_path_is_one(self):
        self.grow(256)
        self.checkpoint()
        for path in NOT_CANONICAL:
            with self.subTest(path=path):
                self.assert_refused(self.client.get(path), 404)
        self.assertEqual(len(self.raw("/tile/0/000")), 8192)

    def test_the_head_alone_says_the_same(self):
        self.grow(257)
        self.checkpoint()
        for path in ("/checkpoint", "/tile/0/000", "/tile/entries/000", "/tile/1/000.p/1",
                     "/log/5/proof"):
            whole, head = self.client.get(path), self.client.request("HEAD", path)
            self.assertEqual((whole.status, head.status, head.body), (200, 200, b""))
            for name in ("Content-Length", "Content-Type", "Cache-Control"):
                self.assertEqual(head.headers[name], whole.headers[name], (path, name))

    def test_what_never_changes_may_be_kept(self):
        self.grow(3)
        self.checkpoint()
        self.assertEqual(self.client.get("/tile/0/000.p/3").headers["Cache-Control"],
                         "public, max-age=31536000, immutable")

    def test_hashes_are_not_compressed(self):
        self.grow(256)
        self.checkpoint()
        answer = self.client.get("/tile/0/000", Accept_Encoding="gzip, zstd")
        self.assertEqual((len(answer.body), answer.headers["Content-Encoding"]), (8192, None))

    def test_other_methods_are_refused(self):
        for path in ("/checkpoint", "/tile/0/000", "/log/1/proof"):
            self.assert_refused(self.client.post(path, {}), 405)

    def test_bytes_are_given_where_they_are_asked_for(self):
        self.grow(1)
        for accept in ("*/*", "application/json", f"{MSGPACK};q=0.5, application/json"):
            self.assertEqual(self.client.get("/log/1", Accept=accept).headers["Content-Type"],
                             "application/json")
        self.assert_refused(self.client.get("/log/999999", Accept=MSGPACK), 404, "no record")


class Writers(Log):
    WRITERS = 32

    def test_what_is_told_while_32_write_is_of_one_log(self):
        stop, failures, seen = threading.Event(), [], []
        threads = [threading.Thread(target=self.write, args=(number, stop, failures))
                   for number in range(self.WRITERS)]
        for each in threads:
            each.start()
        try:
            for _ in range(4):
                seen.append(self.checkpoint())
                self.hold(seen[-1])
        finally:
            stop.set()
            for each in threads:
                each.join()
        self.assertEqual(failures, [])
        self.assertGreater(seen[-1].size, seen[0].size)
        self.records = []
        self.grow(seen[-1].size)
        for each in seen:
            self.assertEqual(proofs.root(self.leaves[:each.size]), each.root)

    def write(self, number, stop, failures):
        client = Client(self.server.port)
        try:
            n = 0
            while not stop.is_set():
                n += 1
                answer = client.post("/events", {
                    "event_type": "click", "anonymous_id": f"w{number}-{n}"})
                if answer.status != 201:
                    failures.append(answer.body)
                    return
        except OSError as error:
            failures.append(error)
        finally:
            client.close()

    def hold(self, checkpoint):
        """The root, by the tiles of level 0 alone; and one proof."""
        leaves = b"".join(self.raw(proofs.tile_path(level, n, width))
                          for level, n, width in proofs.tiles(checkpoint.size) if level == 0)
        leaves = [leaves[at:at + 32] for at in range(0, len(leaves), 32)]
        self.assertEqual(proofs.root(leaves), checkpoint.root)
        if checkpoint.size > 0:
            record = self.client.get(f"/log/{checkpoint.size}", Accept=MSGPACK).body
            answer = self.client.get(f"/log/{checkpoint.size}/proof")
            self.assertTrue(proofs.Proof(answer.body).proves(record))


if __name__ == "__main__":
    unittest.main()
