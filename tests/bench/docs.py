"""The latest table and plot, put into docs/."""

import os
import subprocess

from machine import sentence
from report import Failure, table
from world import HERE

DOCS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs")
PAGE = os.path.join(DOCS, "performance.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def write(world, machine, rows):
    with open(PAGE) as file:
        page = file.read()
    if BEGIN not in page or END not in page:
        raise Failure(f"{PAGE} has no place for the table")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    picture = os.path.join(DOCS, "growth.svg")
    if world.growth:
        plot(world, world.growth, picture)
    latest = f"{sentence(machine)}.\n\n{table(rows)}\n"
    if os.path.exists(picture):
        latest += "\n![What is done a second, as the log grows](growth.svg)\n"
    with open(PAGE, "w") as file:
        file.write(f"{before}{BEGIN}\n{latest}{END}{after}")


def plot(world, growth, path):
    """growth: size -> kind -> a second. Drawn by gnuplot."""
    kinds = list(next(iter(growth.values())))
    data = world.path("growth.data")
    with open(data, "w") as file:
        file.write("events " + " ".join(kinds) + "\n")
        for size, found in sorted(growth.items()):
            file.write(" ".join([str(size)] + [f"{found[kind]:.1f}" for kind in kinds]) +
                       "\n")
    done = subprocess.run(
        ["gnuplot", "-e", f"data = '{data}'; kinds = {len(kinds)}; out = '{path}'",
         os.path.join(HERE, "growth.gp")], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"gnuplot: {done.stderr}")
