"""The queue edge: SQS batches with partial failures, so that a poison message ends in its dead-letter queue alone
while its neighbours are handled once."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cardstock.edge.observability import flush, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def each(consume: Callable[[bytes], None], *, finish: Callable[[], None] | None = None) -> Handler:
    """A handler that gives `consume` the body of one message at a time, and then calls `finish`.

    A message whose `consume` raises is reported as failed, alone; it comes again until the queue's redrive policy
    moves it to the dead-letter queue. When `finish` raises, what the batch still had to do is not done, and every
    message of it is reported. `consume` must be safe to repeat.
    """
    # The batch module looks whether pydantic is loaded when it is imported; nothing here loads it (40 ms saved).
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def record_handler(record: "SQSRecord") -> None:
        try:
            consume(record.body.encode())
        except Exception:  # logged with its message, then left to the batch
            logger.exception("message failed", message_id=record.message_id)
            raise

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            answer = process_partial_response(
                event=event, record_handler=record_handler, processor=processor, context=context
            )
            if finish is not None:
                try:
                    finish()
                except Exception:  # said in the answer, like every message that failed: the whole batch comes again
                    logger.exception("batch not finished")
                    return _failed(record["messageId"] for record in event["Records"])
            return dict(answer)
        finally:
            flush()

    return handler


def together(consume: Callable[[Sequence[tuple[str, bytes]]], Sequence[str]]) -> Handler:
    """A handler that gives `consume` all messages of a batch as (message id, body) and is told the ids that failed."""

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        try:
            records = [(record["messageId"], record["body"].encode()) for record in event["Records"]]
            return _failed(consume(records))
        finally:
            flush()

    return handler


def _failed(message_ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def decode(kind: type, body: bytes) -> Any:
    """`body` as a strict `kind`. Raises `msgspec.ValidationError` (a poison message: let it fail)."""
    return msgspec.json.decode(body, type=kind, strict=True)
