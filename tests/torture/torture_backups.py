"""The whole day of Wikipedia edits under load, with an incremental backup every 1,000
records that is killed at random instants: what is restored has all that was acknowledged
before the last finished one."""

import os
from pathlib import Path

DAY = Path(__file__).resolve().parents[3] / "shared/data/wikipedia-edits"
if DAY.exists():
    os.environ.setdefault("DAYBOOK_DATA", str(DAY))
    os.environ.setdefault("DAYBOOK_ROUNDS", "50")
    os.environ.setdefault("DAYBOOK_STEP", "1000")

from test_backup_incremental import KilledUnderLoad  # noqa: E402,F401
