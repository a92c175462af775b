"""The local login platforms on httpx's seam: requests reach them without a network, at the time of the test's clock."""

import httpx

from infra.local.platforms.people import Asked, Platform
from infra.local.small_server import HalfAnswerError, NoAnswerError


def transport_to(platform: Platform) -> httpx.MockTransport:
    """Carries calls to `platform`; a stalled answer is a time-out, half an answer a broken connection."""

    def carry(request: httpx.Request) -> httpx.Response:
        asked = Asked(
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode("ascii"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
        )
        try:
            given = platform.answer(asked)
        except NoAnswerError:
            raise httpx.ReadTimeout("late", request=request) from None
        except HalfAnswerError:
            raise httpx.RemoteProtocolError("half", request=request) from None
        return httpx.Response(given.status, headers=dict(given.headers), content=given.body)

    return httpx.MockTransport(carry)
