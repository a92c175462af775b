"""HTTP: what members' data are processed for, and what members agree to."""

from cardstock.aws.counters import DynamoCounts
from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED
from cardstock.flows import consenting
from cardstock.flows.consenting_wiring import consent_needs
from cardstock.members import consent_schemas as schemas
from cardstock.members.consents import AGREEMENTS
from cardstock.members.profile import find_caller
from cardstock.members.wiring import consent_versions, members
from cardstock.partners.wiring import callers

api = Api("consents", callers=callers, counts=DynamoCounts)


@api.get("/v1/consent-purposes", answer=schemas.PurposeList)
def list_purposes(request: Request[Nothing, Nothing]) -> schemas.PurposeList:
    """List what members' data are processed for.

    Show a purpose's text before asking for the consent, and send its `version` with it. A log-in needs the consent to
    `account`; the others are asked for where they are needed, and nothing else depends on them.
    """
    return schemas.PurposeList.of(consent_versions(), request.language)


@api.get("/v1/me/consents", answer=schemas.ConsentList, auth="member", codes=(MEMBER_ERASED,))
def list_consents(request: Request[Nothing, Nothing]) -> schemas.ConsentList:
    """List what the member said of each purpose."""
    member = find_caller(request.caller.id, members=members())
    return schemas.ConsentList.of(member, consent_versions(), request.language)


@api.put(
    "/v1/me/consents/{purpose}", body=schemas.PutConsent, answer=schemas.ConsentView, auth="member",
    codes=schemas.CHANGE_CODES, limit=AGREEMENTS,
)  # fmt: skip
def put_consent(request: Request[schemas.PutConsent, Nothing]) -> schemas.ConsentView:
    """Agree to a purpose, or withdraw that, which acts from the next request on.

    To agree, `version` must be the one in force (`CONSENT_OUTDATED`); a withdrawal needs none, and `kept` says what is
    kept, and why. Withdrawn `recommendations` deletes what was learnt, `bank_account` the account (a payout under way
    keeps its own copy); `card_visits` hides the member in lists of visitors; after `identity_check` nothing is checked
    or paid out. `account` is withdrawn by closing the account. A repeat changes nothing.

    A withdrawal is never refused for its number. A member agrees anew thirty times a day at most, over all purposes
    (`TOO_MANY`); repeats are not counted.
    """
    purpose, said, needs = schemas.purpose_named(request.path["purpose"]), request.body, consent_needs()
    caller, count = request.caller, request.count
    member = consenting.say(caller.id, purpose, said.version, caller.app, needs, granted=said.granted, count=count)
    return schemas.ConsentView.of(member, purpose, needs.versions, request.language)


handler = api.handler
connect()
