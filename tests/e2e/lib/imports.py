"""daybook import, again and again beside a server, killed now and then and run again."""

import json
import os
import random
import subprocess
import threading
import time
import uuid

from harness import PATIENCE, PROGRAM

FILES = ("import-persons.ndjson", "import-events.ndjson")


class Imports(threading.Thread):
    """Each import brings files of its own, and is run until it ends well; 2 runs of 5 are
    killed, wherever they are. Their records carry marks, as those of Load do."""

    def __init__(self, server, seed, name="i"):
        super().__init__(daemon=True)
        self.server, self.random, self.prefix = server, random.Random(seed), name
        self.stopping = threading.Event()
        self.process = None           # the last one
        self.took = 0.1               # seconds, by the last that ended well
        self.lock = threading.Lock()  # guards the rest
        self.sent = set()             # marks of lines that an import was given
        self.done = set()             # those of imports that ended well
        self.whole = self.killed = 0  # imports that ended so
        self.wrong = None             # what must not happen, in words

    def run(self):
        try:
            number = 0
            while not self.stopping.is_set():
                number += 1
                self.bring(*self.rows(f"{self.prefix}{number}"))
                time.sleep(self.random.random())
        except Exception as error:  # told by the main thread
            self.wrong = f"{type(error).__name__}: {error}"

    def stop(self):
        """Let the one that runs be run to its end, and end."""
        self.stopping.set()
        self.join(PATIENCE)
        assert not self.is_alive(), "an import does not end"
        assert not self.wrong, self.wrong

    def give_up(self):
        """End, whatever is left to do."""
        self.stopping.set()
        if self.process:
            self.process.kill()

    def promises(self):
        with self.lock:
            return set(self.done)

    def rows(self, name):
        """Persons, and events of theirs: now and then more than one commit takes."""
        most = 10000 if self.random.random() < 0.03 else 200
        persons = [{"id": self.uuid(), "email": f"{name}.{i}@import.test",
                    "first_name": "李", "last_name": "Import", "role": "user",
                    "datetime_created": "2015-09-12T00:00:00.000001"}
                   for i in range(self.random.randint(1, 20))]
        events = [{"id": self.uuid(), "person_id": self.random.choice(persons)["id"],
                   "event_type": "imported", "properties": {"mark": f"{name}.event{i}"},
                   "datetime_created": "2016-02-29T00:00:00.000001"}
                  for i in range(self.random.randint(1, most))]
        return persons, events

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def bring(self, persons, events):
        marks = {person["email"] for person in persons}
        marks |= {"signup " + person["id"] for person in persons}
        marks |= {event["properties"]["mark"] for event in events}
        for name, rows in zip(FILES, (persons, events)):
            with open(os.path.join(self.server.data_dir, name), "w") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        with self.lock:
            self.sent |= marks
        while not self.run_once():
            pass
        with self.lock:
            self.done |= marks

    def run_once(self):
        """False where it was killed."""
        to_be_killed = self.random.random() < 0.4
        patience = 1.2 * self.took * self.random.random() if to_be_killed else PATIENCE
        began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, "import", "--data-dir", self.server.data_dir, *FILES],
            env=self.server.env, cwd=self.server.data_dir, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            said = self.process.communicate(timeout=patience)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = self.process.communicate()[1]
            assert to_be_killed, f"an import took {PATIENCE} s: {said}"
            self.killed += 1
            return False
        assert self.process.returncode == 0, f"import ended so: {said}"
        self.took = time.monotonic() - began
        self.whole += 1
        return True
