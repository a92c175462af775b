"""The marks of tests: a key, and a marker that uses it."""

from typing import Final

from cardstock.marks import Marker

MARKER: Final = Marker(lambda: "a-key-of-marks-for-tests-only")
