"""Purposes for which a member's data are processed, and what the member has said of each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import msgspec

from cardstock.clock import from_epoch_ms, to_epoch_ms

if TYPE_CHECKING:
    from cardstock.members.model import Member

Purpose: TypeAlias = Literal["account", "card_visits", "recommendations", "identity_check", "bank_account"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

Basis: TypeAlias = Literal["contract", "consent", "separate_consent"]
"""Why the law allows it: PIPL 13(1)(2), 13(1)(1), or 13(1)(1) with a consent of its own (23, 29)."""

Versions: TypeAlias = Mapping[Purpose, int]
"""The version of each purpose's text that is in force. A consent to an older one has lapsed (PIPL 14(2))."""
FIRST: Final[Versions] = MappingProxyType(dict.fromkeys(PURPOSES, 1))

ConsentState: TypeAlias = Literal["missing", "given", "lapsed", "withdrawn"]
CONSENT_TRANSITIONS: Final[Mapping[ConsentState, frozenset[ConsentState]]] = {
    "missing": frozenset({"given", "withdrawn"}),
    "given": frozenset({"lapsed", "withdrawn"}),
    "lapsed": frozenset({"given", "withdrawn"}),
    "withdrawn": frozenset({"given"}),
}
"""A consent may be withdrawn that was never recorded: by a member of a release that recorded none."""


class Consent(msgspec.Struct, frozen=True):
    """What a member said last of a purpose: of which version of its text, whether yes, and when."""

    version: int
    granted: bool
    at: datetime


class ConsentRecord(msgspec.Struct, frozen=True):
    """What a member said of a purpose at some time, in which app of which platform."""

    purpose: Purpose
    said: Consent
    app: str


class Notice(msgspec.Struct, frozen=True):
    """What a person reads of a purpose before agreeing (PIPL 17), in one language."""

    title: str
    what: str
    why: str
    to_whom: str
    how_long: str
    how_withdrawn: str
    kept: str
    """What is kept after a withdrawal, and why."""


class Terms(msgspec.Struct, frozen=True):
    """A purpose: on what basis, by which articles of PIPL, and its texts."""

    basis: Basis
    articles: str
    withdrawable: bool
    """Whether it is withdrawn by itself; else by closing the account."""
    zh: Notice
    en: Notice

    def notice(self, language: str) -> Notice:
        """The text in `zh` or `en`."""
        return self.en if language == "en" else self.zh


def read_versions(text: str) -> Versions:
    """The versions that `account:2 card_visits:3` raises; all others are 1. Raises ValueError for any other text."""
    found = dict(FIRST)
    for part in text.split():
        name, _, number = part.partition(":")
        if not (number.isascii() and number.isdecimal() and int(number) >= 1):
            raise ValueError(f"{part} is no version of a purpose")
        found[known_purpose(name)] = int(number)
    return MappingProxyType(found)


def known_purpose(name: str) -> Purpose:
    """`name` as a purpose. Raises ValueError for any other text."""
    for purpose in PURPOSES:
        if purpose == name:
            return purpose
    raise ValueError(f"there is no purpose {name}")


def state_of(member: "Member", purpose: Purpose, versions: Versions) -> ConsentState:
    """How the member's consent to the purpose stands. One that was given to an older version has lapsed."""
    said = member.consents.get(purpose)
    if said is None:
        return "missing"
    if not said.granted:
        return "withdrawn"
    return "given" if said.version >= versions[purpose] else "lapsed"


def allows(member: "Member", purpose: Purpose, versions: Versions) -> bool:
    """Whether the member's data may be processed for the purpose: an erased member allows nothing."""
    return member.state != "erased" and state_of(member, purpose, versions) == "given"


def has_withdrawn(member: "Member", purpose: Purpose) -> bool:
    """Whether the member has said no. Nothing on record, or a consent that has lapsed, is no withdrawal."""
    said = member.consents.get(purpose)
    return said is not None and not said.granted


def with_consent(
    consents: Mapping[Purpose, Consent], purpose: Purpose, version: int, now: datetime, *, granted: bool
) -> Mapping[Purpose, Consent]:
    """The consents with what is said now; these very ones if that was said before. What is said later has a later
    time, to the millisecond, so that records have their order."""
    before = consents.get(purpose)
    if before is not None and (before.version, before.granted) == (version, granted):
        return consents
    at = from_epoch_ms(to_epoch_ms(now))
    if before is not None:
        at = max(at, before.at + timedelta(milliseconds=1))
    return dict(sorted({**consents, purpose: Consent(version, granted, at)}.items()))


def changed(before: Mapping[Purpose, Consent], after: Mapping[Purpose, Consent]) -> Mapping[Purpose, Consent]:
    """What was said between two states of a member's consents."""
    return {purpose: said for purpose, said in after.items() if before.get(purpose) != said}
