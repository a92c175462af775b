"""The language model's server for recommendations: what a call may take, and what is counted of it."""

from typing import Final

from msgspec.structs import asdict

from cardstock.edge.observability import count, logger
from cardstock.platforms.chat_completions import Budget, ChatCompletions, Usage
from cardstock.recommendations.wording import TASK

BUDGET: Final = Budget(seconds=4.0, prompt_tokens=2_000, answer_tokens=800)


def record_usage(usage: Usage) -> None:
    """Log a call, and count it with its tokens."""
    logger.info("model called", **asdict(usage))
    count("ModelCalls")
    count("ModelTokens", usage.prompt_tokens + usage.answer_tokens)
    if usage.outcome != "ok":
        count("ModelFallbacks")


def open_gateway(*, base_url: str, model: str, api_key: str) -> ChatCompletions:
    """The gateway to one model of one server. Make one per process: it keeps its connections."""
    return ChatCompletions(base_url=base_url, model=model, api_key=api_key, budgets={TASK: BUDGET}, record=record_usage)
