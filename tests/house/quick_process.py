"""What a process does again and again for hundreds of tests: looking for garbage, and stretching the same keys."""

import gc
import hashlib
from functools import lru_cache

from tests.house.swaps import swap


def pytest_configure() -> None:
    """`scrypt` costs 40 ms, and the tests' keys are the same ones."""
    swap(hashlib, "scrypt", lru_cache(maxsize=4096)(hashlib.scrypt))


def pytest_collection_finish() -> None:
    """What is imported stays: looking at it again and again took a fifteenth of all time."""
    gc.collect()
    gc.freeze()
