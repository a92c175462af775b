"""Secrets through Powertools Parameters: fetched at first use, kept for five minutes, so that a rotation arrives."""

from functools import cache
from typing import Any

from cardstock.errors import STORE_UNAVAILABLE

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
_MAX_AGE_SECONDS = 300


@cache
def _provider() -> Any:
    # Imported here: its boto3 client costs more than the rest of a cold start.
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from botocore.config import Config

    return SecretsProvider(
        boto_config=Config(connect_timeout=CONNECT_TIMEOUT_SECONDS, read_timeout=READ_TIMEOUT_SECONDS)
    )


def forget_provider() -> None:
    """Drop the client and what it holds; for tests that change the endpoint."""
    _provider.cache_clear()


def forget_values() -> None:
    """Drop what was fetched and keep the client; for tests, where one process is many functions."""
    _provider().clear_cache()


def secret(secret_id: str) -> dict[str, Any]:
    """The JSON object stored under `secret_id`. Raises `UnavailableError` when it cannot be had."""
    from aws_lambda_powertools.utilities.parameters import GetParameterError

    try:
        value = _provider().get(secret_id, transform="json", max_age=_MAX_AGE_SECONDS)
    except GetParameterError as error:
        raise STORE_UNAVAILABLE() from error
    if not isinstance(value, dict):
        raise TypeError(f"secret {secret_id} is not a JSON object")
    return value
