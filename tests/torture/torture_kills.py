"""The server, its PostgreSQL, or both killed at random instants under mixed load, many
times over."""

import os

os.environ.setdefault("DAYBOOK_ROUNDS", "100")

from test_durability import KilledUnderLoad  # noqa: E402,F401
from test_kills import Kills  # noqa: E402,F401
