"""Client threads that write all they can, and remember what they were promised."""

import collections
import http.client
import random
import threading
import time

from fold import check_gapless, event_of, is_erased, person_of
from harness import PATIENCE, Answer
from writes import Author, mark_of

DOUBT = "was written is not known"


class Load:
    """name: what its marks begin with.
    may_refuse: 503 is an answer a write may get, and then it must not be in the log, but
    where the answer says that nobody knows: that is as good as none.
    retry: writes that were not answered are sent again where that is safe, as a careful
    client does, and some that were, as one does whose answer was lost on the way.
    pause: seconds each client waits between two writes, on average.
    """

    def __init__(self, server, seed, clients=16, may_refuse=False, retry=True,
                 name="c", pause=0):
        self.server, self.may_refuse, self.retry = server, may_refuse, retry
        self.pause = pause
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # guards the rest
        self.acknowledged = {}        # mark -> sequence
        self.shown = {}               # sequence -> the person or event as it was answered
        self.refused = set()          # marks answered with 503
        self.unanswered = set()       # marks nobody will ever hear of
        self.sent = set()             # marks
        self.answered = 0             # requests
        self.wrong = []               # what must not happen, in words
        self.clients = [self.client(self, random.Random(f"{seed}/{i}"), f"{name}{i}")
                        for i in range(clients)]

    def start(self):
        for client in self.clients:
            client.start()
        return self

    def stop(self):
        """Send what is still to be repeated, and end."""
        self.stopping.set()
        for client in self.clients:
            client.join(PATIENCE)
            assert not client.is_alive(), f"no answer and no end: {client.doing}"

    def promises(self):
        with self.lock:
            return dict(self.acknowledged)

    def wait_for_answers(self, more):
        """However long that takes, as long as there is one after the other."""
        with self.lock:
            goal = self.answered + more
        while (before := self.answered) < goal and not self.wrong:
            self.server.wait_for(lambda before=before: self.answered > before or self.wrong,
                                 f"another of {more} more answers")

    def check(self, records, earlier=()):
        """That the log holds what was promised, once, and nothing that nobody sent;
        earlier are the marks it had before."""
        marks = check_marks(records)
        check_promises(self.promises(), marks)
        signups = {"signup " + record["subject_id"] for record in records
                   if record["type"] == "person.created" and not is_erased(record)}
        strange = set(marks) - self.sent - signups - set(earlier)
        assert not strange, f"nobody sent {sorted(strange)[:5]}"
        assert signups <= set(marks), "a person without its signup"
        found = self.refused & set(marks)
        assert not found, f"refused, and in the log all the same: {sorted(found)[:5]}"
        for sequence, answered in self.shown.items():
            assert answered == _shown(records, sequence), \
                f"answered {answered}, and record {sequence} is {records[sequence - 1]}"
        assert not self.wrong, self.wrong[:5]


def _shown(records, sequence):
    """What a write is answered with whose last record this is."""
    event, before = event_of(records[sequence - 1]), records[max(sequence - 2, 0)]
    if before["type"] == "person.created" and before["subject_id"] == event["person_id"]:
        return dict(person_of(before), events=[event])
    return event


def check_marks(records):
    """{mark: sequence}, each mark once."""
    check_gapless(records)
    marks = {}
    for record in records:
        mark = mark_of(record)
        assert mark not in marks, f"{mark} is in the log twice: {record}"
        marks[mark] = record["sequence"]
    return marks


def check_promises(promises, marks):
    for mark, sequence in promises.items():
        assert marks.get(mark) == sequence, \
            f"{mark} was acknowledged as {sequence}; the log has it at {marks.get(mark)}"


class LoadClient(threading.Thread):
    def __init__(self, load, chance, name):
        super().__init__(daemon=True)
        self.load = load
        self.author = Author(chance, name)
        self.again = collections.deque()  # writes to repeat
        self.doing = None  # in words
        self.connection = None

    def run(self):
        try:
            while self.again or not self.load.stopping.is_set():
                if self.connect():
                    self.turn(self.again.popleft() if self.again else self.author.next())
                    time.sleep(2 * self.load.pause * self.author.random.random())
                elif self.load.stopping.is_set() and not self.load.retry:
                    break
        except Exception as error:  # told by the main thread
            self.wrong(f"{type(error).__name__}: {error}")
        if self.connection:
            self.connection.close()

    def connect(self):
        if self.connection and self.connection.sock:
            return True
        self.connection = self.new_connection()
        try:
            self.connection.connect()
            return True
        except OSError:
            time.sleep(0.01)
            return False

    def new_connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.load.server.port,
                                          timeout=PATIENCE)

    def wrong(self, text):
        with self.load.lock:
            self.load.wrong.append(text)

    def turn(self, write):
        write.tries += 1
        self.doing = f"{write.method} {write.path} at {self.connection.port}, " \
                     f"since {time.strftime('%H:%M:%S')}"
        with self.load.lock:
            self.load.sent.update(write.marks)
        answer = self.exchange(write)
        self.doing += f": {answer and (answer.status, answer.details)}"
        if answer:
            self.take(write, answer)
        else:
            self.doubt(write)

    def doubt(self, write):
        if self.load.retry and write.retry:
            self.again.append(write)
        else:
            with self.load.lock:
                self.load.unanswered.update(write.marks)

    def exchange(self, write):
        """The answer, or None where the connection ended without one."""
        response = None
        try:
            self.connection.request(write.method, write.path, write.body, write.headers)
            response = self.connection.getresponse()
            return Answer(response, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            if isinstance(error, TimeoutError):
                self.wrong(f"no answer in {PATIENCE} s: {write.method} {write.path}")
            elif response and self.load.may_refuse and not self.load.retry:
                self.wrong(f"half an answer: {write.method} {write.path}: {error}")
            return None

    def take(self, write, answer):
        promised, doubtful = write.acknowledged(answer), False
        with self.load.lock:
            self.load.answered += 1
            if promised is not None:
                self.promise(promised)
                if write.kind in ("person", "event"):
                    self.load.shown[answer.sequence] = answer.data
            elif answer.status == 503 and self.load.may_refuse:
                doubtful = DOUBT in answer.details or write.tries > 1
                if not doubtful:
                    self.load.refused.update(write.marks)
            else:
                self.load.wrong.append(
                    f"{write.method} {write.path} got {answer.status}: {answer.details}")
        if promised:
            self.author.learn(write, answer)
        if doubtful:
            self.doubt(write)
        elif self.load.retry and write.retry and write.tries == 1 \
                and promised is not None and self.author.random.random() < 0.1:
            self.again.append(write)

    def promise(self, promised):
        for mark, sequence in promised:
            first = self.load.acknowledged.setdefault(mark, sequence)
            if first != sequence:
                self.load.wrong.append(f"{mark} was at {first}, and then at {sequence}")


Load.client = LoadClient
