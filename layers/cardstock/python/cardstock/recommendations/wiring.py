"""Factories of the recommendations area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.platforms.chat_completions import ChatCompletions
    from cardstock.recommendations.store import DynamoRows


@cache
def learnt_rows() -> "DynamoRows":
    """What was learnt for recommendations, in DynamoDB."""
    from cardstock.recommendations.store import DynamoRows

    return DynamoRows()


@cache
def inference() -> "ChatCompletions | None":
    """The model gateway; None where no model server is set, and then httpx (some 80 ms) is not imported either."""

    if not environment.text("INFERENCE_BASE_URL"):
        return None
    from msgspec.structs import asdict

    from cardstock.edge.observability import count, logger
    from cardstock.platforms.chat_completions import ChatCompletions, Usage

    def record(usage: Usage) -> None:
        logger.info("model called", **asdict(usage))
        count("ModelCalls")
        count("ModelTokens", usage.prompt_tokens + usage.answer_tokens)
        if usage.outcome != "ok":
            count("ModelFallbacks")

    return ChatCompletions(
        base_url=environment.text("INFERENCE_BASE_URL"),
        model=environment.text("INFERENCE_MODEL"),
        api_key=environment.text("INFERENCE_API_KEY"),
        record=record,
    )
