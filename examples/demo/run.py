"""A living Daybook to look at: make demo.

    run.py PROGRAM [--port N] [--days N] [--minutes N] [--end] [--place FOLDER]

A week of edits of Wikipedia is imported into a data directory of its own, a server is
started on it, and edits go on to come in for a while. Ctrl-C ends all that was started, and
deletes what was made.
"""

import argparse
import ctypes
import datetime
import fcntl
import gzip
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
from daybook import Daybook  # noqa: E402

PLACE = os.path.join(HERE, "..", "..", "build", "demo")
MARK = ".daybook-demo"  # in the folder: what is there is a demo's, and may be deleted
OUTSIDE = "/var/lib/daybook-postgres"  # where PostgreSQL's data lies if root starts it
DAYS, A_SECOND, MINUTES, PATIENCE = 7, 4, 15, 120
SPACE = uuid.UUID("8d3c4a0e-5f0b-4b55-9f0e-2f6d0c9f7a51")


def arguments():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("program", help="the daybook to be shown")
    parser.add_argument("--port", type=int, help="default: the first free one from 8080 on")
    parser.add_argument("--days", type=int, default=DAYS,
                        help=f"that were before now; default: {DAYS}")
    parser.add_argument("--minutes", type=float, default=MINUTES,
                        help=f"that edits come in; default: {MINUTES}")
    parser.add_argument("--end", action="store_true", help="end with them, not by Ctrl-C only")
    parser.add_argument("--place", default=PLACE, help="a folder that is made and deleted")
    return parser.parse_args()


# The edits: of one day of 2015, one in eight of a sample. Who made them is a hash.


