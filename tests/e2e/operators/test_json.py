"""What --json prints has the keys and types that docs/json.md says: no more, no fewer."""

import json
import os
import re
import shutil
import unittest
from pathlib import Path

from harness import Server
from served import person
from signed import changed, pack, unpack
from tables import query
from tools import DIFFERENT, DONE, FAILED, ToolCase

PAGE = Path(__file__).resolve().parents[3] / "docs" / "json.md"
RECORDS = ("log",)  # whose lines are the API's


def read_page():
    """{command: {key: type}}, in the page's order."""
    tables = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        command = re.match(r"`daybook ([^`]+)`", part)[1]
        rows = re.findall(r"^\| `([^`]+)` \| ([a-z ]+?) \|", part, flags=re.M)
        tables[command] = dict(rows)
        assert len(rows) == len(tables[command]), f"{command}: a key comes twice"
    return tables


TABLES = read_page()


def type_of(value):
    if value is None:
        return "null"
    return {bool: "bool", int: "number", float: "number", str: "text", list: "list",
            dict: "object"}[type(value)]


def flatten(value, path=""):
    """Every key with the type of its value."""
    if path:
        yield path, type_of(value)
    if isinstance(value, dict):
        for key, one in value.items():
            yield from flatten(one, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                for key, inner in one.items():
                    yield from flatten(inner, f"{path}[].{key}")


def parent(key):
    return key.rsplit(".", 1)[0].removesuffix("[]") if "." in key else ""


class Json(ToolCase):
    def setUp(self):
        super().setUp()
        self.seen = set()

    def held(self, command, text, *beneath):
        """It prints what the page says of the command; beneath: of that part of it."""
        self.assertEqual(text.count("\n"), 1, text)
        value = json.loads(text)
        self.hold(TABLES[command], value, command)
        return value

    def hold(self, table, value, command):
        found = set()
        for key, type_ in flatten(value):
            self.assertIn(key, table, f"{command} prints what docs/json.md does not tell")
            self.assertIn(type_, table[key].split(" or "), (command, key))
            found.add(key)
        empty = {key for key, type_ in flatten(value) if type_ in ("list", "null")}
        if isinstance(value, list):
            empty.add("")
        for key in set(table) - found:
            above = parent(key)
            while above and above not in found:
                above = parent(above)
            self.assertIn(above, empty, f"{command} does not print {key}")

    def told(self, command, *arguments, status=DONE):
        done = self.run_tool(*command.split()[:1], *arguments, "--json", status=status)
        return done.stdout.decode()


class Log(Json):
    """What needs no PostgreSQL."""

    def setUp(self):
        super().setUp()
        self.generate("a", 300)

    def test_status_without_tables(self):
        text = self.told("status", "--data-dir", "a")
        self.assertIsNone(self.held("status", text)["tables"])

    def test_export_and_import_of_it(self):
        for arguments in ((), ("--type", "event.recorded", "--from", "5")):
            self.held("export FILE", self.told("export", "out" + str(len(arguments)),
                                               "--data-dir", "a", *arguments))
        self.held("import EXPORT", self.told("import", "out0", "--data-dir", "b"))
        self.run_tool("audit", "init", "--origin", "json.test/log", "--data-dir", "a")
        self.run_tool("audit", "checkpoint", "--data-dir", "a")
        found = self.held("export FILE", self.told("export", "out", "--data-dir", "a"))
        self.assertIn("json.test/log\n", found["export"]["checkpoint"])
        found = self.held("import EXPORT", self.told("import", "out", "--data-dir", "c"))
        self.assertEqual(len(found["checkpoints"]), 1)
        self.run_tool("backup", "signed", "--data-dir", "a")
        found = self.held("restore FROM", self.told("restore", "signed", "--data-dir", "d"))
        self.assertEqual(len(found["checkpoints"]), 1)

    def test_what_a_verification_finds(self):
        """Of a record changed by a forger, who has put all checksums right."""
        key = self.run_tool("audit", "init", "--origin", "json.test/log", "--data-dir",
                            "a").stdout.decode().strip()

        def audit(name, *arguments, data="a", status=DONE):
            text = self.told("audit", name, *arguments, "--data-dir", data, status=status)
            return self.held("audit " + name, text)

        now = audit("checkpoint")
        self.write("now", now["checkpoint"].encode())
        self.assertEqual(now["checkpoint"].split("\n")[:3],
                         ["json.test/log", str(now["records"]), now["root"]])
        self.assertEqual(audit("consistency", "now", "now"),
                         {"origin": "json.test/log", "old": now["records"],
                          "new": now["records"], "hashes": []})
        found = audit("verify", "--vkey", key, "--checkpoint", "now")
        self.assertTrue(found["right"] and found["checkpoints"][0]["holds"])
        self.assertEqual((found["records"], found["root"]), (now["records"], now["root"]))

        self.run_tool("export", "whole.msgpack", "--data-dir", "a")
        records = unpack(self.read("whole.msgpack"))
        records[99] = changed(records[99])
        self.write("forged.msgpack", pack(records))
        self.write("wrong", b"no checkpoint")
        found = audit("verify", "--vkey", key, "--checkpoint", "now", "--checkpoint", "wrong",
                      "--against", "whole.msgpack", "forged.msgpack", status=DIFFERENT)
        self.assertFalse(found["right"] or found["checkpoints"][0]["holds"])
        self.assertEqual(found["checkpoints"][0]["wrong_from"], 1)
        self.assertEqual(found["refused"][0]["path"], "wrong")
        self.assertEqual(found["changed"], [{"first": 100, "last": 100}])
        self.run_tool("import", "forged.msgpack", "--data-dir", "forged")
        shutil.copytree(self.path("a", "audit"), self.path("forged", "audit"))
        found = audit("verify", data="forged", status=DIFFERENT)
        self.assertEqual(found["hashed"], [{"first": 1, "last": 256}])
        self.write("cut", self.read("forged.msgpack")[:-500])
        found = audit("verify", "--vkey", key, "--checkpoint", "now", "cut", status=DIFFERENT)
        self.assertIn("cut short", found["broken"])

    def test_import_of_lists(self):
        self.write("persons", b'{"id": "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c", "email": '
                   b'"a@b.test", "first_name": "A", "last_name": "B", "datetime_created": '
                   b'"2015-09-12T00:00:00"}\n{}\n')
        found = self.held("import PERSONS [EVENTS]",
                          self.told("import", "persons", "--continue", "--data-dir", "c",
                                    status=DIFFERENT))
        self.assertEqual((found["persons_added"], found["bad_lines"]), (1, 1))

    def test_backups_and_a_restore(self):
        for arguments in ((), ("--incremental",)):
            self.held("backup TO", self.told("backup", "b", "--data-dir", "a", *arguments))
        self.held("backup --verify TO", self.told("backup", "b", "--verify"))
        self.held("backup list DIR", self.told("backup", "list", ".", "--data-dir", "a"))
        self.held("restore FROM", self.told("restore", "b", "--data-dir", "r"))
        found = self.held("status", self.told("status", "--data-dir", "a"))
        self.assertIsNotNone(found["last_backup"])

    def test_verify_of_a_right_and_a_damaged_log(self):
        self.held("verify", self.told("verify", "--data-dir", "a"))
        path = self.path("a", "log", "data.mdb")
        data = bytearray(self.read(path))
        data[data.rindex(b"person.created")] ^= 1
        self.write(path, data)
        found = self.held("verify", self.told("verify", "--data-dir", "a",
                                              status=DIFFERENT))
        self.assertGreater(len(found["findings"]), 0)

    def test_keys_and_witnesses_of_an_audit(self):
        key = self.run_tool("audit", "init", "--origin", "json.test/log", "--data-dir",
                            "a").stdout
        self.assertIn(b"json.test/log+", key)
        self.write("policy", b"witness w w.test+9fc21cdc+"
                   b"BFSuthGvUwHBkIj3dGHbMARxUMj8GCK0dqRsrXNhLPtD http://127.0.0.1:9/\n"
                   b"quorum w\n")
        self.held("audit cosign", self.told("audit", "cosign", "--data-dir", "a",
                                            "--audit-policy", "policy", status=FAILED))
        self.held("audit rotate-key",
                  self.told("audit", "rotate-key", "--data-dir", "a"))

    def test_keys(self):
        self.assertIsNone(self.told_keys("a")["ring"])
        self.write("persons", b'{"id": "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c", "email": '
                   b'"a@b.test", "first_name": "A", "last_name": "B", "datetime_created": "2015-09-12T00:00:00"}\n')
        self.run_tool("import", "persons", "--data-dir", "s", "--sealed")
        self.assertIsNone(self.told_keys("s")["ring"]["copy"])
        self.run_tool("keys", "backup", "copy", "--data-dir", "s")
        self.run_tool("keys", "rotate", "--data-dir", "s")
        found = self.told_keys("s")
        self.assertEqual((found["ring"]["used"], found["ring"]["epoch"]), (1, 2))
        self.assertIn("before the last rotation", found["warnings"][0])
        self.assertTrue(self.held("backup TO", self.told("backup", "sb", "--data-dir", "s"))
                        ["keys"]["master"])
        self.assertEqual(self.held("restore FROM", self.told("restore", "sb", "--data-dir",
                                                             "sr"))["keys"], "backup")
        found = self.told_keys("s")
        status = self.held("status", self.told("status", "--data-dir", "s"))
        self.assertEqual(status["keys"]["warnings"], found["warnings"])
        os.remove(self.path("s", "keys", "ring"))
        self.assertIn("no ring of keys", self.told_keys("s", DIFFERENT)["error"])
        status = self.held("status", self.told("status", "--data-dir", "s",
                                               status=DIFFERENT))
        self.assertIn("no ring of keys", status["keys"]["error"])

    def told_keys(self, data, status=DONE):
        return self.held("keys status", self.told("keys", "status", "--data-dir", data,
                                                  status=status))

    def test_tokens(self):
        self.run_tool("token", "create", "shop", "--scope", "read", "--data-dir", "a")
        self.held("token list", self.told("token list", "list", "--data-dir", "a"))


class Tables(Json):
    """What looks at PostgreSQL."""

    def setUp(self):
        super().setUp()
        self.server = Server().start()
        self.addCleanup(self.server.close)
        client = self.server.client()
        for number in range(30):
            client.post("/persons", {"email": f"a{number}@b.test", "first_name": "A",
                                     "last_name": "B"})
        client.get("/persons")

    def run_server(self, *arguments, status=DONE):
        done = self.server.run(*arguments, "--json", check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def test_status(self):
        found = self.held("status", self.run_server("status"))
        self.assertEqual((found["tables"]["persons"], found["lag"]), (30, 0))

    def test_rebuilds(self):
        found = self.held("rebuild", self.run_server("rebuild", "--keep-old"))
        self.assertIsNotNone(found["kept"])
        self.held("status", self.run_server("status"))  # the schemas
        found = self.held("rebuild", self.run_server("rebuild", "--undo"))
        self.assertEqual(found["undone_from"], 60)
        self.held("rebuild --drop-old", self.run_server("rebuild", "--drop-old"))
        self.held("replay", self.run_server("replay", "--into",
                                            "r" + os.urandom(8).hex()))

    def test_differences(self):
        self.held("verify", self.run_server("verify", "--projection"))
        query(self.server, "delete from person where sequence > 10")
        found = self.held("verify", self.run_server("verify", "--projection",
                                                    status=DIFFERENT))["projection"]
        self.assertEqual((len(found["differences"]), found["not_told"]), (20, 5))
        table = {key.removeprefix("projection."): type_
                 for key, type_ in TABLES["verify"].items()
                 if key.startswith("projection.")}
        for all_, told in (((), 20), (("--all",), 25)):
            found = json.loads(self.run_server("rebuild", "--dry-run", *all_,
                                               status=DIFFERENT))
            self.hold(table, found, "rebuild --dry-run")
            self.assertEqual((len(found["differences"]), found["not_told"]),
                             (told, 25 - told))


class Sealed(Json):
    def test_erasing_a_person(self):
        server = Server(env={"SEALED": "true"})
        self.addCleanup(server.close)
        server.start()
        one = server.client().post("/persons", person()).data["id"]
        for part in ("erase", "receipt"):
            self.held("person erase",
                      server.run("person", part, one, "--json").stdout)


class Page(unittest.TestCase):
    def test_every_command_that_has_it_is_on_the_page(self):
        tools = Path(PAGE).parents[1] / "tools"
        having = {path.stem for path in tools.glob("*.c")
                  if '"--json", NULL' in path.read_text(encoding="utf-8") or
                  '.flag = "--json"' in path.read_text(encoding="utf-8")}
        self.assertEqual(having, {command.split()[0] for command in TABLES})
        for command in RECORDS:
            self.assertEqual(TABLES[command], {})


if __name__ == "__main__":
    unittest.main()
