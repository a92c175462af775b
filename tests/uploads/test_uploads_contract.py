"""What ports of the uploads area guarantee, in memory as on AWS."""

from collections.abc import Callable

import pytest

from cardstock import environment
from cardstock.aws.queues import Queue, forget_client
from cardstock.uploads.ports import PublishQueue
from cardstock.uploads.publishing_queue import PublishingQueue
from tests.house.cloud import Cloud
from tests.people.memory_uploads import MemoryPublishQueue

CONTRACT = {PublishQueue: [MemoryPublishQueue, PublishingQueue]}


@pytest.fixture(params=["memory", "queue"])
def queue(request: pytest.FixtureRequest) -> tuple[PublishQueue, Callable[[], list[str]]]:
    """The port, and the uploads that wait."""
    if request.param == "memory":
        memory = MemoryPublishQueue()
        return memory, lambda: memory.sent
    cloud: Cloud = request.getfixturevalue("cloud")
    forget_client()
    url = environment.text("PUBLISHED_UPLOADS_QUEUE_URL")
    return PublishingQueue(Queue(url)), lambda: [str(body["upload_id"]) for body in cloud.messages(url)]


def test_uploads_wait_to_become_public(queue: tuple[PublishQueue, Callable[[], list[str]]]) -> None:
    port, waiting = queue
    upload_ids = [f"upl_{number:02}" for number in range(23)]
    port.send_all(upload_ids[:1])
    port.send_all(iter(upload_ids[1:]))

    assert sorted(waiting()) == upload_ids
