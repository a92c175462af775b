"""Whatever happens to a night that writes a quarter's tax file, the next one ends in the same bytes and one record."""

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from cardstock.aws import files as s3
from cardstock.aws import queues as sqs
from cardstock.clock import rfc3339
from cardstock.errors import CardstockError
from cardstock.payouts import wiring
from cardstock.payouts.line_store import LineItem
from cardstock.payouts.lines import transfer_number
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.tax.model import TaxFile
from functions.payouts.nightly_tax import app
from tests.house import faults
from tests.house.cloud import Cloud, Context

PERIODS = [Period(f"2026-{month}") for month in (10, 11, 12)]
NIGHT = PERIODS[-1].ends + timedelta(days=9)
LABOUR = Rules(1_000, "bank_file", 10, "labour", "labour-2019")


def settled(period: Period) -> None:
    """A batch that is over, with one line, as the steps leave it."""
    batch = Batch(
        batch_id(period), period, "settled", LABOUR, "schedule", period.ends, listed_at=period.ends,
        closed_at=period.ends + timedelta(days=2),
    )  # fmt: skip
    wiring.payouts().open_batch(batch)
    number = transfer_number("mem_1", period, 1)
    LineItem(
        pk=batch.id, sk=f"line#{number}", member="mem_1", attempt=1, listed=100_000, status="paid",
        gross=100_000, tax=4_000, net=96_000, name="张伟", person="prs_1", id_number="1***X", tax_table="labour-2019",
        sent_at=batch.closed_at, closed_at=batch.closed_at,
    ).save()  # fmt: skip


def night(days: int = 0) -> Any:
    return app.handler({"scheduled_at": rfc3339(NIGHT + timedelta(days=days))}, Context())


def picture(cloud: Cloud) -> tuple[list[str], dict[str, bytes]]:
    """The records without the time of writing, and every file."""
    found = [json.loads(item["data"]["S"]) for item in cloud.items("payouts") if item["pk"]["S"] == "tax-files"]
    rows = [json.dumps(data | {"written_at": 0}, sort_keys=True) for data in found]
    listed = cloud.s3.list_objects_v2(Bucket="reports").get("Contents", [])
    return rows, {
        entry["Key"]: cloud.s3.get_object(Bucket="reports", Key=entry["Key"])["Body"].read() for entry in listed
    }


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_night_and_the_next_one_write_what_an_undisturbed_one_does(cloud: Cloud, mode: faults.Mode) -> None:
    sqs.forget_client()
    s3.forget_client()
    for period in PERIODS:
        settled(period)
    before = cloud.snapshot()
    with faults.watch() as calls:
        night()
    wanted, points = picture(cloud), len(calls)

    assert len(wanted[0]) == 1
    assert set(wanted[1]) == {"tax/2026-Q4/tax-2026-Q4.xlsx", "tax/2026-Q4/tax-2026-Q4.csv"}
    for point in range(points):
        before.restore()
        with contextlib.suppress(CardstockError, PynamoDBException, BotoCoreError, ClientError), faults.at(point, mode):
            faults.survive(night)
        night(1)
        assert picture(cloud) == wanted, (calls[point], mode)
    before.restore()


def test_two_nights_at_once_keep_the_first_one_s_record(cloud: Cloud) -> None:
    store = wiring.tax_files()
    first, second = (TaxFile("2026-Q4", NIGHT + timedelta(days=day), (), 1, 2, 3, ()) for day in (0, 1))
    store.add_tax_file(first)
    store.add_tax_file(second)

    assert store.newest_tax_files(limit=5) == [first]
