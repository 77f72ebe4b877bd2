"""The keys of a sealed log in its backups, and restored from there."""

import os
import shutil
import unittest

from harness import Server
from served import person
from test_keys import MARK, Sealed
from tools import DIFFERENT, DONE, FAILED

SLOT = 4096 + 5  # in the first key's, behind the ring's head


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


class BackedUp(Sealed):
    """With a server that runs, and has a person."""

    def setUp(self):
        super().setUp()
        self.backup = os.path.join(self.server.data_dir, "backup")
        self.server.start()
        self.one = self.add_person()

    def back_up(self, *arguments, status=DONE):
        done = self.server.run("backup", self.backup, *arguments, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def keys_in_backup(self):
        try:
            return sorted(os.listdir(os.path.join(self.backup, "keys")))
        except FileNotFoundError:
            return None

    def tear(self):
        """The slot of the first person's key."""
        with open(self.ring, "r+b") as file:
            file.seek(SLOT)
            file.write(b"torn")

    def damage(self, path):
        """The last record, and whatever else tells of the person."""
        mark = bytes.fromhex(self.one.replace("-", ""))
        data = bytearray(read(path))
        self.assertIn(mark, data)
        with open(path, "wb") as file:
            file.write(data.replace(b"\xc4\x10" + mark, b"\xc4\x10" + mark[::-1]))

    def restore(self, ring=None, status=DONE, other=None, **env):
        """Into a server of its own, with what of the keys is in the folder `ring`."""
        if not other:
            other = Server(env={name: value for name, value in self.server.env.items()
                                if name == "MASTER_KEY_FILE"} | env)
            self.addCleanup(other.close)
        if ring:
            shutil.copytree(ring, os.path.join(other.data_dir, "keys"))
        done = other.run("restore", self.backup, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return other, done

    def assert_restored(self, other):
        other.start()
        self.assertEqual(other.client().get(f"/persons/{self.one}").data["first_name"], MARK)
        self.assertEqual(other.client().post("/persons", person()).status, 201)


class Backups(BackedUp):
    """daybook backup."""

    def test_it_is_complete_and_says_what_that_means(self):
        done = self.back_up()
        self.assertEqual(self.keys_in_backup(), ["master", "ring"])
        self.assertIn("the ring and the master key, as of", done.stdout)
        self.assertIn("can still be read from this one, for as long as it is kept", done.stderr)
        for path in ("keys", "keys/ring", "keys/master"):
            mode = os.stat(os.path.join(self.backup, path)).st_mode
            self.assertEqual(mode & 0o077, 0, path)
        self.assertNotIn("is in no backup", self.server.run("status").stdout)
        other, done = self.restore()
        self.assertIn("those of the backup", done.stdout)
        self.assert_restored(other)

    def test_an_incremental_one_takes_the_keys_of_now(self):
        self.back_up("--incremental")
        self.server.run("keys", "rotate")
        self.one = self.add_person()
        self.back_up("--incremental")
        self.assertEqual(self.keys_in_backup(), ["master", "ring"])
        self.assert_restored(self.restore()[0])

    def test_what_is_refused_adds_nothing(self):
        self.back_up("--incremental")
        before = read(self.backup, "data.mdb")
        self.add_person()
        done = self.back_up("--incremental", "--without-keys", status=FAILED)
        self.assertIn("has keys from before", done.stderr)
        self.assertEqual(read(self.backup, "data.mdb"), before)

    def test_a_master_key_that_was_moved_away_goes_from_the_backup_too(self):
        self.back_up("--incremental")
        self.server.stop()
        master = os.path.join(self.server.data_dir, "elsewhere")
        shutil.move(os.path.join(self.keys, "master"), master)
        self.server.env["MASTER_KEY_FILE"] = master
        self.back_up("--incremental")
        self.assertEqual(self.keys_in_backup(), ["ring"])
        self.assert_restored(self.restore()[0])

    def test_a_lost_ring_keeps_nobody_from_a_backup_of_the_log(self):
        self.put_aside("ring")
        done = self.back_up(status=DIFFERENT)
        self.assertIn("without its keys, and nobody can read a name in it", done.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.backup, "data.mdb")))
        self.put_back("ring")
        self.assert_restored(self.restore(self.keys)[0])

    def test_a_copy_that_fails_leaves_no_key_behind(self):
        self.tear()
        done = self.back_up(status=DIFFERENT)
        self.assertIn("without its keys, and nobody can read a name in it", done.stderr)
        self.assertIsNone(self.keys_in_backup())

    def test_one_that_had_keys_keeps_those_where_the_copy_fails(self):
        self.back_up("--incremental")
        self.tear()
        done = self.back_up("--incremental", status=DIFFERENT)
        self.assertIn("not with the keys of now, but with those that it had", done.stderr)
        self.assertEqual(self.keys_in_backup(), ["master", "ring"])
        self.assert_restored(self.restore()[0])

    def test_a_run_killed_behind_the_ring_is_gone_on_with(self):
        self.back_up("--incremental")
        former = read(self.backup, "keys", "master")
        self.server.run("keys", "rotate")
        self.back_up("--incremental")
        os.rename(os.path.join(self.backup, "keys", "master"),
                  os.path.join(self.backup, "keys", "master.new"))
        with open(os.path.join(self.backup, "keys", "master"), "wb") as file:
            file.write(former)
        os.chmod(file.name, 0o600)
        self.server.run("keys", "rotate")
        self.tear()
        self.back_up("--incremental", status=DIFFERENT)
        self.assertEqual(self.keys_in_backup(), ["master", "ring"])
        self.assert_restored(self.restore()[0])

    def test_a_damaged_log_comes_with_its_keys(self):
        self.server.stop()
        self.damage(os.path.join(self.server.data_dir, "log", "data.mdb"))
        done = self.back_up(status=DIFFERENT)
        self.assertIn("its checksum is wrong", done.stderr)
        self.assertEqual(self.keys_in_backup(), ["master", "ring"])


