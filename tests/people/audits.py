"""An audit of the emulated tables, as the nightly function makes it."""

from cardstock.flows import books_wiring
from cardstock.flows.auditing import audit_books
from cardstock.ledger.audit_model import Report


def audit_now() -> Report:
    """What an audit finds now."""
    return audit_books(books_wiring.auditing())
