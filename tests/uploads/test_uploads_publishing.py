"""Who may have which uploads made public, and that the first content of an upload stays its content."""

from typing import Any

import pytest

from cardstock.errors import CardstockError
from cardstock.uploads import wiring
from cardstock.uploads.model import Purpose
from cardstock.uploads.publishing import NamedUpload, queue_publishing
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people import pictures
from tests.people.clock import TestClock
from tests.people.exports import Person
from tests.people.memory_uploads import MemoryPublishQueue
from tests.people.staff import supplier_key
from tests.people.tokens import access_token
from tests.people.uploads import Uploader

PHOTO = pictures.from_a_phone(6)


def test_uploads_of_products_are_queued_once_by_their_owners_alone(cloud: Cloud, clock: TestClock) -> None:
    goods = Uploader(cloud, clock, supplier_key("sup_lights", "catalog:write"))
    anna = Uploader(cloud, clock, access_token(Person("anna", clock).id))
    image, other = (goods.send(PHOTO, "product_image") for _ in range(2))
    table, refused = goods.send(b"sku\n1\n", "import"), goods.send(pictures.SVG, "product_image")
    waiting, private = str(goods.ask("product_image").body["upload_id"]), anna.send(PHOTO)
    assert goods.publish(other) == 0
    queue = MemoryPublishQueue()

    def queued(
        *upload_ids: str, owner: str = "sup_lights", purpose: Purpose = "product_image", shown: bool = True
    ) -> Any:
        owners = frozenset({owner, "staff"})
        named = [NamedUpload(each, purpose, owners, f"/{number}", shown) for number, each in enumerate(upload_ids)]
        try:
            return queue_publishing(named, uploads=wiring.uploads(), queue=queue)
        except CardstockError as error:
            return error.code, *((each.pointer, each.code) for each in error.pointers)

    unknown = ("UPLOAD_UNKNOWN", ("/0", "UNKNOWN"))
    assert (queued(), queued(image, shown=False), queued(image, other, image), queued(other)) == (0, 0, 1, 0)
    assert queue.sent == [image]
    assert queued(image, owner="sup_vases") == unknown
    assert queued(image, purpose="product_file") == unknown
    assert [queued(table, purpose=purpose) for purpose in ("product_image", "import")] == [unknown] * 2
    assert queued(private, owner=anna.stored(private).owner, purpose="after_sale") == unknown
    assert queued(waiting, "upl_none", image, table) == ("UPLOAD_UNKNOWN", ("/1", "UNKNOWN"), ("/3", "UNKNOWN"))
    for each in (waiting, refused):
        assert queued(image, each) == queued(image, each, shown=False) == ("UPLOAD_NOT_READY", ("/1", "NOT_READY"))
    assert queue.sent == [image]


@pytest.mark.parametrize("again", [1, 2])
def test_another_content_is_not_taken_while_the_first_is_being_read(again: int, cloud: Cloud, clock: TestClock) -> None:
    anna = Uploader(cloud, clock, access_token(Person("anna", clock).id))
    upload_id = str(anna.ask().body["upload_id"])
    first = anna.put(upload_id, PHOTO)
    with faults.watch() as calls:
        before = cloud.snapshot()
        anna.work(first)
    before.restore()
    with faults.at(calls.index("s3.PutObject"), "kill_after"):
        assert faults.survive(lambda: anna.work(first)) is None
    second = anna.put(upload_id, pictures.from_a_phone(3))
    assert anna.work(*[second] * again) == 0

    assert anna.stored(upload_id).state == "received"
    assert anna.work(first) == 0
    assert anna.stored(upload_id).refused == "UPLOAD_REPLACED"
    assert [key for key in anna.files() if key.startswith("kept/")] == []
