"""What the members area needs from outside."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

import msgspec

from cardstock.files import Document
from cardstock.limits import Use
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.consent_model import Consent, Purpose
from cardstock.members.erasure_model import Erasure
from cardstock.members.export_model import Export, ExportFile
from cardstock.members.merge_model import Group, MergeCode
from cardstock.members.model import Member, Person, PlatformIdentity
from cardstock.members.session_model import Arrival, Closer, Invited, Leads, Outcome, PhoneChange, Session


class LoginPlatform(Protocol):
    """A platform that people log in on: WeChat, Alipay, Douyin, Baidu, or the development platform.

    Its session keys stay inside the adapter. Both methods raise `UnauthorizedError` (LOGIN_CODE_INVALID) when the
    platform does not know the code, `InvalidError` (APP_UNKNOWN) when no such app of the platform is configured,
    `ThrottledError` (LOGIN_TOO_OFTEN, with `retry_after` in seconds), and `UnavailableError`: PLATFORM_UNAVAILABLE when
    it did nothing, PLATFORM_MISCONFIGURED when it does not take our app id, secret, key or address; `UnauthorizedError`
    (LOGIN_CODES_USED) when it gave no usable answer, so that its codes may be used up.
    """

    @property
    def proves_holder(self) -> bool:
        """Whether `phone_of` shows that the person who logs in has the number: not where a proof that somebody else has
        seen is as good as the first time."""

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        """Who the person is whom the platform gave `login_code`. A code works once.

        Raises `ForbiddenError` (LOGIN_BLOCKED) for a person whom the platform keeps out.
        """

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        """The telephone number, E.164, that the platform has checked for the person `openid`.

        `phone_proof` is what the client got: a code, or signed text. Raises `ForbiddenError` (PHONE_NOT_GRANTED) where
        the app may not ask, or the person did not agree.
        """


class IdentityVerifier(Protocol):
    """A service that knows whether a name and an identity number belong together."""

    def verify(self, name: str, number: str) -> str:
        """The name of the method. Raises `RefusedError` (IDENTITY_MISMATCH) when they do not belong together, and
        `UnavailableError` (IDENTITY_UNAVAILABLE, IDENTITY_MISCONFIGURED) if that is not known. Safe to repeat."""


class Members(Protocol):
    """Where members are kept."""

    def find_member(self, member_id: str) -> Member | None:
        """The member, read consistently."""

    def find_with_session(self, member_id: str, session_id: str) -> tuple[Member | None, bool]:
        """The member, and whether the session goes on; consistently, in one read. Without a session's id (tokens of
        v0.2.0) none is asked for, and it does."""

    def find_member_by_phone(self, phone: str) -> Member | None:
        """The member who has the telephone number."""

    def look_up(self, keys: Collection[str], invite: str | None = None, uses: Collection[Use] = ()) -> Leads:
        """The members to whom the keys of accounts, union ids and telephone numbers lead, the one behind an invite (a
        member id, or the key of a card), and those of `uses` whose limit is reached. One read."""

    def look_closer(
        self, member_id: str | None, phone: str = "", invited: Invited | None = None, *, former: str = ""
    ) -> Closer:
        """The member as a log-in needs to know it, the member to whom a telephone number leads, and `invited` with the
        inviter's place; without `invited` if that one is no member any more. Under the key `former`: whose the number
        was. One read; none if nothing is left to read."""

    def enter(self, arrival: Arrival) -> bool:
        """Write a log-in: accounts, telephone number, session, the inviter; of a newcomer the member too. All of it
        or nothing; False if something was not as `arrival` says, so that it must be read again.

        Raises `RefusedError` by the rules of the network (INVITER_...): then nothing was asked of the store. Raises
        `ThrottledError` (TOO_MANY) if the limit of one of its `uses` is reached.
        """

    def change_phone(self, change: PhoneChange) -> bool:
        """Write a change of a telephone number: the old one is free, the new one leads to the member, and whoever had
        it is notified. All of it or nothing; False if something was not as `change` says: read it again.

        Raises `ThrottledError` (TOO_MANY) if the limit of one of its `uses` is reached.
        """

    def open_joining(self, member_id: str, until: datetime) -> bool:
        """Let an account with the member's number join until then; False for a member without number, erased, or
        linked with a person of the staff."""

    def count_refused(self, uses: Collection[Use], now: datetime) -> None:
        """Count the uses of a log-in that was refused. Says nothing if that fails, or if their limits are reached."""

    def keys_of(self, member_id: str) -> Iterator[str]:
        """The keys of all items about the member beside the member's own: accounts, union ids, telephone numbers, moves
        of a number away. May miss those of the last second."""

    def members_of_day(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Member], str | None]:
        """A page of the members who registered on a day of the brand, newest first, and the id after which the next
        page starts; None at the end. May miss those of the last second."""

    def change_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        """The changed member; None if there is no such member, or it was erased."""

    def change_consents(self, member: Member, consents: Mapping[Purpose, Consent], app: str, *steps: Any) -> bool:
        """Store the consents in place of those of `member` as it was read, a record of each that differs, and what the
        `steps` add to the transaction; `app` is the platform's app in which they were said. All of it or nothing.

        False if the member was erased, or has other consents by now than as it was read.
        """

    def unchanged_consents(self, member: Member) -> Any:
        """What makes another area's transaction fail unless the member's consents are as they were read, and no
        identity was taken from the member since."""

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        """Those of the members that exist, erased ones too, read consistently; one read per hundred."""

    def begin_closing(self, request: ClosingRequest) -> bool:
        """Keep since when the member wants the account closed, the first time counts, and the request in place of an
        earlier one. False for a member who is not there, erased, or linked with a person of the staff."""

    def closing_step(
        self, member: Member, now: datetime, former: str = "", request: ClosingRequest | None = None
    ) -> Any:
        """What closes the account, as a part of another area's transaction: the member is erased, and forgotten but for
        what tax needs, the telephone number is free, and the request to close it is gone. Under the key `former` it is
        kept whose the number was. With `request` it fails if the member has said something else since."""

    def identity_salt(self) -> bytes:
        """The brand's salt for identity numbers: made when first asked for, never another."""

    def add_person(self, member_id: str, person: Person, consents: Mapping[Purpose, Consent] | None = None) -> bool:
        """Keep whom the member was verified as, unless the member was verified before, or has other consents by now
        than `consents` (None: any); whether it was kept.

        From then on the members who are the same person know each other as `siblings`. Raises `RefusedError`
        (IDENTITY_IN_USE) when `MOST_MEMBERS` of them are this person already.
        """

    def identity_taken(self, member: Member) -> Any:
        """What takes the verified person from the member, as a part of another area's transaction; one read. The member
        is no sibling any more, and never this person again. It fails if the member has no person by then, or another
        member became or ceased to be this person."""


