"""The process's one clock, for the tests of the ledger."""

from tests.people.clock import clock

__all__ = ["clock"]
