"""Factories of the bank accounts area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.bank_accounts.ports import Accounts, Vault


@cache
def accounts() -> "Accounts":
    """Bank accounts in DynamoDB."""
    from cardstock.bank_accounts.store import DynamoAccounts

    return DynamoAccounts()


@cache
def vault() -> "Vault":
    """Encrypts account numbers."""
    from cardstock.bank_accounts.vault import AesVault
    from cardstock.edge.secrets import secret

    return AesVault(lambda: secret(environment.text("ACCOUNTS_SECRET_ID")))
