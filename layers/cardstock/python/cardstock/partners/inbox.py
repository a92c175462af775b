"""The inbox: each signed message of a supplier takes effect once."""

from collections.abc import Callable
from datetime import timedelta

from cardstock import clock
from cardstock.partners import errors
from cardstock.partners.model import InboxMessage
from cardstock.partners.ports import Inbox

INBOX_KEPT = timedelta(days=30)


def take_message(source: str, message_id: str, body: bytes, act: Callable[[], None], *, inbox: Inbox) -> bool:
    """Keep a verified message, let it take effect through `act`, and record that it did.

    True if it took effect now, False if it had before. `act` must be safe to repeat: a crash between the two writes
    lets the sender's next attempt act again. Raises `RefusedError` when the id comes again with another body.
    """
    now = clock.now()
    message = InboxMessage(source, message_id, body, now)
    kept = inbox.receive(message, now + INBOX_KEPT)
    if kept.body != body:
        raise errors.MESSAGE_ID_REUSED()
    if kept.state == "done":
        return False
    act()
    inbox.done(source, message_id)
    return True
