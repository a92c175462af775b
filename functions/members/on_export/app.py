"""Queue: writes the file of an export."""

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count, logger
from cardstock.flows import exporting, exporting_wiring
from cardstock.flows.explaining_schemas import Explanation
from cardstock.members.exports_queue import ExportMessage


def consume(body: bytes) -> None:
    """Write one export. What cannot be read now is read again with the next delivery."""
    message = queue.decode(ExportMessage, body)
    needs = exporting_wiring.exporting_needs(Explanation.of)
    outcome = exporting.write_export(message.export_id, message.member_id, needs)
    logger.info("export written", export_id=message.export_id, outcome=outcome)
    count(f"Exports{outcome.title()}")


handler = queue.each(consume)
connect()
