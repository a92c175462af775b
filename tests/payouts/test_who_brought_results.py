"""Who brought results and ended the retries stands on record, beside who opened and approved a payout."""

import io
from typing import Any

from openpyxl import load_workbook

from cardstock.clock import rfc3339
from tests.people.finance import PAYOUT, Finance, member_id
from tests.people.staff import person

HEADER = "业务参考号,户名,金额,处理结果,失败原因\n"


def facts(finance: Finance) -> list[tuple[str, str]]:
    """What the first page of the workbook says of the batch."""
    content = finance.cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/report.xlsx")["Body"].read()
    rows = load_workbook(io.BytesIO(content))["汇总 Summary"].iter_rows(values_only=True)
    return [(row[0], row[1]) for row in rows if row[0]]


def brought(finance: Finance) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = finance.payout()["results_brought"]
    return found


def test_a_payout_says_who_brought_each_file_and_each_result(finance: Finance) -> None:
    for index in (1, 2, 3):
        finance.member(index, 5_000)
    finance.tick()
    before = brought(finance)
    finance.run_steps()
    finance.approve()
    finance.run_steps()
    nobody = brought(finance)
    first, second, _ = (finance.lines()[member_id(index)]["number"] for index in (1, 2, 3))
    content = f"{HEADER}{first},张伟,50.00,成功,\n".encode()
    began = finance.clock.now()
    finance.bring_file(content, part=True)
    finance.clock.move(hours=1)
    finance.bring_file(content, part=True)  # nothing is new
    finance.results({"number": second, "result": "failed", "reason": "CLOSED"})
    finance.clock.move(hours=1)
    finance.results(others=True)
    finance.run_steps()
    payout = finance.payout()
    later = [rfc3339(began.replace(hour=began.hour + hours)) for hours in (0, 1, 2)]
    clerk = person("Wang Fang")
    said = [one for one in facts(finance) if "Results brought" in one[0]]

    assert before == nobody == []
    assert payout["status"] == "settled"
    assert payout["results_brought"] == [{"by": clerk, "at": at, "results": 1} for at in later]
    assert (payout["confirmed_by"], payout["confirmed_at"]) == (clerk, later[2])
    assert [clerk in text and "1 results" in text for _, text in said] == [True] * 3
    assert not any("Retries ended" in name for name, _ in facts(finance))


def test_what_the_channel_says_is_brought_by_nobody(finance: Finance) -> None:
    finance.member(1, 5_000)
    finance.sent_through("sandbox")
    finance.poll(hours=1)

    assert finance.lines()[member_id(1)]["status"] in ("sent", "paid")
    assert brought(finance) == []
