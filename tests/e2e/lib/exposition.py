"""Prometheus' text format, read as strictly as it is written."""

import re

SAMPLE = re.compile(r'(\w+?)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Metrics:
    """One answer of GET /metrics: kinds by family, values by name and labels."""

    def __init__(self, text):
        self.kinds, self.help, self.values = {}, {}, {}
        self.text = text
        if not text.endswith("\n"):
            raise AssertionError("the last line has no end")
        for line in text.splitlines():
            self.take(line)

    def take(self, line):
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            into = {"HELP": self.help, "TYPE": self.kinds}[what]
            if name in into:
                raise AssertionError(f"{name} begins twice")
            into[name] = rest
            return
        name, labels, value = SAMPLE.fullmatch(line).groups()
        pairs = LABEL.findall(labels or "")
        if ",".join(f'{key}="{text}"' for key, text in pairs) != (labels or ""):
            raise AssertionError(f"labels: {line}")
        key = (name, frozenset(pairs))
        if key in self.values:
            raise AssertionError(f"twice: {line}")
        if self.family(name) != list(self.kinds)[-1]:
            raise AssertionError(f"not in its family: {line}")
        self.values[key] = float(value)

    def family(self, name):
        base = re.sub(r"_(?:bucket|sum|count)$", "", name)
        return base if self.kinds.get(base) == "histogram" else name

    def get(self, name, default=0, **labels):
        """The value of one series."""
        return self.values.get((name, frozenset(labels.items())), default)

    def series(self, name):
        """The values of a name by their labels, as dictionaries' items."""
        return {labels: value for (other, labels), value in self.values.items()
                if other == name}

    def sum(self, name):
        return sum(self.series(name).values())


def scrape(client, **headers):
    answer = client.get("/metrics", **headers)
    if answer.status != 200:
        raise AssertionError(f"GET /metrics is {answer.status}: {answer.body}")
    return Metrics(answer.body.decode())
