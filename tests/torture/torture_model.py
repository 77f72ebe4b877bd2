"""Long random walks, each with a seed of its own, against a model of the whole."""

import os

os.environ.setdefault("DAYBOOK_ROUNDS", "4")
os.environ.setdefault("DAYBOOK_STEPS", "3000")

from test_model import ModelOfTheWhole  # noqa: E402,F401
