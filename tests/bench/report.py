"""What was measured: rows of figure, ceiling, ratio and target; as a table and as JSON."""

import json
import statistics

median = statistics.median


class Failure(Exception):
    """The product answered wrongly, or the bench cannot measure."""


class Row:
    """One line of the table.

    figures and ceilings are one number a round; the ratio is that of their medians.
    most=True: the target is an upper bound. Without a ceiling the target is for the
    figure itself; without a target the row only informs.
    """

    def __init__(self, work, unit, figures, ceilings=None, against="", target=None,
                 most=False, of_figure=False):
        self.work, self.unit, self.against = work, unit, against
        self.figures, self.ceilings = list(figures), list(ceilings or [])
        self.target, self.most, self.of_figure = target, most, of_figure or not ceilings

    @property
    def figure(self):
        return median(self.figures)

    @property
    def ceiling(self):
        return median(self.ceilings) if self.ceilings else None

    @property
    def ratio(self):
        return self.figure / self.ceiling if self.ceiling else None

    @property
    def met(self):
        if self.target is None:
            return None
        value = self.figure if self.of_figure else self.ratio
        return value <= self.target if self.most else value >= self.target

    def as_json(self):
        return {"work": self.work, "unit": self.unit, "figure": self.figure,
                "against": self.against, "ceiling": self.ceiling, "ratio": self.ratio,
                "target": self.target, "bound": "most" if self.most else "least",
                "target_is_for": "figure" if self.of_figure else "ratio",
                "met": self.met, "figures": self.figures, "ceilings": self.ceilings}

    def cells(self):
        return [self.work, quantity(self.figure, self.unit), self.against,
                quantity(self.ceiling, self.unit),
                "" if self.ratio is None else f"{self.ratio:.2f}",
                self._target(), {True: "yes", False: "NO", None: ""}[self.met]]

    def _target(self):
        if self.target is None:
            return ""
        bound = "≤" if self.most else "≥"
        if self.of_figure:
            return f"{bound} {quantity(self.target, self.unit)}"
        return f"{bound} {self.target:g}"


HEAD = ["work", "figure", "against", "ceiling", "ratio", "target", "met"]
RIGHT = {1, 3, 4}  # columns of numbers


def quantity(value, unit):
    if value is None:
        return ""
    if value == 0 or value >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text + unit if unit.startswith("/") else f"{text} {unit}"


def table(rows):
    """As text for a terminal; the same lines are a table of Markdown."""
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]

    def line(cells):
        return "| " + " | ".join(
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if i in RIGHT else "-")
                          for i, width in enumerate(widths)) + "|"
    return "\n".join([line(HEAD), rule] + [line(cells) for cells in lines[1:]])


def write_json(path, machine, settings, growth, rows):
    with open(path, "w") as file:
        json.dump({"machine": machine, "settings": settings, "growth": growth,
                   "rows": [row.as_json() for row in rows]}, file, indent=1)
        file.write("\n")
