"""A client of Daybook in one screen, by Python's standard library alone.

Everything is sent again until it is answered, with the ids and keys of the first time: so
whatever is lost on the way, nothing is written twice.

    daybook = Daybook("http://127.0.0.1:8080")
    kate = daybook.request("POST", "/persons", {"external_id": "user-7"})
    daybook.send([{"event_type": "signed in", "person_id": kate["id"]}])
"""

import http.client
import json
import random
import time
import urllib.error
import urllib.request
import uuid

AGAIN = {408, 429, 502, 503, 504}  # what another attempt may mend
TRIES, LONGEST = 8, 30             # attempts; seconds between them


class Refused(Exception):
    """What sending again does not mend: `status`, and `said`, what the answer says of it."""

    def __init__(self, status, said):
        super().__init__(f"{status}: {said.get('details')} {said.get('errors', '')}")
        self.status, self.said = status, said


class Daybook:
    def __init__(self, url, token=None):
        self.url, self.headers = url.rstrip("/"), {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = "Bearer " + token

    def request(self, method, path, body=None):
        """What the answer has as data."""
        headers = dict(self.headers)
        if method == "POST":  # a PUT or DELETE is the same when it comes twice
            headers["Idempotency-Key"] = str(uuid.uuid4())
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(TRIES):
            pause = min(LONGEST, 2 ** attempt / 4) * random.uniform(0.5, 1)
            try:
                asked = urllib.request.Request(self.url + path, data, headers, method=method)
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    return json.load(answer)["data"]
            except urllib.error.HTTPError as error:
                failed = Refused(error.code, self._said(error))
                if error.code == 422 and failed.said.get("data"):
                    return failed.said["data"]  # verdicts, of which none is good
                if error.code not in AGAIN:
                    raise failed from None
                pause = max(pause, float(error.headers.get("Retry-After") or 0))
            except (OSError, http.client.HTTPException) as error:  # no answer, or half of one
                failed = error
            if attempt < TRIES - 1:
                time.sleep(pause)
        raise failed

    def send(self, items):
        """Record events, and persons and aliases among them; a verdict for each."""
        items = [item if item.keys() & {"id", "event", "person", "alias"}
                 else {"id": str(uuid.uuid4()), **item} for item in items]
        return self.request("POST", "/events/batch", items)

    @staticmethod
    def _said(error):
        try:
            answer = json.load(error)
            return {**answer["response"], "data": answer["data"]}
        except (ValueError, KeyError, OSError):
            return {"details": error.reason}