class ClosingRequests(Protocol):
    """The requests to close an account that wait. `Members` stores them, and removes them with the closing."""

    def waiting_members(self) -> Sequence[str]:
        """Whose requests wait, in no order. May miss those of the last second, and name some that are done."""

    def find_request(self, member_id: str) -> ClosingRequest | None:
        """The member's request, read consistently; None if none waits."""


class Erasures(Protocol):
    """What is left to be erased of closed accounts. Every step may be repeated."""

    def due_erasures(self, now: datetime) -> Iterator[Erasure]:
        """The erasures that can go on, in no order. May miss those of the last second."""

    def go_on_at(self, erasure: Erasure, now: datetime) -> None:
        """Keep when an erasure goes on, its `next_at`."""

    def finish(self, member_id: str) -> None:
        """Forget the erasure: nothing is left."""

    def forget_pointer(self, key: str, member_id: str, former: str, until: datetime) -> None:
        """Remove what leads from an account, a union id or a telephone number to the member, unless it leads to another
        one by now, and keep under the key `former` until then whose it was."""

    def expire(self, key: str, at: datetime) -> None:
        """Let an item about a member go at a moment."""

    def forget_account(self, member_id: str) -> None:
        """Forget with which account the closed member registered, and what the member agrees to now."""

    def forget_person(self, member_id: str) -> None:
        """Forget whom the closed member was verified as. Siblings stay the same person as the closed account
        (`former`), and are siblings of each other alone."""


class Holdings(Protocol):
    """What members have in other areas."""

    def has_holdings(self, member_id: str, since: datetime) -> bool:
        """Whether the member has, or had, money, a bank account or a place in the network, or placed an order since."""


