"""Secrets through Powertools Parameters: fetched at first use, kept for five minutes, so that a rotation arrives."""

from typing import Any

_MAX_AGE_SECONDS = 300


def secret(secret_id: str) -> dict[str, Any]:
    """The JSON object stored under `secret_id`. Raises Powertools' GetParameterError when it cannot be had."""
    from aws_lambda_powertools.utilities import parameters  # its boto3 client costs more than the rest of a cold start

    value = parameters.get_secret(secret_id, transform="json", max_age=_MAX_AGE_SECONDS)
    if not isinstance(value, dict):
        raise TypeError(f"secret {secret_id} is not a JSON object")
    return value
