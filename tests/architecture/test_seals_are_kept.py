"""What makes a seal last: who may write one, that nobody may replace or remove one, and for how long it is locked."""

from typing import Any

from tests.house.rights import granted
from tests.house.stacks import stack

STACK: dict[str, Any] = stack("infra/shared.yaml")
BUCKET = STACK["Resources"]["Reports"]["Properties"]


def test_one_function_writes_seals_and_nobody_deletes_any() -> None:
    writers = {name for name, rights in granted().items() if ("s3:PutObject", "Reports/seals/*") in rights}
    removed = {what for rights in granted().values() for action, what in rights if action.startswith("s3:Delete")}

    assert writers == {"LedgerNightlySeal"}
    assert removed == {"ExportFiles/exports/*", "UploadFiles/incoming/*", "UploadFiles/kept/*"}


def test_the_bucket_refuses_to_replace_or_remove_a_seal_whoever_asks() -> None:
    statements = STACK["Resources"]["ReportsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    denied = {entry["Sid"]: entry for entry in statements if entry["Effect"] == "Deny" and entry["Principal"] == "*"}
    seals = {"Fn::Sub": "${Reports.Arn}/seals/*"}

    assert denied["SealsStay"]["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert denied["SealsAreWrittenOnce"]["Action"] == "s3:PutObject"
    assert denied["SealsAreWrittenOnce"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert denied["SealsStay"]["Resource"] == denied["SealsAreWrittenOnce"]["Resource"] == seals


def test_where_tables_are_protected_every_version_is_locked_for_ten_years() -> None:
    condition, locked, unlocked = BUCKET["ObjectLockConfiguration"]["Fn::If"]

    assert STACK["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Protection"}, "true"]}
    assert locked["Rule"] == {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 10}}
    assert unlocked == {"Ref": "AWS::NoValue"}
    assert BUCKET["ObjectLockEnabled"]["Fn::If"][:2] == [condition, True]