class Sessions(Protocol):
    """Where members' sessions are kept. `Members.enter` starts them. An expired one may still be found."""

    def sessions_of(self, member_id: str) -> Sequence[Session]:
        """The member's sessions, in no order: at most `MOST_SESSIONS`."""

    def use_number(self, member_id: str, session_id: str, number: int, now: datetime, agreed: int) -> Outcome:
        """Raise the session's number and renew it, if it is `number`; where it stands then, changed or not.

        None if there is no such session, "erased" if there is no such member any more, "lapsed" if the member has not
        agreed to version `agreed` of `account`, or a later one. Of two at once one raises it.
        """

    def adopt(self, session: Session, agreed: int) -> Outcome:
        """Keep a session made of a refresh token of v0.2.0, from which its id is derived; where it stands then.

        None if it was kept before and has ended, or if such tokens are refused; "erased" and "lapsed" as above.
        """

    def refuse_earlier(self, member_id: str, now: datetime) -> None:
        """Adopt nothing more for the member."""

    def end(self, member_id: str, session_id: str) -> bool:
        """End a session; whether there was one."""

    def end_all(self, member_id: str, now: datetime) -> None:
        """End all sessions of the member, and adopt nothing more. One that starts meanwhile ends, or starts later."""


class Merges(Protocol):
    """Codes for merging, groups of members who are one person, and what follows for counts."""

    def put_code(self, code: MergeCode) -> None:
        """Keep a code; from now on it is the only one of its member that can be used."""

    def find_code(self, digest: str) -> MergeCode | None:
        """The code, read consistently; None for an unused one after which its member made another.

        An expired one may be found."""

    def find_group(self, group_id: str) -> Group | None:
        """The group, read consistently."""

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        """Those of the members that exist, in one consistent read."""

    def commit(self, step: "MergeStep") -> bool:
        """Write a step: all of it or nothing. False if something is not as the step read it: decide again."""


class MergeStep(msgspec.Struct, frozen=True):
    """What a merge or its end writes, and what it was decided on."""

    before: Mapping[str, Member]
    """The members whose group or person changes, as they were read."""
    after: Mapping[str, Member]
    """The same members with the new group and person."""
    change: Any
    """What changes in the network, as that area decided it."""
    group: Group | None = None
    """The group as it is from then on; of one member: there is none any more."""
    code: MergeCode | None = None
    """The code that is used up."""


class Inviters(Protocol):
    """Who brought whom."""

    def member_behind(self, invite: str) -> str | None:
        """The member behind an invite: a member id, or the key of a card."""

    def bind_inviter(self, member_id: str, inviter_id: str) -> None:
        """Set who brought the member. Raises `RefusedError` (INVITER_...) by the rules of the network."""


class Exports(Protocol):
    """Where it is kept which exports members asked for."""

    def add(self, export: Export) -> Export:
        """Keep a new export, counted with it; the one that is kept under its id. Raises `UnauthorizedError`
        (MEMBER_ERASED), `ThrottledError` (TOO_MANY: `EXPORTS` new ones of the member)."""

    def find(self, export_id: str) -> Export | None:
        """The export, read consistently."""

    def of_member(self, member_id: str) -> Sequence[Export]:
        """The member's exports, in no order. May miss those of the last second."""

    def finish(self, export: Export, file: ExportFile) -> bool:
        """Keep the file of an export that has none; a repeat changes nothing. False if the export or its member is not
        there any more."""

    def remove(self, export_id: str) -> None:
        """Remove an export; a repeat changes nothing."""


class ExportQueue(Protocol):
    """Where exports wait to be written."""

    def send(self, export: Export) -> None:
        """Have the file written, a while from now. A repeat does no harm. Raises `UnavailableError`."""


class ExportFiles(Protocol):
    """The files of exports."""

    def put_first(self, key: str, document: Document) -> bytes:
        """Write a file, unless there is one under the key; the content of the one that is there then."""

    def link(self, key: str) -> str:
        """A link with which anybody can read the file for a quarter of an hour. Raises `NotFoundError`."""

    def remove(self, key: str) -> None:
        """Remove a file; a repeat changes nothing."""
