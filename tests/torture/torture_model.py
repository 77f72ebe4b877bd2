"""Long random walks, each with a seed of its own, against a model of the whole.

A million steps are make torture PART=model ROUNDS=334 HOURS=9."""

import os

os.environ.setdefault("DAYBOOK_ROUNDS", "4")
os.environ.setdefault("DAYBOOK_STEPS", "3000")
os.environ.setdefault("DAYBOOK_EVERY", "3000")
os.environ.setdefault("DAYBOOK_AT_ONCE", str(os.cpu_count()))

from test_model import ModelOfTheWhole  # noqa: E402,F401