class Keeping(BackedUp):
    """--keep: of those that have keys, and those that have none."""

    def take(self, name, *arguments, status=DONE):
        self.backup = os.path.join(self.server.data_dir, "backup" + name)
        return self.back_up("--keep", "1", *arguments, status=status)

    def assert_left(self, *names):
        self.assertEqual(sorted(name.removeprefix("backup")
                                for name in os.listdir(self.server.data_dir)
                                if name.startswith("backup")), list(names))

    def test_older_ones_are_removed_with_their_keys(self):
        self.take("1")
        self.take("2")
        self.assert_left("2")

    def test_none_is_removed_behind_one_whose_keys_failed(self):
        self.take("1")
        self.tear()
        done = self.take("2", status=DIFFERENT)
        self.assertIn("no older one was removed", done.stderr)
        self.assert_left("1", "2")
        self.backup = self.backup[:-1] + "1"
        self.assert_restored(self.restore()[0])

    def test_the_last_that_has_keys_outlives_those_without(self):
        self.take("1")
        self.assertIn("backup1, the newest that has the keys",
                      self.take("2", "--without-keys").stdout)
        self.take("3", "--without-keys")
        self.assert_left("1", "3")
        self.take("4")
        self.assert_left("4")

    def test_one_with_another_file_among_its_keys_stays_as_it_is(self):
        self.take("1")
        with open(os.path.join(self.backup, "keys", "README"), "w", encoding="ascii"):
            pass
        self.take("2")
        self.assert_left("1", "2")
        self.backup = self.backup[:-1] + "1"
        self.assertEqual(self.keys_in_backup(), ["README", "master", "ring"])
        self.assertTrue(os.path.exists(os.path.join(self.backup, "data.mdb")))


