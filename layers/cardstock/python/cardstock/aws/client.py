"""Clients of AWS: botocore alone, without boto3's resources; a client costs some 60 ms of CPU, so each is made when it
is first used. Three attempts, with time-outs that a function can wait for."""

from typing import Any

from botocore.config import Config


def client(service: str, *, connect_seconds: float, read_seconds: float, **how: Any) -> Any:
    """A client of `service`, as botocore's configuration `how` has it."""
    from botocore.session import get_session  # reads files; at import every function would pay for it

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=connect_seconds, read_timeout=read_seconds, retries=retries, **how)
    return get_session().create_client(service, config=config)
