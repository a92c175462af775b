"""Factories of the members area, each lazy: a function loads only what it uses."""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cardstock import environment

if TYPE_CHECKING:
    import httpx

    from cardstock.members.consent_model import Purpose, Versions
    from cardstock.members.consents import CardVisitors
    from cardstock.members.ports import (
        ClosingRequests,
        Erasures,
        ExportFiles,
        ExportQueue,
        Exports,
        IdentityVerifier,
        LoginPlatform,
        Merges,
        Sessions,
    )
    from cardstock.members.sessions import RefreshNeeds
    from cardstock.members.store import DynamoMembers

DEVELOPMENT: Final = "dev"
_REAL: Final = ("wechat", "alipay", "douyin", "baidu")

_transports: "Mapping[str, httpx.BaseTransport]" = {}


def set_login_transports(new: "Mapping[str, httpx.BaseTransport]") -> None:
    """Replace the HTTP transports of login platforms, by their names; for tests."""
    global _transports  # noqa: PLW0603 - tests replace the transports here
    _transports = new
    _login_platform.cache_clear()
    _adapter.cache_clear()


class _LoginPlatforms(Mapping[str, "LoginPlatform"]):
    """The platforms by name, each made when somebody logs in on it, and anew when its part of the secret has changed.

    The development platform exists on a development machine alone, the others where the secret has apps of them.
    """

    def __getitem__(self, name: str) -> "LoginPlatform":
        if name not in self._known():
            raise KeyError(name)
        if name == DEVELOPMENT:
            return _development()
        from cardstock.edge.secrets import secret

        config = secret(environment.text("PLATFORMS_SECRET_ID")).get(name)
        if config is None:
            raise KeyError(name)
        return _login_platform(name, json.dumps(config, sort_keys=True))

    def __iter__(self) -> Iterator[str]:
        return iter(name for name in self._known() if self.get(name) is not None)

    def __len__(self) -> int:
        return len(list(iter(self)))

    @staticmethod
    def _known() -> tuple[str, ...]:
        return (DEVELOPMENT, *_REAL) if environment.text("ENVIRONMENT") == "local" else _REAL


@cache
def login_platforms() -> "Mapping[str, LoginPlatform]":
    """The platforms to log in on, by name.

    Getting one raises `UnavailableError` (PLATFORM_MISCONFIGURED) if its part of the secret cannot work.
    """
    return _LoginPlatforms()


@cache
def _development() -> "LoginPlatform":
    from cardstock.members.login_platforms.development import DevelopmentPlatform

    return DevelopmentPlatform()


@cache
def _login_platform(name: str, config: str) -> "LoginPlatform":
    from cardstock.members import errors

    try:
        return _made(name, json.loads(config))
    except ValueError as error:
        raise errors.PLATFORM_MISCONFIGURED() from ValueError(f"{name}: {error}")


def _made(name: str, config: Any) -> "LoginPlatform":
    if name == "wechat":
        from cardstock.members.login_platforms.wechat import WechatLogin
        from cardstock.platforms.wechat import Wechat

        wechat = Wechat(environment.text("WECHAT_URL"), transport=_transports.get(name))
        return WechatLogin(config, client=wechat, report=_report)
    if name == "douyin":
        from cardstock.members.login_platforms.douyin import DouyinLogin
        from cardstock.platforms.douyin import Douyin

        urls = environment.text("DOUYIN_LOGIN_URL"), environment.text("DOUYIN_URL")
        return DouyinLogin(config, client=Douyin(*urls, transport=_transports.get(name)), report=_report)
    if name == "baidu":
        from cardstock.members.login_platforms.baidu import BaiduLogin
        from cardstock.platforms.baidu import Baidu

        baidu = Baidu(environment.text("BAIDU_URL"), transport=_transports.get(name))
        return BaiduLogin(config, client=baidu, report=_report)
    from cardstock.members.login_platforms.alipay import AlipayLogin
    from cardstock.platforms.alipay import Alipay

    alipay = Alipay(environment.text("ALIPAY_URL"), transport=_transports.get(name))
    return AlipayLogin(config, client=alipay, report=_report)


def _report(platform: str, app_id: str, cause: str) -> None:
    from cardstock.edge.observability import count, logger

    logger.warning("login platform unanswered", platform=platform, app_id=app_id, cause=cause)
    count("LoginsUnanswered")


