"""Log-ins to the console, its sessions, and the record of the staff, as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta

from cardstock.clock import day_ends, rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import Day, Moment, NextCursor, PersonId, day_in_query
from cardstock.edge.http import Model
from cardstock.staff.actions import RecordedAction
from cardstock.staff.console_model import PendingLogin
from cardstock.staff.logging_in import AskedLogin
from cardstock.staff.roles import ROLES, Role

LoginId = Annotated[str, Meta(description="Opaque id of a log-in.", examples=["a3f1" * 16])]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{2}\Z", description="Two digits.", examples=["47"])]


class AskLogin(Model):
    """Who wants to log in."""

    person_id: Annotated[
        str,
        Meta(
            pattern=r"^stf_[0-9a-z]{26}\Z",
            description="Person of the staff. An unknown one gets the same answer.",
            examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
        ),
    ]


class AskedLoginView(Model):
    """A log-in that waits for the person's phone."""

    digits: Annotated[Digits, Meta(description="What the page shows; the person chooses it on the phone.")]
    expires_at: Annotated[Moment, Meta(description="When the log-in ends.")]

    @classmethod
    def of(cls, asked: AskedLogin) -> AskedLoginView:
        """The log-in for the browser that asked."""
        return cls(asked.login.digits, rfc3339(asked.login.ends_at))


class CollectedLogin(Model):
    """Whether the phone has let the browser in."""

    state: Annotated[
        Literal["waiting", "logged_in"],
        Meta(description="`waiting` until the phone has answered; ask again after two seconds."),
    ]


class ConsoleUser(Model):
    """Who is logged in, and what that person may do."""

    person_id: PersonId
    name: Annotated[str, Meta(description="The person's name.", examples=["Li Na"])]
    scopes: Annotated[list[str], Meta(description="What the person may do now.", examples=[["payouts:read"]])]


class WaitingLogin(Model):
    """A browser that wants to log in as the person."""

    login_id: LoginId
    browser: Annotated[str, Meta(description="Browser and system, as it says itself.", examples=["Chrome, Windows"])]
    place: Annotated[
        str,
        Meta(
            description="The network address without its last part.",
            examples=["203.0.113.x"],
        ),
    ]
    known: Annotated[
        bool, Meta(description="Whether the person has logged in with this browser before.", examples=[True])
    ]
    at: Annotated[Moment, Meta(description="When the browser asked.")]
    expires_at: Annotated[Moment, Meta(description="When the log-in ends.")]
    choices: Annotated[list[str], Meta(description="The digits to choose from.", examples=[["12", "47", "83"]])]

    @classmethod
    def of(cls, login: PendingLogin) -> WaitingLogin:
        """The log-in for the phone of its person."""
        at, ends = rfc3339(login.made_at), rfc3339(login.ends_at)
        return cls(login.login_id, login.browser, login.place, login.known, at, ends, list(login.choices))


class WaitingLogins(Model):
    """The browsers that want to log in as the person who the member is."""

    items: Annotated[
        list[WaitingLogin],
        Meta(
            description="Ten at most: known browsers first, then the newest of each place. Empty for a member "
            "who is no staff."
        ),
    ]


class ChooseDigits(Model):
    """What the person reads on the page."""

    digits: Digits


class RoleView(Model):
    """A role and what it gives."""

    role: Annotated[Role, Meta(description="What `PUT /v1/staff/{person_id}/roles` takes.")]
    name: Annotated[str, Meta(description="The role's name.", examples=["Finance"])]
    scopes: Annotated[list[str], Meta(description="The scopes that it gives.", examples=[["payouts:read"]])]


class RoleList(Model):
    """All roles."""

    items: Annotated[list[RoleView], Meta(description="Every role there is.")]

    @classmethod
    def in_language(cls, language: str) -> RoleList:
        """The roles with their names in `zh` or `en`."""
        return cls(
            [
                RoleView(role, terms.en if language == "en" else terms.zh, sorted(terms.scopes))
                for role, terms in ROLES.items()
            ]
        )


class ActionQuery(PageQuery):
    """Which actions to list."""

    person_id: (
        Annotated[
            str,
            Meta(
                pattern=r"^(root|stf_[0-9a-z]{26})\Z",
                description="Of this person alone, or of the root key (`root`); absent: of everybody.",
                examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
            ),
        ]
        | None
    ) = None
    day: Annotated[Day, Meta(description="Of this day of the brand alone; absent: of all days.")] | None = None

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """Beginning and end of the day asked for. Raises `InvalidError` QUERY_INVALID."""
        day = day_in_query(self.day, "day")
        return (None, None) if day is None else (day_ends(day - timedelta(days=1)), day_ends(day))


class ActionView(Model):
    """What a person did."""

    action_id: Annotated[str, Meta(description="Opaque id.", examples=["act_01kbdxdh50fcazdjhcnqh2rzv5"])]
    person_id: Annotated[
        str, Meta(description="Who: a person, or `root`.", examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"])
    ]
    at: Annotated[Moment, Meta(description="When it began.")]
    by: Annotated[str, Meta(description="The key that was used, or `session`.", examples=["session"])]
    call: Annotated[str, Meta(description="What.", examples=["POST /v1/orders/{order_id}/returns"])]
    things: Annotated[str, Meta(description="To what, by id.", examples=["order_id=ord_01kbdxdh50fcazdjhcnqh2rzv5"])]
    details: Annotated[
        str, Meta(description="Numbers and choices that were sent; the rest is masked.", examples=["amount_fen=500"])
    ]
    reason: Annotated[str, Meta(description="Why, with long numbers masked.", examples=["late parcel"])]
    trace_id: Annotated[str, Meta(description="The request in the log.", examples=["JKJaXmPLvHcESHA="])]

    @classmethod
    def of(cls, action: RecordedAction) -> ActionView:
        """The action for an owner."""
        return cls(
            action.action_id, action.person_id, rfc3339(action.at), action.by, action.call, action.things,
            action.details, action.reason, action.trace_id,
        )  # fmt: skip


class ActionList(Model):
    """A page of what was done."""

    items: Annotated[list[ActionView], Meta(description="Actions, newest first.")]
    next_cursor: NextCursor
