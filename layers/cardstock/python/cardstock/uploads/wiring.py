"""Factories of the uploads area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.uploads.ports import PublicFiles, PublishQueue, Shrinks, UploadFiles, Uploads


@cache
def uploads() -> "Uploads":
    """Uploads in DynamoDB."""
    from cardstock.uploads.store import DynamoUploads

    return DynamoUploads()


@cache
def upload_files() -> "UploadFiles":
    """What has arrived and what is kept, in S3."""
    from cardstock.aws.files import Files

    return Files(environment.text("UPLOAD_FILES_BUCKET"))


@cache
def public_files() -> "PublicFiles":
    """The bucket of the public host."""
    from cardstock.aws.files import Files
    from cardstock.uploads.publishing_queue import PublicCopies

    return PublicCopies(Files(environment.text("UPLOAD_FILES_BUCKET")), environment.text("PUBLIC_FILES_BUCKET"))


@cache
def publish_queue() -> "PublishQueue":
    """The queue of uploads whose files shall be public."""
    from cardstock.aws.queues import Queue
    from cardstock.uploads.publishing_queue import PublishingQueue

    return PublishingQueue(Queue(environment.text("PUBLISHED_UPLOADS_QUEUE_URL")))


@cache
def shrink() -> "Shrinks":
    """What makes the sizes of a picture."""
    from cardstock.uploads.pictures.process import PictureProcess

    return PictureProcess()


def files_host() -> str:
    """The address of the public host, without a slash at its end."""
    return environment.text("FILES_URL")
