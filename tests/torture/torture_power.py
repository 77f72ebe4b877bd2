"""The power cut under the server after every single write of LMDB, in every kind of way."""

import os

import test_power

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 3))

for _round in range(ROUNDS):
    _name = f"PowerCut{_round}"
    globals()[_name] = type(_name, (test_power.PowerCut,), {
        "seed": test_power.SEED + _round, "clients": 3, "writes": 60, "share": 1})
