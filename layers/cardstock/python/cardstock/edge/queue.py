"""The queue edge: SQS batches with partial failures.

A poison message ends in its dead-letter queue alone, while its neighbours are handled once.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cardstock.edge.observability import flush, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Event = TypeVar("Event")


def each(consume: Callable[[bytes], None], *, finish: Callable[[], None] | None = None) -> Handler:
    """A handler that calls `consume` with the body of one message at a time, and then `finish`.

    A message whose `consume` raises is reported as failed, alone. It comes again until the queue's redrive policy
    moves it to the dead-letter queue. When `finish` raises, every message of the batch is reported as failed.
    `consume` must be safe to repeat.
    """
    # Imported first of all: the batch module looks whether pydantic is loaded, and nothing here loads it (40 ms saved).
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
                except Exception:  # the answer says so: the whole batch comes again
                    logger.exception("batch not finished")
                    return _failed(record["messageId"] for record in event["Records"])
            return dict(answer)
        finally:
            flush()

    return handler


def together(consume: Callable[[Sequence[tuple[str, bytes]]], Sequence[str]]) -> Handler:
    """A handler that calls `consume` with a whole batch of (message id, body), and reports the ids that it returns."""

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        try:
            records = [(record["messageId"], record["body"].encode()) for record in event["Records"]]
            return _failed(consume(records))
        finally:
            flush()

    return handler


def _failed(message_ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def decode(kind: type[Event], body: bytes) -> Event:
    """`body` as a strict `kind`. Raises `msgspec.ValidationError` (a poison message: let it fail)."""
    return msgspec.json.decode(body, type=kind, strict=True)


def decode_each(kind: type[Event], messages: Sequence[tuple[str, bytes]]) -> tuple[dict[str, Event], list[str]]:
    """The messages of a batch as strict `kind`s by message id, and the ids of those that are none, which are logged."""
    decoded: dict[str, Event] = {}
    failed: list[str] = []
    for message_id, body in messages:
        try:
            decoded[message_id] = decode(kind, body)
        except (msgspec.DecodeError, UnicodeError) as error:
            logger.error("message failed", message_id=message_id, error=str(error))
            failed.append(message_id)
    return decoded, failed
