"""Queue: copies the files of an upload to the public host."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import logger
from cardstock.uploads.publishing import publish
from cardstock.uploads.publishing_queue import PublishMessage
from cardstock.uploads.wiring import public_files, uploads


def consume(body: bytes) -> None:
    """Publish one upload. What cannot be done now is done with the next delivery."""
    message = queue.decode(PublishMessage, body)
    found = publish(message.upload_id, clock.now(), uploads=uploads(), public=public_files())
    logger.info("upload published", upload_id=message.upload_id, found=found)


handler = queue.each(consume)
connect()
