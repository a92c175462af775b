"""Clients of AWS by botocore, without boto3's resources. A client costs some 60 ms of CPU, so each is created at its
first use. Three attempts, with time-outs shorter than a function's."""

from typing import Any

from botocore.config import Config


def client(service: str, *, connect_seconds: float, read_seconds: float, **how: Any) -> Any:
    """A client of `service`, as botocore's configuration `how` has it."""
    from botocore.session import get_session  # reads files: not at import, where every function would pay

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=connect_seconds, read_timeout=read_seconds, retries=retries, **how)
    return get_session().create_client(service, config=config)
