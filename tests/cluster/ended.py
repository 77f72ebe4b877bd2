"""What a program is started through that is not to outlive the thread that starts it, however
that ends. Start it from the main thread."""

ENDED = ["setpriv", "--pdeathsig", "KILL", "--"]
