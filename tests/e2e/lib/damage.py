"""Damages the records of a log where they lie in its file."""

PAGE = 4096


def places(data, mark):
    """Where it stands in the record that holds it as a string, also in pages that were
    freed since; not where an index has it."""
    sought = bytes([0xA0 | len(mark)]) + mark
    at = data.find(sought)
    while at >= 0:
        yield at + 1
        at = data.find(sought, at + 1)


def change(data, mark):
    """A byte of the record is another."""
    for at in list(places(data, mark)):
        data[at] ^= 0x01


def zero_page(data, mark):
    """The page that the record lies in is nothing but zeroes."""
    for at in list(places(data, mark)):
        data[at - at % PAGE:at - at % PAGE + PAGE] = bytes(PAGE)


def spoil_page(data, mark):
    """The head of its page, which LMDB goes by, is nonsense."""
    for at in list(places(data, mark)):
        data[at - at % PAGE + 12:at - at % PAGE + 400] = b"\xf3" * 388


def damage(path, how, *marks):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for mark in marks:
        how(data, mark)
    with open(path, "wb") as file:
        file.write(data)
