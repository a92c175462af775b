"""The contract of the bank accounts' ports: what is in memory and what is real do the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.bank_accounts.model import BankAccount, Change, Holding, Notice, Reveal
from cardstock.bank_accounts.ports import Accounts, Vault
from cardstock.bank_accounts.store import DynamoAccounts
from cardstock.bank_accounts.vault import AesVault
from cardstock.errors import ConflictError
from tests.house.cloud import Cloud
from tests.people.memory_bank_accounts import MemoryAccounts, PlainVault

CONTRACT = {Accounts: (MemoryAccounts, DynamoAccounts), Vault: (PlainVault, AesVault)}
NOON = datetime(2026, 11, 30, 4, 0, 0, 123000, tzinfo=UTC)
KEYS = {"current": "1", "1": "a key"}


@pytest.fixture(params=["memory", "dynamo"])
def accounts(request: Any) -> Iterator[Accounts]:
    if request.param == "memory":
        yield MemoryAccounts()
    else:
        request.getfixturevalue("cloud")
        yield DynamoAccounts()


def account(number: str = "1") -> BankAccount:
    return BankAccount(f"bac_{number}", "张伟", "**** 7894", "工商银行", "西湖支行", "c2VhbGVk", "1", NOON)


def test_what_was_stored_is_found_and_each_write_needs_the_last_one(accounts: Accounts) -> None:
    nothing = accounts.find_holding("mem_1")
    change = Change(account("2"), "waiting", NOON + timedelta(hours=72), "stf_1", NOON, "why")
    notice = Notice("evt_1", "changed", NOON, "+86138****8000", "**** 7894")
    stored = accounts.replace(Holding("mem_1", account(), change, (notice,)))

    assert nothing == Holding("mem_1")
    assert stored.version == 1
    assert accounts.find_holding("mem_1") == stored
    assert accounts.find_holdings(["mem_1", "mem_2", "mem_1"]) == {"mem_1": stored}
    assert accounts.find_holdings([]) == {}
    assert accounts.replace(replace(stored, notices=())).version == 2
    with pytest.raises(ConflictError, match="BANK_ACCOUNT_CHANGED"):
        accounts.replace(replace(stored, current=account("3")))
    with pytest.raises(ConflictError, match="BANK_ACCOUNT_CHANGED"):
        accounts.replace(Holding("mem_1", account("4")))


def test_who_waits_is_listed_until_it_is_decided(accounts: Accounts) -> None:
    for index in range(3):
        change = Change(account(), "waiting", NOON + timedelta(hours=72))
        accounts.replace(Holding(f"mem_{index}", change=change))
    accounts.replace(Holding("mem_first", change=Change(account(), "confirmed", NOON)))
    held = accounts.find_holding("mem_1")
    first, after = accounts.waiting_page(2, None)
    rest, end = accounts.waiting_page(2, after)
    accounts.replace(replace(held, change=Change(account(), "refused", NOON)))

    assert (first, rest, end) == (["mem_0", "mem_1"], ["mem_2"], None)
    assert accounts.waiting_page(9, None) == (["mem_0", "mem_2"], None)


def test_a_reveal_is_stored(accounts: Accounts) -> None:
    accounts.add_reveal(Reveal("mem_1", "bac_1", "stf_1", NOON, "why"))

    assert accounts.find_holding("mem_1") == Holding("mem_1")


@pytest.fixture(params=[PlainVault, lambda: AesVault(lambda: KEYS)])
def vault(request: Any) -> Vault:
    made: Vault = request.param()
    return made


def test_a_number_is_opened_only_where_it_was_sealed(vault: Vault) -> None:
    key_id, sealed = vault.seal("6222021234567894", "mem_1/bac_1")

    assert "6222021234567894" not in sealed
    assert vault.open(sealed, key_id, "mem_1/bac_1") == "6222021234567894"
    with pytest.raises(ValueError, match="sealed"):
        vault.open(sealed, key_id, "mem_2/bac_1")
    with pytest.raises(KeyError):
        vault.open(sealed, "9", "mem_1/bac_1")


def test_two_seals_of_a_number_differ_and_a_rotation_keeps_the_old_key(cloud: Cloud) -> None:
    keys = dict(KEYS)
    vault = AesVault(lambda: keys)
    old, again = vault.seal("62220212", "m/1"), vault.seal("62220212", "m/1")
    keys |= {"2": "another key", "current": "2"}
    new = vault.seal("62220212", "m/1")

    assert old[1] != again[1]
    assert (old[0], new[0]) == ("1", "2")
    assert {vault.open(sealed, key_id, "m/1") for key_id, sealed in (old, again, new)} == {"62220212"}
    keys["2"] = "a wrong key"
    with pytest.raises(ValueError, match="sealed"):
        vault.open(new[1], "2", "m/1")