def edits():
    with gzip.open(os.path.join(HERE, "wikipedia-day.ndjson.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def is_there(user, day):
    """Not everybody comes each day; whoever does comes again to the same demo."""
    return zlib.crc32(f"{user} {day}".encode()) % 100 < (30 if day else 60)


def history(day_of_edits, days, now):
    """The same edits on each of the last days, at their time of the day; (when, edit)."""
    for day in reversed(range(days + 1)):
        date = (now - datetime.timedelta(days=day)).date()
        for edit in day_of_edits:
            at = datetime.datetime.fromisoformat(f"{date}T{edit['at']}")
            if now - datetime.timedelta(days=days) <= at < now and is_there(edit["user"], day):
                yield at, edit


def person_id(user):
    return str(uuid.uuid5(SPACE, user))


def write_history(day_of_edits, days, persons_path, events_path):
    """How many persons and events there are."""
    known, count = set(), 0
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    with open(persons_path, "w", encoding="utf-8") as persons, \
            open(events_path, "w", encoding="utf-8") as events:
        for at, edit in history(day_of_edits, days, now):
            user, count = edit["user"], count + 1
            if user not in known:
                known.add(user)
                print(json.dumps({
                    "id": person_id(user), "external_id": user, "first_name": "Wikipedian",
                    "last_name": user, "email": user + "@wiki.invalid",
                    "datetime_created": (at - datetime.timedelta(seconds=30)).isoformat()}),
                    file=persons)
            print(json.dumps({
                "id": str(uuid.uuid5(SPACE, f"{user} {at} {count}")),
                "person_id": person_id(user), "event_type": edit["event_type"],
                "datetime_created": at.isoformat(), "properties": edit["properties"]}),
                file=events)
    return len(known), count


# The server.


def die_with_parent():
    """A demo that is killed leaves nothing running either."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port(wanted):
    for port in [wanted] if wanted else range(8080, 8100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    sys.exit("demo: the port is in use: name another with --port (make demo PORT=8123)")


class Server:
    """Nobody's settings but these: neither .env nor the environment says where it writes."""

    def __init__(self, program, place, port):
        self.program, self.place, self.port = os.path.abspath(program), place, port
        self.url = f"http://127.0.0.1:{port}"
        self.env = {name: value for name, value in os.environ.items()
                    if name in ("PATH", "HOME", "LANG", "TZ") or name.endswith("SAN_OPTIONS")}
        self.log = os.path.join(place, "serve.log")
        self.process, self.outside = None, ""

    def run(self, *command):
        done = subprocess.run([self.program, *command, "--data-dir", self.place + "/data"], cwd=self.place,
                              env=self.env, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"demo: daybook {command[0]} failed:\n{done.stderr}")
        return done.stdout

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--data-dir", self.place + "/data", "--port", str(self.port)],
                cwd=self.place, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            self.check()
            if time.monotonic() > deadline:
                sys.exit(f"demo: the server is not ready after {PATIENCE} s:\n{self.told()}")
            time.sleep(0.2)
        postgres = json.loads(self.run("status", "--json"))["cluster"]["dir"]
        self.outside = os.path.dirname(postgres) if postgres.startswith(OUTSIDE) else ""

    def is_ready(self):
        """The tables have all that was imported."""
        try:
            with urllib.request.urlopen(self.url + "/persons?limit=1", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def check(self):
        if self.process.poll() is not None:
            sys.exit(f"demo: the server has ended:\n{self.told()}")

    def told(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def stop(self):
        """End it, and delete what it has."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for folder in filter(None, (self.outside, self.place)):
            shutil.rmtree(folder, ignore_errors=True)


# What comes in.


class Visitors:
    """Go on with the day's edits, and now and then somebody new looks around first."""

    def __init__(self, url, day_of_edits):
        self.daybook, self.sent, self.visitors = Daybook(url), 0, 0
        now = time.strftime("%H:%M:%S", time.gmtime())
        later = [edit for edit in day_of_edits if edit["at"] >= now]
        self.edits = later + day_of_edits[:len(day_of_edits) - len(later)]

    def person(self, user):
        return {"person": {"id": person_id(user), "external_id": user,
                           "first_name": "Wikipedian", "last_name": user}}

    def somebody_new(self):
        """Views pages, and signs up then, or not."""
        self.visitors += 1
        anonymous_id = "visitor-" + uuid.uuid4().hex[:12]
        items = [{"event_type": "page_view", "anonymous_id": anonymous_id,
                  "properties": edit["properties"]}
                 for edit in random.sample(self.edits, random.randint(1, 4))]
        if random.random() < 0.4:
            user = uuid.uuid4().hex[:12]
            items += [self.person(user),
                      {"alias": {"anonymous_id": anonymous_id, "external_id": user}}]
        return items

    def more(self):
        items = []
        for _ in range(random.randint(0, A_SECOND)):
            edit = self.edits.pop(0)
            self.edits.append(edit)
            items += [self.person(edit["user"]),
                      {"event_type": edit["event_type"], "person_id": person_id(edit["user"]),
                       "properties": edit["properties"]}]
        if random.random() < 0.2:
            items += self.somebody_new()
        if items:
            self.sent += sum(verdict["status"] == 201 for verdict in self.daybook.send(items))


def tell(text):
    """One line that is written over, where somebody looks."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K  {text}", end="", flush=True)


def live(options, server, day_of_edits):
    visitors = Visitors(server.url, day_of_edits)
    began, until = time.monotonic(), time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        visitors.more()
        server.check()
        tell(f"{visitors.sent:,} records came in; {visitors.visitors} visitors were new; "
             f"{(until - time.monotonic()) / 60:.0f} minutes to go")
        time.sleep(0.5)
    print(f"\n{visitors.sent:,} records came in within {(time.monotonic() - began) / 60:.1f} "
          "minutes.", flush=True)
    while not options.end:
        tell("No more come in, but the server goes on. Ctrl-C ends it.")
        server.check()
        time.sleep(1)


def show(options, server):
    day_of_edits = edits()
    files = [os.path.join(options.place, name) for name in ("persons.ndjson", "events.ndjson")]
    persons, events = write_history(day_of_edits, options.days, *files)
    print(f"Importing {options.days} days of Wikipedia: {persons:,} persons, {events:,} edits ...",
          flush=True)
    server.run("import", *files)
    print("Starting the server, and a PostgreSQL of its own ...", flush=True)
    server.start()
    print(f"""
  Look:      {server.url}/console
  Read:      {server.url}/docs
  Take part: curl {server.url}/events --json '{{"event_type": "hello", "anonymous_id": "me"}}'

Edits go on to come in, for {options.minutes:g} minutes. Ctrl-C ends all this, and deletes it.
""", flush=True)
    live(options, server, day_of_edits)


def make_place(place):
    """In place of one of a demo that was killed; whatever else is there stays."""
    if os.path.lexists(place) and not os.path.exists(os.path.join(place, MARK)):
        sys.exit(f"demo: {place} is there, and no demo's: it would be deleted; name a folder "
                 "that is not there")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    with open(os.path.join(place, MARK), "w", encoding="utf-8"):
        pass


def stop_by_signal(*_):
    raise KeyboardInterrupt


def main():
    options = arguments()
    options.place = os.path.abspath(options.place)
    os.makedirs(os.path.dirname(options.place), exist_ok=True)
    lock = open(options.place + ".lock", "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("demo: it runs already, in this copy of the source")
    server = Server(options.program, options.place, free_port(options.port))
    make_place(options.place)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_by_signal)
    try:
        show(options, server)
    except KeyboardInterrupt:
        print("\nEnding it ...", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        server.stop()


if __name__ == "__main__":
    main()
