"""The optimised program has what makes an exploit harder."""

import unittest

from hardening import lacks
from harness import PROGRAM


class Hardening(unittest.TestCase):
    def test_the_program_lacks_nothing(self):
        self.assertEqual(lacks(PROGRAM), [])


if __name__ == "__main__":
    unittest.main()
