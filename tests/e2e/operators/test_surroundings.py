"""Whatever the shell is like that it is started from: a temporary directory on another file
system, no HOME, a locale with other rules for letters, a tight umask, and paths with all that
a shell takes for its own."""

import os
import shutil
import stat
import tempfile
import unittest

from fold import check_reads
from harness import PROGRAM, Server

NAME = "it's a \"$dir\" of İlkay"


class Surroundings(unittest.TestCase):
    def server(self, locale):
        server = Server(private=True)
        self.addCleanup(server.close)
        self.top = server.data_dir
        self.addCleanup(shutil.rmtree, self.top, True)
        elsewhere = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.addCleanup(shutil.rmtree, elsewhere, True)
        os.chmod(elsewhere, 0o777)
        server.data_dir = self.path("data")
        os.mkdir(server.data_dir)
        os.chmod(server.data_dir, 0o711)  # an unprivileged PostgreSQL gets in
        server.log.close()
        server.log = open(os.path.join(server.data_dir, "serve.log"), "ab")
        del server.env["HOME"]
        server.env.update(TMPDIR=elsewhere, LANG=locale, LC_ALL=locale)
        server.program = ["sh", "-c", 'umask 077; exec "$@"', "sh", PROGRAM]
        return server

    def path(self, name):
        return os.path.join(self.top, f"{NAME} {name}")

    def test_all_works(self):
        for locale in ("tr_TR.UTF-8", "C"):
            with self.subTest(locale=locale):
                self.check(self.server(locale).start())

    def check(self, server):
        client = server.client()
        made = client.post("/persons", {"email": "INFO@x.test", "first_name": "İI",
                                        "last_name": "ıi", "properties": {"n": 1.5}})
        self.assertEqual(made.status, 201, made.details)
        server.wait_for(lambda: client.get("/persons?email=info@X.test").status == 200, "reads")
        self.assertEqual(client.get("/persons?email=info@X.test").data[0]["id"],
                         made.data["id"])
        check_reads(server, server.log_records())
        server.run("rebuild")
        server.run("verify", "--projection")
        server.run("backup", self.path("backup"))
        server.run("export", self.path("log.ndjson.zst"))
        server.run("export", "--unseal", self.path("log.csv.gz"))
        server.run("token", "create", "t", "--scope", "read")
        kept = os.stat(os.path.join(server.data_dir, "tokens"))
        self.assertEqual(stat.S_IMODE(kept.st_mode), 0o600)
        server.stop()
        records = server.run("log", "list", "--json").stdout
        for number, copy in enumerate((["restore", self.path("backup")],
                                       ["import", self.path("log.ndjson.zst")])):
            to = self.path(f"copy {number}")
            if "import" in copy:
                server.bring_keys(to)
            server.run(*copy, "--data-dir", to)
            self.assertEqual(server.run("log", "list", "--json", "--data-dir", to).stdout,
                             records)


if __name__ == "__main__":
    unittest.main()