class Restores(BackedUp):
    """daybook restore."""

    def test_without_keys_it_needs_the_ring_to_be_restored(self):
        self.back_up("--without-keys")
        self.assertIsNone(self.keys_in_backup())
        other, done = self.restore(status=FAILED)
        self.assertIn("into the data directory's keys, and run this again; or", done.stderr)
        self.assertIn("daybook export the log and daybook import that --without-keys",
                      done.stderr)
        self.assertFalse(os.path.exists(os.path.join(other.data_dir, "log")))
        self.server.stop()
        other, done = self.restore(self.keys, other=other)
        self.assertIn("those that were here", done.stdout)
        self.assert_restored(other)

    def test_a_master_key_that_is_kept_elsewhere_stays_there(self):
        self.server.stop()
        master = os.path.join(self.server.data_dir, "elsewhere")
        shutil.move(os.path.join(self.keys, "master"), master)
        self.server.env["MASTER_KEY_FILE"] = master
        self.server.start()
        done = self.back_up()
        self.assertEqual(self.keys_in_backup(), ["ring"])
        self.assertIn("until daybook keys rotate", done.stderr)
        self.assert_restored(self.restore()[0])

    def test_what_fails_leaves_no_keys_behind(self):
        self.back_up()
        self.damage(os.path.join(self.backup, "data.mdb"))
        other, _ = self.restore(status=DIFFERENT)
        self.assertFalse(os.path.exists(os.path.join(other.data_dir, "keys")))

    def test_where_the_ring_is_lost_for_good_the_rest_is_there(self):
        self.back_up("--without-keys")
        old, new = Server(), Server()
        for server in (old, new):
            self.addCleanup(server.close)
        os.mkdir(os.path.join(old.data_dir, "log"))
        shutil.copy2(os.path.join(self.backup, "data.mdb"), os.path.join(old.data_dir, "log"))
        export = os.path.join(old.data_dir, "export")
        old.run("export", export)
        new.run("import", export, "--without-keys")
        new.start()
        self.assertEqual(new.client().get(f"/persons/{self.one}").status, 410)
        self.assertEqual(new.client().post("/persons", person()).status, 201)
        self.assertIn(self.one, new.run("log", "show", "1").stdout)

    def other(self, **files):
        """A server of its own that has these keys already."""
        other = Server()
        self.addCleanup(other.close)
        keys = os.path.join(other.data_dir, "keys")
        os.mkdir(keys, 0o700)
        for name, data in files.items():
            path = os.path.join(keys, name)
            with open(path, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(data)
        return other, keys

    def test_another_master_key_is_not_written_over(self):
        self.back_up()
        for name in ("master", "master.new"):
            other, keys = self.other(**{name: b"9" * 64})
            _, done = self.restore(other=other, status=FAILED)
            for said in (f"{keys}/master", f"{self.backup}/keys/ring", "move it away"):
                self.assertIn(said, done.stderr)
            self.assertEqual(os.listdir(keys), [name])
            self.assertEqual(read(keys, name), b"9" * 64)

    def test_the_master_key_that_is_there_opens_the_ring_of_the_backup(self):
        self.back_up()
        master = read(self.keys, "master")
        os.remove(os.path.join(self.backup, "keys", "master"))
        other, keys = self.other(master=master)
        self.restore(other=other)
        self.assertEqual(sorted(os.listdir(keys)), ["master", "ring"])
        self.assertEqual(read(keys, "master"), master)
        self.assert_restored(other)

    def test_a_master_key_that_was_there_stays_where_it_fails(self):
        self.back_up()
        master = read(self.keys, "master")
        self.damage(os.path.join(self.backup, "data.mdb"))
        other, keys = self.other(master=master)
        self.restore(other=other, status=DIFFERENT)
        self.assertEqual(os.listdir(keys), ["master"])
        self.assertEqual(read(keys, "master"), master)

    def test_no_master_key_is_put_beside_one_that_is_configured(self):
        self.back_up()
        master = os.path.join(self.server.data_dir, "elsewhere")
        shutil.copy2(os.path.join(self.keys, "master"), master)
        other, _ = self.restore(MASTER_KEY_FILE=master)
        self.assertEqual(os.listdir(os.path.join(other.data_dir, "keys")), ["ring"])
        self.assert_restored(other)

    def test_a_configured_master_key_of_another_is_told(self):
        self.back_up()
        master = os.path.join(self.server.data_dir, "elsewhere")
        with open(master, "w", encoding="ascii") as file:
            file.write("9" * 64)
        os.chmod(master, 0o600)
        other, done = self.restore(MASTER_KEY_FILE=master, status=FAILED)
        self.assertIn(f"the one there that does, {self.backup}/keys/master", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(other.data_dir, "keys")))


if __name__ == "__main__":
    unittest.main()
