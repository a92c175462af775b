"""Factories of the ledger area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.ledger.model import LedgerTransaction
    from cardstock.ledger.ports import Books, Calendar, Closings, Debts, SealArchive, Seals, Statements, WriteOffs


@cache
def books() -> "Books":
    """The ledger in DynamoDB."""
    from cardstock.ledger.store import DynamoBooks

    return DynamoBooks()


def ledger_transaction(record: dict[str, Any]) -> "LedgerTransaction":
    """The transaction in a record of the ledger's stream. Raises on anything else."""
    from cardstock.ledger.store import transaction_of

    return transaction_of(record)


@cache
def closings() -> "Closings":
    """Closed accounts in DynamoDB."""
    from cardstock.ledger.closings_store import DynamoClosings

    return DynamoClosings()


@cache
def debts() -> "Debts":
    """Debts in DynamoDB."""
    from cardstock.ledger.debts_store import DynamoDebts

    return DynamoDebts()


@cache
def write_offs() -> "WriteOffs":
    """Requested write-offs of debt, in DynamoDB."""
    from cardstock.ledger.store import DynamoWriteOffs

    return DynamoWriteOffs()


@cache
def calendar() -> "Calendar":
    """Orders due for release, by day, in DynamoDB."""
    from cardstock.ledger.store import DynamoCalendar

    return DynamoCalendar()


@cache
def statements() -> "Statements":
    """Members' statements in DynamoDB."""
    from cardstock.ledger.statements_store import DynamoStatements

    return DynamoStatements()


@cache
def seals() -> "Seals":
    """Noted transactions and the list of seals, in DynamoDB."""
    from cardstock.ledger.seals_store import DynamoSeals

    return DynamoSeals()


@cache
def seal_archive() -> "SealArchive":
    """Seals in S3."""
    from cardstock.aws.files import Files
    from cardstock.ledger.archive import S3SealArchive

    return S3SealArchive(Files(environment.text("REPORTS_BUCKET")))
