"""Bank accounts in memory: the ports of the bank accounts area, held to the same contract as the real ones."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import UseOnce
from cardstock.bank_accounts import errors
from cardstock.bank_accounts.model import Holding, Reveal


class MemoryAccounts:
    """`bank_accounts.ports.Accounts`."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}
        self.reveals: list[Reveal] = []

    def find_holding(self, member_id: str) -> Holding:
        return self._holdings.get(member_id) or Holding(member_id)

    def find_holdings(self, member_ids: Sequence[str]) -> Mapping[str, Holding]:
        return {member: self._holdings[member] for member in member_ids if member in self._holdings}

    def replace(self, holding: Holding, use: UseOnce | None = None) -> Holding:
        if self.find_holding(holding.member_id).version != holding.version:
            raise errors.BANK_ACCOUNT_CHANGED()
        changed = replace(holding, version=holding.version + 1)
        self._holdings[holding.member_id] = changed
        return changed

    def removal_step(self, member_id: str) -> Callable[[None], None]:
        def remove(_transaction: None) -> None:
            held = self._holdings.get(member_id)
            if held is not None:
                self._holdings[member_id] = Holding(member_id, version=held.version + 1, removed_at=clock.now())

        return remove

    def waiting_page(self, limit: int, after: str | None) -> tuple[list[str], str | None]:
        waiting = sorted(
            member
            for member, held in self._holdings.items()
            if held.change is not None and held.change.state == "waiting" and (after is None or member > after)
        )
        return waiting[:limit], waiting[limit - 1] if len(waiting) > limit else None

    def add_reveal(self, reveal: Reveal) -> None:
        self.reveals.append(reveal)


class PlainVault:
    """`bank_accounts.ports.Vault` that shows what is bound to what."""

    def seal(self, number: str, context: str) -> tuple[str, str]:
        return "1", f"{context}:{number[::-1]}"

    def open(self, sealed: str, key_id: str, context: str) -> str:
        begins, _, number = sealed.rpartition(":")
        if key_id != "1":
            raise KeyError(key_id)
        if begins != context:
            raise ValueError(f"{context} was not sealed so")
        return number[::-1]
