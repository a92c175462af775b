"""Factories of the payouts area, each lazy: a function loads only what it uses."""

import json
from functools import cache
from typing import TYPE_CHECKING

from cardstock import clock, environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import httpx

    from cardstock.ids import RequestKey
    from cardstock.payouts import ports as payouts_ports
    from cardstock.payouts.bringing import Brought
    from cardstock.payouts.tax.quarters import QuarterNeeds


def brand() -> str:
    """The brand's name on its reports."""
    return environment.text("BRAND_NAME")


@cache
def payouts() -> "payouts_ports.Payouts":
    """Payout batches in DynamoDB."""
    from cardstock.payouts.store import DynamoPayouts

    def opened(number: str) -> None:
        from cardstock.edge.observability import count, logger

        logger.error("transfer with contradicting results", number=number)
        count("OpenItemsOpened")

    return DynamoPayouts(opened)


def keep_request(request: "RequestKey", result: str) -> bool:
    """Remember a request whose work may be repeated; whether it was known."""
    from cardstock.aws.requests import keep

    return keep(request, result, clock.now())


@cache
def tax_files() -> "payouts_ports.TaxFiles":
    """The quarters whose tax files were written, in DynamoDB."""
    from cardstock.payouts.tax.store import DynamoTaxFiles

    return DynamoTaxFiles()


_transfer_transport: "httpx.BaseTransport | None" = None


def set_transfer_transport(new: "httpx.BaseTransport | None") -> None:
    """Replace the HTTP transport of the transfer channels; for tests."""
    global _transfer_transport  # noqa: PLW0603 - tests replace the transport here
    _transfer_transport = new
    _transfer_channel.cache_clear()


def transfer_channel(name: str) -> "payouts_ports.Channel":
    """The channel of a batch, created anew when its account in the secret has changed.

    Raises ValueError for an unknown channel.
    """
    if name not in ("wechat", "alipay"):
        return _transfer_channel(name, "")
    from cardstock.edge.secrets import secret

    return _transfer_channel(name, json.dumps(secret(environment.text("TRANSFER_SECRET_ID"))[name], sort_keys=True))


@cache
def _transfer_channel(name: str, account: str) -> "payouts_ports.Channel":
    if name == "sandbox" and environment.text("ENVIRONMENT") != "prod":
        from cardstock.payouts.channels.sandbox import SandboxTransfers

        return SandboxTransfers()
    if not account:
        raise ValueError(f"there is no transfer channel {name!r} here")
    from cardstock.edge.observability import count, logger
    from cardstock.payouts.channels.alipay import AlipayTransfers
    from cardstock.payouts.channels.wechat import WechatTransfers

    def report(number: str, what: str) -> None:
        logger.warning("transfer unanswered", number=number, outcome=what)
        count("TransfersUnanswered")

    made = WechatTransfers if name == "wechat" else AlipayTransfers
    return made(json.loads(account), report=report, transport=_transfer_transport)


def read_results(content: bytes, source: str, at: "datetime", *, whole: bool) -> "Brought":
    """The results in a bank's file; the reader is loaded when a file comes."""
    from cardstock.payouts.channels.results_file import read_results as read

    return read(content, source, at, whole=whole)


@cache
def report_files() -> "payouts_ports.Files":
    """Reports and transfer files in S3."""
    from cardstock.aws.files import Files

    return Files(environment.text("REPORTS_BUCKET"))


@cache
def report_writers() -> "Sequence[payouts_ports.Writer]":
    """The files of a report. Their libraries are in a layer that only the writing function has."""
    from cardstock.payouts.report import writers

    return writers()


@cache
def draft_writers() -> "Sequence[payouts_ports.DraftWriter]":
    """The files of a draft report."""
    from cardstock.payouts.report import draft_writers

    return draft_writers()


@cache
def quarter_writers() -> "Sequence[payouts_ports.QuarterWriter]":
    """The files of a quarter's tax report."""
    from cardstock.payouts.report import quarter_writers

    return quarter_writers()


def quarters() -> "QuarterNeeds":
    """The ports for writing the quarters' tax files."""
    from cardstock.payouts.tax.quarters import QuarterNeeds

    return QuarterNeeds(brand(), payouts(), tax_files(), report_files(), quarter_writers())


def request_step(payout_id: str, part: str = "") -> None:
    """Request the next step of a batch, or of a part of one."""
    from cardstock.payouts.queue import request_step as request

    request(payout_id, part)


@cache
def payout_map() -> "payouts_ports.PayoutMap":
    """Processes big batches in parts."""
    from cardstock.payouts.queue import QueuedPayoutMap

    return QueuedPayoutMap(environment.number("PAYOUT_MAP_ABOVE"))