def can_verify() -> bool:
    """Whether anything here verifies names and identity numbers."""
    return bool(environment.text("IDENTITY_URL")) or environment.text("ENVIRONMENT") == "local"


def identity_verifier() -> "IdentityVerifier | None":
    """What verifies names and identity numbers; None where nothing does.

    Raises `UnavailableError` (IDENTITY_MISCONFIGURED) if its secret cannot work.
    """
    url = environment.text("IDENTITY_URL")
    if url:
        from cardstock.edge.secrets import secret

        return _adapter(url, json.dumps(secret(environment.text("IDENTITY_SECRET_ID")), sort_keys=True))
    if not can_verify():
        return None
    from cardstock.members.login_platforms.development import SelfAssertedIdentity

    return SelfAssertedIdentity()


@cache
def _adapter(url: str, config: str) -> "IdentityVerifier":
    from cardstock.edge.signatures import sign, verify
    from cardstock.members import errors
    from cardstock.members.login_platforms.identity_adapter import AdapterIdentity

    try:
        return AdapterIdentity(
            url,
            json.loads(config),
            sign=sign,
            verify=verify,
            report=_report_check,
            transport=_transports.get("identity"),
        )
    except ValueError:
        raise errors.IDENTITY_MISCONFIGURED() from ValueError("the identity secret cannot work")


def _report_check(check_id: str, cause: str) -> None:
    from cardstock.edge.observability import count, logger

    logger.warning("identity service unanswered", check_id=check_id, cause=cause)
    count("IdentityUnanswered")


@cache
def erasures() -> "Erasures":
    """Erasures of closed accounts."""
    from cardstock.members.erasure_store import DynamoErasures

    return DynamoErasures()


@cache
def consent_versions() -> "Versions":
    """The version of each purpose's text that is in force. Raises ValueError for a setting that says something else."""
    from cardstock.members.consent_model import read_versions

    return read_versions(environment.text("CONSENT_VERSIONS"))


def agreeing(member_ids: Collection[str], purpose: "Purpose") -> frozenset[str]:
    """Those of the members who agree to the purpose now. One read per hundred."""
    from cardstock.members import consents

    return consents.agreeing(member_ids, purpose, members=members(), versions=consent_versions())


@cache
def card_visitors() -> "CardVisitors":
    """Whom the owners of cards may see."""
    from cardstock.members.consents import CardVisitors

    return CardVisitors(members(), consent_versions())


@cache
def members() -> "DynamoMembers":
    """Members in DynamoDB."""
    from cardstock.members.store import DynamoMembers

    return DynamoMembers()


@cache
def member_sessions() -> "Sessions":
    """Sessions in DynamoDB."""
    from cardstock.members.session_store import DynamoSessions

    return DynamoSessions()


@cache
def refresh_needs() -> "RefreshNeeds":
    """The ports of refreshing a session."""
    from cardstock.edge.wiring import signer
    from cardstock.members.sessions import RefreshNeeds

    return RefreshNeeds(signer(), member_sessions(), tell_reuse, consent_versions())


@cache
def merges() -> "Merges":
    """Codes and groups of members who are one person, in DynamoDB."""
    from cardstock.members.merge_store import DynamoMerges

    return DynamoMerges()


@cache
def closing_requests() -> "ClosingRequests":
    """Requests to close an account, in DynamoDB."""
    from cardstock.members.closing_store import DynamoClosingRequests

    return DynamoClosingRequests()


@cache
def exports() -> "Exports":
    """Exports that members asked for, in DynamoDB."""
    from cardstock.members.export_store import DynamoExports

    return DynamoExports()


@cache
def export_queue() -> "ExportQueue":
    """The queue of exports to be written."""
    from cardstock.aws.queues import Queue
    from cardstock.members.exports_queue import ExportsQueue

    return ExportsQueue(Queue(environment.text("EXPORTS_QUEUE_URL")))


@cache
def export_files() -> "ExportFiles":
    """The files of exports, in S3."""
    from cardstock.aws.files import Files

    return Files(environment.text("EXPORT_FILES_BUCKET"))


def tell_reuse(member_id: str, session_id: str) -> None:
    """Log and count that a refresh token was used again after its time: somebody else may hold a session's tokens."""
    from cardstock.edge.observability import count, logger

    logger.warning("refresh token used again", member_id=member_id, session_id=session_id)
    count("RefreshTokensReused")
