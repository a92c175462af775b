"""Factories of the recommendations area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.platforms.chat_completions import ChatCompletions
    from cardstock.recommendations.store import DynamoRows


@cache
def learnt_rows() -> "DynamoRows":
    """Serving rows in DynamoDB."""
    from cardstock.recommendations.store import DynamoRows

    return DynamoRows()


@cache
def language_model() -> "ChatCompletions | None":
    """The language model; None where no server is set, and then httpx (some 80 ms) is not imported either."""
    base_url = environment.text("INFERENCE_BASE_URL")
    if not base_url:
        return None
    from cardstock.recommendations.model_gateway import open_gateway

    return open_gateway(
        base_url=base_url, model=environment.text("INFERENCE_MODEL"), api_key=environment.text("INFERENCE_API_KEY")
    )
