"""HTTP connections to the channels that money goes through."""

import httpx

CONNECT_TIMEOUT_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0


def client(base_url: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    """A thread-safe client. It ignores the environment's proxy and netrc, and follows no redirects."""
    return httpx.Client(
        base_url=base_url,
        timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
        transport=transport,
        trust_env=False,
        follow_redirects=False,
    )


def trouble(error: httpx.HTTPError) -> str:
    """`timeout` or `unreachable`. In both cases it is unknown whether the channel acted."""
    return "timeout" if isinstance(error, httpx.TimeoutException) else "unreachable"
