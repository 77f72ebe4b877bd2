"""What the peers' own folder gives: how each is started, loaded and measured."""

import os
import runpy
import sys

from report import Failure


class Peers:
    """The folder's own modules; `Failure` where it is not what it was."""

    def __init__(self, directory):
        self.stores = os.path.join(directory, "stores")
        sys.path.insert(0, self.stores)
        import api
        import lib
        self.api, self.lib = api, lib

    def load(self, name):
        """The peer that stores/NAME/run measures, without measuring it. It ends with
        lib.main(peer)."""
        caught, main = [], self.lib.main
        self.lib.main = caught.append
        try:
            runpy.run_path(os.path.join(self.stores, name, "run"), run_name="peer")
        finally:
            self.lib.main = main
        if len(caught) != 1:
            raise Failure(f"stores/{name}/run brings no peer")
        return caught[0]


def missing(peer):
    """What it cannot run without, and is not there; or None."""
    return next((path for path in peer.needs if not os.path.exists(path)), None)
