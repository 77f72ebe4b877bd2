"""Receipts of persons who were erased: each is the same whenever it is asked for, and proves
what it says."""

import json
import os

VOLATILE = ("done", "pending", "rotation", "not_known", "proof")


def stable(receipt):
    return {key: value for key, value in receipt.items() if key not in VOLATILE}


def check_receipts(server, receipts):
    """Of {person id: the receipt that acknowledged it, or None}, by a server that has signed all
    of its log. How many."""
    client, vkey = server.client(), server.run("audit", "vkey").stdout.strip()
    path = os.path.join(server.data_dir, "receipt.json")
    for person, first in receipts.items():
        answer = client.get(f"/persons/{person}/receipt")
        assert answer.status == 200, (person, answer.body)
        receipt = answer.data
        assert first is None or stable(receipt) == stable(first), (first, receipt)
        assert receipt["done"]["keys"] == "destroyed", receipt
        with open(path, "w", encoding="utf-8") as file:
            json.dump(receipt, file)
        server.run("person", "verify", path, "--vkey", vkey)
    client.close()
    return len(receipts)
