"""What uploads need from outside."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cardstock.files import Document
from cardstock.uploads.model import Refused, ShrunkPicture, Upload


class Uploads(Protocol):
    """The stored uploads. Every method raises `UnavailableError`."""

    def add(self, upload: Upload) -> Upload:
        """Put it unless its id is taken, and count it; what is stored under the id. Raises `ThrottledError`."""

    def find(self, upload_id: str) -> Upload | None:
        """An upload as it is now."""

    def find_many(self, upload_ids: Collection[str]) -> Sequence[Upload]:
        """Those of the uploads that there are."""

    def of_member(self, member_id: str) -> Sequence[Upload]:
        """A member's uploads. By an index: one of the last second may be missing."""

    def receive(self, upload: Upload) -> bool:
        """Store that content with a mark has arrived, unless other content had; whether this content is the
        upload's."""

    def finish(self, upload: Upload) -> bool:
        """Store how a received upload ended; False if it is gone, or has ended already."""

    def publish(self, upload_id: str, now: datetime) -> None:
        """Store that its files are public. A repeat changes nothing."""

    def remove(self, upload_id: str) -> None:
        """Remove it. A repeat changes nothing."""


class Form(Protocol):
    """What takes one file: where it is posted, and which fields go before it."""

    @property
    def url(self) -> str: ...
    @property
    def fields(self) -> dict[str, str]: ...


class UploadFiles(Protocol):
    """The private bucket. Every method that calls raises `UnavailableError`."""

    def form(self, key: str, content_type: str, most_bytes: int, seconds: int) -> Form:
        """A form that takes one file under exactly this key and media type, with 1 to `most_bytes` bytes; no call."""

    def read_as(self, key: str, mark: str) -> bytes:
        """The content with this mark. Raises `NotFoundError` if it is gone, or is another one now."""

    def read(self, key: str) -> bytes:
        """The content. Raises `NotFoundError`."""

    def put(self, key: str, document: Document) -> None:
        """Write it, whatever was there. A picture is shown by browsers, everything else is saved."""

    def remove(self, key: str) -> None:
        """Remove it if it is there."""

    def sign(self, key: str) -> str:
        """A link that is good for a quarter of an hour; no call."""


class PublicFiles(Protocol):
    """The bucket of the public host. Raises `UnavailableError`."""

    def copy(self, source: str, key: str) -> None:
        """Copy a private file, under a key of the public bucket. A repeat changes nothing."""


class Shrinks(Protocol):
    """Makes the sizes of a picture."""

    def __call__(self, content: bytes, sides: Sequence[int]) -> ShrunkPicture | Refused:
        """The same files for the same bytes. Raises RuntimeError if the decoder does not run at all."""


class PublishQueue(Protocol):
    """Uploads whose files shall be public."""

    def send_all(self, upload_ids: Iterable[str]) -> None:
        """Queue them. Raises `UnavailableError` (QUEUE_UNAVAILABLE); some may be queued then."""
