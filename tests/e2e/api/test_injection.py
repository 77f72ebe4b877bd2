"""Whatever a client sends, it stays data: one line of the server's log, one value in the
tables, in an export and on the operator's terminal."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import unicodedata
import unittest
import urllib.parse

from harness import PROGRAM
from served import Served, person
from tables import query
from tools import bare, environment, records_of
from wire import Wire

# Each ends a line, moves a cursor, turns text around, closes a quote or means something to
# SQL, printf, COPY, JSON or the text log.
HOSTILE = ("\n", "\r", "\r\nX-Injected: 1", "\x00", "\x1b[2J\x1b]0;owned\x07", "\x7f", "\x08",
           "\u009b31m", "\u0085", "\u2028", "\u2029", "\u202e", "\ufeff", "\t", '"', "'", "\\",
           "\\.", "\\N", "'; drop table person; --", '"; drop schema public cascade; --',
           "$1", "$$", "%s%n%x", "%", '{"level":"error"}', " status=200 error=none", "\u00e9",
           "\U0001f600")
BYTES = tuple(text.encode() for text in HOSTILE) + (b"\xff\xfe", b"\xc2", b"\xed\xa0\x80")

PLACES = {
    "method": b"GE%bT /events HTTP/1.1\r\nHost: x\r\n",
    "path": b"GET /events/%b HTTP/1.1\r\nHost: x\r\n",
    "segment": b"GET /%b/x HTTP/1.1\r\nHost: x\r\n",
    "name of a parameter": b"GET /events?a%b=1 HTTP/1.1\r\nHost: x\r\n",
    "keyword": b"GET /events?keyword=a%b HTTP/1.1\r\nHost: x\r\n",
    "properties": b"GET /events?properties={\"a\":\"%b\"} HTTP/1.1\r\nHost: x\r\n",
    "cursor": b"GET /events?after=%b HTTP/1.1\r\nHost: x\r\n",
    "version": b"GET /events HTTP/1.%bz\r\nHost: x\r\n",
    "host": b"GET /log HTTP/1.1\r\nHost: x%bz\r\n",
    "name of a header": b"GET /log HTTP/1.1\r\nHost: x\r\nX%b: 1\r\n",
    "user agent": b"GET /log HTTP/1.1\r\nHost: x\r\nUser-Agent: a%bz\r\n",
    "request id": b"GET /log HTTP/1.1\r\nHost: x\r\nX-Request-Id: a%bz\r\n",
    "authorization": b"GET /log HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a%bz\r\n",
    "if-match": b"DELETE /persons/9c65af1a-c109-4c17-9bf1-5f4bcac95e3c HTTP/1.1\r\n"
                b"Host: x\r\nIf-Match: \"1%bz\"\r\n",
    "if-none-match": b"GET /log HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1%bz\"\r\n",
    "prefer": b"GET /events HTTP/1.1\r\nHost: x\r\nPrefer: wait=1%bz\r\n",
    "accept": b"GET /log HTTP/1.1\r\nHost: x\r\nAccept: a%bz\r\n",
    "idempotency key": b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 0\r\nIdempotency-Key: a%bz\r\n",
    "content type": b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                    b"Content-Type: application/json%bz\r\n",
}


def hidden(text):
    """What a terminal or a reader of lines would act on."""
    return [character for character in text
            if unicodedata.category(character) in ("Cc", "Zl", "Zp")
            or unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "PDF",
                                                        "RLI", "LRI", "FSI", "PDI")
            or character == "\ufeff"]


class Logged(Served):
    """Without a server of its own: the classes below have one each."""

    def log_lines(self):
        with open(os.path.join(self.server.data_dir, "serve.log"), "rb") as log:
            return log.read().decode().split("\n")[:-1]

    def requests(self):
        raise NotImplementedError

    def ask(self, head):
        """Send the head of a request, and take an answer if there is one."""
        wire = Wire(self.server.port)
        try:
            wire.send(head + b"Connection: close\r\n\r\n")
            status, headers, body = wire.answer(head.startswith(b"HEAD"))
            self.assertNotIn("x-injected", headers)
            self.assertTrue(status < 500 or status == 505, body)
            self.assertTrue(wire.ended())
        finally:
            wire.close()

    def one_line_each(self, heads):
        """Send them, one after the other; as many lines come to the log, and no more."""
        before = len(self.requests())
        for head in heads:
            self.ask(head)
        # A line is written behind its answer.
        self.server.wait_for(lambda: len(self.requests()) - before >= len(heads), "all lines")
        self.last_line(f"last-{before}")
        lines = self.requests()
        self.assertEqual(len(lines) - before, len(heads) + 1)
        return sorted(line for line in lines[before:] if f"last-{before}" not in line)

    def last_line(self, mark):
        """Have a request logged behind all that was answered before; on a connection of
        its own, for one that idled long is closed."""
        self.server.client().get("/health", x_request_id=mark)
        self.server.wait_for(lambda: any(mark in line for line in self.log_lines()), mark)

    def assert_safe(self, lines):
        for line in lines:
            self.assertEqual(hidden(line), [], ascii(line))

    def hostile_heads(self, place):
        """Raw, and percent-encoded where that is another thing."""
        for part in BYTES:
            yield PLACES[place].replace(b"%b", part)
            yield PLACES[place].replace(b"%b", urllib.parse.quote_from_bytes(part).encode())

    def test_each_request_is_one_line_of_the_log(self):
        for place in PLACES:
            with self.subTest(place):
                self.one_line_each(list(self.hostile_heads(place)))
        self.assert_safe(self.log_lines())

    def test_bodies_leave_no_trace_in_the_log(self):
        marks = []
        for number, text in enumerate(HOSTILE):
            mark = f"mark{number}x"
            marks.append(mark)
            for body in ({"email": mark + text}, {mark + text: 1}, [mark + text],
                         person(first_name=mark + text), {"role": mark + text}):
                answer = self.client.post("/persons", body)
                self.assertIn(answer.status, (201, 400), answer.body)
                self.assertEqual(answer.json["response"]["status"], answer.status)
        self.last_line("bodies-done")
        lines = self.log_lines()
        self.assert_safe(lines)
        self.assertFalse([line for line in lines for mark in marks if mark in line])


class LoggedAsText(Logged):
    settings = {"LOG_FORMAT": "text"}
    # Each value is one word, or stands in quotes.
    LINE = re.compile(r'\S+Z (error|warn|info|debug) request'
                      r'( [a-z_]+=([^ "\\=]+|"([^"\\]|\\.)*"))+')

    def requests(self):
        found = [line for line in self.log_lines() if " request method=" in line]
        for line in found:
            self.assertRegex(line, f"^{self.LINE.pattern}$")
        return found


class LoggedAsJson(Logged):
    settings = {"LOG_FORMAT": "json"}

    def requests(self):
        found = [json.loads(line) for line in self.log_lines()]
        self.assertNotIn("error", [entry["level"] for entry in found])
        return [json.dumps(entry, ensure_ascii=False) for entry in found
                if entry["message"] == "request"]

    def test_what_was_asked_for_stands_in_the_line(self):
        targets = ["/%0a%1b%00", '/events/\'"\\$1']
        lines = self.one_line_each(
            [f"GET {target} HTTP/1.1\r\nHost: x\r\n".encode() for target in targets])
        self.assertEqual(sorted(json.loads(line)["path"] for line in lines), targets)


# What the API takes of it all.
NAMES = ("'; drop table person; --", '"; drop schema public cascade; --', "\\.", "\\N", "$1 $$",
         "%s%n%x", "a\\tb\\nc\\\\", 'quo"ted\'', "tab\u00a0like", "\u202ereversed\u202c",
         "\ufeffzero\u200bwidth\U0001f600", "{1,2}", "(a,b)", "null", "NULL", "=1+1")
EMAILS = ("'or'1'='1@x.test", "$1%s%n@x.test", "{a,b}'--@x.test".replace(",", "|"),
          "`whoami`@x.test", "/*x*/#@x.test")


def hostile_properties():
    """One of each, as value, as key, and in depth."""
    for text in HOSTILE:
        if "\x00" not in text:  # PostgreSQL has no place for it, and the API refuses it
            yield {"a" + text: text, "list": [text, {text: [text]}], "all": "".join(
                part for part in HOSTILE if "\x00" not in part)}


class Kept(Served):
    """The values themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.persons, cls.events = {}, {}
        for number, name in enumerate(NAMES):
            fields = person(first_name=name, last_name=NAMES[-1 - number])
            if number < len(EMAILS):
                fields["email"] = EMAILS[number]
            made = cls.client.post("/persons", fields)
            assert made.status == 201, made.body
            cls.persons[made.data["id"]] = fields
            assert cls.client.patch("/persons/" + made.data["id"],
                                    {"last_name": name + "2"}).status == 200
            fields["last_name"] = name + "2"
        whose = made.data["id"]
        for number, properties in enumerate(hostile_properties()):
            # Escaped by one half, raw UTF-8 by the other.
            body = json.dumps({"event_type": "click", "person_id": whose,
                               "properties": properties}, ensure_ascii=number % 2 == 0)
            made = cls.client.post("/events", body)
            assert made.status == 201, made.body
            cls.events[made.data["id"]] = properties

    def assert_tables_have_all(self):
        self.client = self.server.client()  # a connection that idled long is closed
        shown = {each["id"]: each for each in self.follow("/persons?limit=7")[0]}
        for number, fields in self.persons.items():
            alone = self.client.get("/persons/" + number).data
            for name, value in fields.items():
                self.assertEqual(alone[name], value)
                self.assertEqual(shown[number][name], value)
        shown = {each["id"]: each for each in self.follow("/events?limit=7&keyword=click")[0]}
        for number, properties in self.events.items():
            alone = self.client.get("/events/" + number).data
            self.assertEqual(alone["properties"], properties)
            self.assertEqual(shown[number]["properties"], properties)
            asked = urllib.parse.quote(json.dumps({"list": properties["list"]}))
            found = self.client.get("/events?properties=" + asked).data
            self.assertIn(number, [each["id"] for each in found])

    def assert_records_have_all(self, records):
        created = {record["subject_id"]: record["data"] for record in records
                   if record["type"] == "person.created"}
        recorded = {record["subject_id"]: record["data"] for record in records
                    if record["type"] == "event.recorded"}
        for number, fields in self.persons.items():
            self.assertEqual(created[number]["first_name"], fields["first_name"])
            self.assertEqual(created[number]["email"], fields["email"])
        for number, properties in self.events.items():
            self.assertEqual(recorded[number]["properties"], properties)

    def test_reads_and_rebuilt_tables_give_what_was_written(self):
        self.assert_tables_have_all()
        self.server.run("rebuild")
        self.assert_tables_have_all()
        self.server.run("verify", "--projection")
        self.assertEqual(query(self.server, "select count(*) from person"),
                         str(len(self.persons)))

    def test_the_log_and_exports_give_what_was_written(self):
        self.assert_records_have_all(self.server.log_records())
        exported = self.server.run("export", "--unseal").stdout
        self.assert_records_have_all(records_of(exported.encode()))
        rows = list(csv.DictReader(io.StringIO(
            self.server.run("export", "--unseal", "--format", "csv").stdout, newline="")))
        self.assertEqual(len(rows), len(exported.split("\n")) - 3)
        kept = {row["subject_id"]: row for row in rows
                if row["type"] in ("person.created", "event.recorded")}
        for number, fields in self.persons.items():
            found = kept[number]["first_name"]
            self.assertEqual(found[1:] if found.startswith("'") else found,
                             fields["first_name"])
        for number, properties in self.events.items():
            self.assertEqual(json.loads(kept[number]["properties"]), properties)

    def test_an_export_makes_the_same_log_again(self):
        path = os.path.join(self.server.data_dir, "export.msgpack.gz")
        again = os.path.join(self.server.data_dir, "again")
        self.server.run("export", path)
        self.server.bring_keys(again)
        self.terminal("import", path, "--data-dir", again)
        made = subprocess.run([PROGRAM, "export", "--data-dir", again], env=environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=True, timeout=300)
        self.assertEqual(bare(made.stdout.encode()),
                         bare(self.server.run("export").stdout.encode()))

    def terminal(self, *arguments, status=0):
        """What the command shows on a terminal, both streams."""
        ours, theirs = pty.openpty()
        env = dict(environment(), **{name: value for name, value in self.server.env.items()
                                     if name.startswith("DB_")}, TERM="xterm")
        with subprocess.Popen([PROGRAM, *arguments], env=env, cwd=self.server.data_dir,
                              stdin=subprocess.DEVNULL, stdout=theirs,
                              stderr=theirs) as running:
            os.close(theirs)
            shown = b""
            try:
                while part := os.read(ours, 65536):
                    shown += part
            except OSError:
                pass  # so a terminal says that the other end is closed
            os.close(ours)
            self.assertEqual(running.wait(), status, shown)
        text = shown.decode().replace("\r\x1b[K", "")  # so a progress bar is wiped out
        self.assertEqual(hidden(text.replace("\r\n", "")), [], ascii(text))
        return text

    def shown(self, command, *arguments):
        return self.terminal(command, "--data-dir", self.server.data_dir, *arguments)

    def test_the_operators_terminal_gets_no_escape_sequences(self):
        records = self.server.log_records()
        told = [record["sequence"] for record in records
                if record["type"] == "person.updated" or record["subject_id"] in self.events]
        for json_too in ((), ("--json",)):
            self.shown("log", "tail", "-n", str(len(records)), *json_too)
            for number in (told[0], told[-1]):
                self.shown("log", "show", str(number), *json_too)
            persons = list(self.persons)
            for number in (persons[0], persons[-1]):  # the last has the events
                self.assertIn(number, self.shown("log", "person", number, *json_too))
            self.shown("status", *json_too)

    def test_lines_of_json_on_a_terminal_say_the_same(self):
        head = str(len(self.server.log_records()))
        lines = self.shown("log", "tail", "-n", head, "--json").split("\r\n")[:-1]
        self.assert_records_have_all([json.loads(line) for line in lines])

    def test_bad_lines_of_an_import_are_told_safely(self):
        path = os.path.join(self.server.data_dir, "bad\u009b.ndjson")
        with open(path, "w", encoding="utf-8", newline="") as file:
            for text in HOSTILE:
                file.write(json.dumps({"a" + text: text}, ensure_ascii=False) + "\n")
                file.write('{"email": "' + text + '"}\n')
        data_dir = os.path.join(self.server.data_dir, "other")
        for flags in ((), ("--continue",)):
            self.terminal("import", path, "--data-dir", data_dir, *flags, status=1)


class SetAside(Served):
    def test_what_postgresql_refused_is_told_safely(self):
        created = self.created(first_name="\u202ereversed")
        query(self.server, """
            create function refuse() returns trigger language plpgsql as
            $$begin raise exception 'refused: %', new.properties->>'all'; end$$;
            create trigger refuse before insert on event for each row
            when (new.event_type = 'evil') execute function refuse()""")
        for properties in hostile_properties():
            body = json.dumps({"event_type": "evil", "person_id": created["id"],
                               "properties": properties}, ensure_ascii=False)
            self.assertEqual(self.client.post("/events", body).status, 201)
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 1,
                             "the person was set aside")
        for flags in ((), ("--json",)):
            text = self.server.run("status", *flags, check=False).stdout
            self.assertEqual(hidden(text.replace("\n", "")), [], ascii(text))
            self.assertIn(created["id"], text)
            self.assertIn("refused: ", text)
        with open(os.path.join(self.server.data_dir, "serve.log"), "rb") as log:
            self.assertEqual(hidden(log.read().decode().replace("\n", "")), [])


del Logged  # what its subclasses share is no test by itself

if __name__ == "__main__":
    unittest.main()
