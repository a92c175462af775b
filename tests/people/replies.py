"""What a handler answered, decoded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, JSON body and headers of an answer."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def replayed(self) -> bool:
        """Whether an earlier answer to the same Idempotency-Key was given again."""
        return self.headers.get("Idempotent-Replayed") == "true"


def reply(answer: Mapping[str, Any]) -> Reply:
    """A handler's answer, decoded."""
    headers = {**answer.get("headers", {})}
    headers.update({name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()})
    return Reply(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, headers)
