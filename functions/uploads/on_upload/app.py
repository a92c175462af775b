"""Queue: makes the files of an upload of what has arrived, or refuses it."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count, logger
from cardstock.flows import uploading_wiring
from cardstock.uploads.arrivals_queue import ArrivalsMessage, arrivals_in
from cardstock.uploads.receiving import receive


def consume(body: bytes) -> None:
    """Follow one notification of S3. What cannot be done now is done with the next delivery."""
    for arrival in arrivals_in(queue.decode(ArrivalsMessage, body)):
        outcome = receive(arrival, clock.now(), uploading_wiring.receiving_needs())
        logger.info("upload received", upload_id=arrival.upload_id, purpose=arrival.purpose, outcome=outcome)
        count(f"Uploads{outcome.title()}")


handler = queue.each(consume)
connect()
