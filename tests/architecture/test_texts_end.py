"""No text that comes in ends in a line end, unless it may have several lines: `$` of Python would let one follow."""

import ast
import re
from typing import Annotated

import msgspec
import pytest

from cardstock.edge.http import LINE, SAID
from tests.house.cloud import ROOT
from tests.house.incoming import incoming

SEVERAL_LINES = {
    "AcceptReturn.reason", "AppointPartner.reason", "Approve.note", "ApproveWriteOff.note", "AskRefund.reason",
    "AskWriteOff.reason", "CardVersion.intro", "ClearItem.reason", "GrantRefund.reason", "Lift.reason",
    "ApprovePlan.reason", "AssumedApproval.reason", "DecideChange.reason", "RevealNumber.reason",
    "ReceiverData.address", "Description.zh", "Description.en",
}  # fmt: skip
"""Texts that may have several lines."""
LOOKED_UP = {
    "AskQuote.attribution": "signed", "PlaceOrder.quote": "signed", "PostView.ticket": "signed",
    "RefreshSession.refresh_token": "signed",
    "KeyPage.cursor": "signed", "OpenItemQuery.cursor": "signed", "PageOfWithdrawals.cursor": "signed",
    "PageQuery.cursor": "signed", "OrderQuery.cursor": "signed", "MemberQuery.cursor": "signed",
    "StaffProductQuery.cursor": "signed", "CardQuery.cursor": "signed", "SkuQuery.cursor": "signed",
    "ActionQuery.cursor": "signed", "SupplierOrderQuery.cursor": "signed",
    "ProductQuery.cursor": "signed", "StatementQuery.cursor": "signed",
    "CreateKey.owner": "read from the store", "KeyPage.owner": "read from the store",
    "CreateKey.scopes[]": "one of a list", "CreateEndpoint.events[]": "one of a list",
    "OpenSession.platform": "one of a list", "StartPayment.channel": "one of a list",
    "AskAgreement.channel": "one of a list", "ChargeOrder.agreement_id": "read from the store",
    "CreateEndpoint.url": "must be printable ASCII", "PutIdentity.id_number": "matched as a whole",
    "PutBankAccount.number": "only its digits are kept", "DecideChange.account_id": "compared with the stored one",
    "OpenSession.login_code": "asked of the platform", "OpenSession.phone_code": "asked of the platform",
    "PutPhone.login_code": "asked of the platform", "PutPhone.phone_code": "asked of the platform",
    "SimulatedOrder.order_id": "kept nowhere", "SimulatedOrder.member_id": "kept nowhere",
    "SimulatedOrder.inviter_id": "kept nowhere", "SimulatedLine.sku": "kept nowhere",
    "Simulate.partners[]": "kept nowhere",
}  # fmt: skip
"""Texts without a pattern, and what refuses one that nobody gave out."""
TRIED = ("1", "a", "ab12", "a" * 10, "a" * 26, "王小明", "13800138000")


INCOMING = incoming()


def test_every_text_of_one_line_has_a_pattern_that_ends_where_the_text_ends() -> None:
    patterns = {place: kind.pattern for place, (kind, _) in INCOMING.items() if place not in SEVERAL_LINES}

    assert [place for place, pattern in patterns.items() if pattern and not pattern.endswith(r"\Z")] == []
    assert {place for place, pattern in patterns.items() if pattern is None} == set(LOOKED_UP)
    assert set(INCOMING) >= SEVERAL_LINES
    assert {INCOMING[place][0].pattern for place in SEVERAL_LINES} <= {None, SAID}


@pytest.mark.parametrize("place", [place for place in INCOMING if place not in {*LOOKED_UP, *SEVERAL_LINES}])
def test_a_text_of_one_line_has_no_line_end(place: str) -> None:
    kind, examples = INCOMING[place]
    accepted = [text for text in (*examples, *TRIED) if re.search(kind.pattern, text)]

    assert accepted, "give the field an example that its pattern accepts"
    for text in accepted:
        for line_end in ("\n", "\r", "\r\n"):
            assert re.search(kind.pattern, text + line_end) is None


def test_what_decodes_reads_patterns_as_python_does() -> None:
    line = msgspec.json.Decoder(Annotated[str, msgspec.Meta(pattern=LINE)])
    dollar = msgspec.json.Decoder(Annotated[str, msgspec.Meta(pattern="^a$")])

    assert line.decode(b'"a b"') == "a b"
    with pytest.raises(msgspec.ValidationError):
        line.decode(b'"a\\n"')
    assert dollar.decode(b'"a\\n"') == "a\n"


DIGITS = {"PutIdentity.name": "a name has no digit of any script"}
"""Fields whose pattern means the digits of every script."""
DIGITS_IN_CODE = {
    "edge/faults.py": "the words of the pattern of a name",
    "members/schemas.py": "the pattern of a name",
    "recommendations/wording.py": "looks for numbers in what a model wrote",
}


def test_a_digit_of_a_pattern_is_one_of_ten() -> None:
    r"""`\d` takes the digits of every script, and `int` reads them: an id or a month would have many spellings."""
    said = {place for place, (kind, _) in INCOMING.items() if re.search(r"\\[dw]", kind.pattern or "")}
    package = ROOT / "layers/cardstock/python/cardstock"
    coded = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and r"\d" in node.value
    }

    assert said == set(DIGITS)
    assert coded == set(DIGITS_IN_CODE)


@pytest.mark.parametrize("place", [place for place in INCOMING if place not in LOOKED_UP])
def test_no_field_takes_a_digit_of_another_script_for_its_own(place: str) -> None:
    kind, examples = INCOMING[place]
    taken = [text for text in (*examples, *TRIED) if re.search(kind.pattern or "", text) and re.search("[0-9]", text)]
    foreign = [re.sub("[0-9]", lambda digit: chr(0x0660 + int(digit[0])), text) for text in taken]
    passed = [text for text in foreign if re.search(kind.pattern or "", text)]

    # What takes any letter takes them as letters.
    assert passed == [] or re.search(kind.pattern or "", "\u0661\u0628")
