"""Logs of a chosen size, the same each time. Kept below the build directory, for making
one takes a while; the program that made it is part of its name."""

import hashlib
import os
import shutil


def log_of(world, events):
    """The directory of a log with that many events made by tests/generate."""
    program = world.program("generate")
    with open(program, "rb") as file:
        made_by = hashlib.sha256(file.read()).hexdigest()[:12]
    kept = os.path.join(world.build, "bench-logs")
    path = os.path.join(kept, f"{events}-{made_by}")
    if not os.path.isdir(path):
        _forget_others(kept, made_by)
        world.say(f"making a log of {events:,} events")
        data = world.path("made")
        world.run(program, "--data-dir", data, "--events", events, "--seed", 1)
        os.makedirs(kept, exist_ok=True)
        shutil.move(os.path.join(data, "log"), path)
    return path


def _forget_others(kept, made_by):
    for name in os.listdir(kept) if os.path.isdir(kept) else []:
        if not name.endswith(made_by):
            shutil.rmtree(os.path.join(kept, name))
