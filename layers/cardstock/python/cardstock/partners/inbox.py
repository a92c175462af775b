"""The inbox: each signed message of a supplier takes effect once."""

from collections.abc import Callable
from datetime import timedelta

from cardstock import clock
from cardstock.ids import canonical
from cardstock.partners import errors
from cardstock.partners.model import InboxMessage
from cardstock.partners.ports import Inbox

INBOX_KEPT = timedelta(days=30)


def take_message(source: str, message_id: str, body: bytes, act: Callable[[], None], *, inbox: Inbox) -> bool:
    """Store a verified message, apply it with `act`, and mark it as done.

    True if it was applied now, False if it had been before. `act` must be safe to repeat: after a crash between the two
    writes, the sender's next attempt calls it again. Raises `RefusedError` if the id comes again with another value;
    the order of members, blanks and escapes make no other value.
    """
    now = clock.now()
    message = InboxMessage(source, message_id, body, now)
    kept = inbox.receive(message, now + INBOX_KEPT)
    if kept.body != body and canonical(kept.body) != canonical(body):
        raise errors.MESSAGE_ID_REUSED()
    if kept.state == "done":
        return False
    act()
    inbox.done(source, message_id)
    return True
