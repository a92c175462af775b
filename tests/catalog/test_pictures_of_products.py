"""Pictures and documents of products: who may name which uploads, when they become public, and where they are read."""

from collections.abc import Callable
from typing import Any

import pytest

from cardstock import environment
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people import pictures
from tests.people.clock import TestClock
from tests.people.goods import terms_of
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import staff_key, supplier_key
from tests.people.uploads import Uploader, store_ready

PHOTO = pictures.from_a_phone(6)
HOSTED = "https://media.example.com/lamp.jpg"
TERMS = terms_of("Lamp", "sup_lights", 900, 5)
DRAFT = {"title": {"zh": "Lamp"}, "variants": [{"initial_stock": 5}]}


class Parties:
    """Staff, two suppliers, and whoever uploads for them."""

    def __init__(self, cloud: Cloud, clock: TestClock, shop: Shop) -> None:
        self.cloud = cloud
        for supplier_id in ("sup_lights", "sup_vases"):
            shop.supplier.register(supplier_id)
        self.keys = {"staff": staff_key("Li Na", "catalog:write", "catalog:read")}
        self.keys |= {owner: supplier_key(owner, "catalog:write") for owner in ("sup_lights", "sup_vases")}
        self.uploaders = {owner: Uploader(cloud, clock, key) for owner, key in self.keys.items()}
        self.lights = self.uploaders["sup_lights"]

    def call(self, method: str, path: str, body: Any = None, *, owner: str = "staff", **more: Any) -> Reply:
        return reply(serve(http_event(method, path, body, token=self.keys[owner], **more), Context()))

    def put(self, **fields: Any) -> Reply:
        return self.call("PUT", "/v1/products/LAMP", TERMS | fields)

    def accept(self, state: str = "on_sale") -> Reply:
        found = self.call("GET", "/v1/products/LAMP/draft", query={"supplier_id": "sup_lights"}).body
        body = {"supplier_id": "sup_lights", "draft_sha256": found["draft_sha256"], "variants": [{"price_fen": 900}]}
        return self.call("POST", "/v1/products/LAMP/acceptances", body | {"state": state}, key="k")

    def waiting(self) -> list[str]:
        """The uploads that are queued, which are taken from the queue."""
        url = environment.text("PUBLISHED_UPLOADS_QUEUE_URL")
        return sorted(str(body["upload_id"]) for body in self.cloud.messages(url))

    def work(self) -> None:
        """What is queued is done."""
        assert self.lights.publish(*self.waiting()) == 0


@pytest.fixture
def parties(cloud: Cloud, clock: TestClock, shop: Shop) -> Parties:
    return Parties(cloud, clock, shop)


@pytest.fixture(autouse=True)
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_HOSTS", "media.example.com")


def test_what_a_published_product_shows_is_on_the_public_host(parties: Parties) -> None:
    image, other = parties.lights.send(PHOTO, "product_image"), parties.uploaders["staff"].send(PHOTO, "product_image")
    manual = parties.lights.send(pictures.PDF, "product_file")
    files = [{"name": {"zh": "说明书"}, "source": source} for source in (manual, HOSTED)]
    assert parties.put(images=[image, HOSTED, other], files=files).body["outcome"] == "made"
    assert parties.put(images=[image, HOSTED, other], files=files).body["outcome"] == "same"
    parties.work()
    shown = parties.call("GET", "/v1/products/LAMP").body
    [card] = parties.call("GET", "/v1/products", query={"ids": "LAMP"}).body["items"]
    sizes = ("large", "medium", "small")
    addresses = [shown["images"][number][size] for number in (0, 2) for size in sizes] + [shown["files"][0]["source"]]
    host = f"{environment.text('FILES_URL')}/"

    assert {each.removeprefix(host) for each in addresses} == parties.lights.public().keys()
    assert len(set(addresses)) == 7
    assert [address.rpartition("/")[2] for address in addresses[:3]] == ["1600.webp", "800.webp", "320.webp"]
    assert shown["images"][1] == dict.fromkeys(sizes, HOSTED)
    assert shown["files"][1]["source"] == HOSTED
    assert card["picture"] == shown["images"][0]["small"]
    [listed] = parties.call("GET", "/v1/headquarters/products").body["items"]
    assert listed["picture"] == card["picture"]
    assert parties.call("GET", "/v1/headquarters/products/LAMP").body["images"] == [image, HOSTED, other]
    assert parties.put(images=[image, HOSTED, other], brand="LUMEN").body["outcome"] == "changed"
    assert parties.waiting() == []


@pytest.mark.parametrize("way", ["publish", "accept"])
def test_the_pictures_of_a_draft_stay_private_until_it_is_on_sale(way: str, parties: Parties) -> None:
    image = parties.lights.send(PHOTO, "product_image")
    if way == "publish":
        assert parties.put(images=[image], state="draft").status == 200
    else:
        parties.call("PUT", "/v1/products/LAMP/draft", DRAFT | {"images": [image]}, owner="sup_lights")
        assert parties.accept("draft").status == 201
    [listed] = parties.call("GET", "/v1/headquarters/products").body["items"]

    assert (parties.waiting(), listed["state"], listed["picture"]) == ([], "draft", None)
    assert parties.put(images=[HOSTED], state="draft").status == 200
    [listed] = parties.call("GET", "/v1/headquarters/products").body["items"]
    assert listed["picture"] == HOSTED
    assert parties.put(images=[image]).status == 200
    assert parties.waiting() == [image]


def test_an_upload_that_does_not_fit_is_refused_where_it_is_named(parties: Parties) -> None:
    good, waiting = (
        parties.lights.send(PHOTO, "product_image"),
        str(parties.lights.ask("product_image").body["upload_id"]),
    )
    manual, foreign = "upl_" + "1" * 26, "upl_" + "2" * 26
    store_ready(manual, "sup_lights", "product_file")
    store_ready(foreign, "sup_vases")

    def refused(answer: Reply) -> tuple[int, str, list[str]]:
        return answer.status, answer.body["code"], [each["pointer"] for each in answer.body["errors"]]

    unknown = (400, "UPLOAD_UNKNOWN")
    assert refused(parties.put(images=[good, "upl_" + "0" * 26, manual, foreign])) == (
        *unknown, [f"/images/{number}" for number in (1, 2, 3)],
    )  # fmt: skip
    assert refused(parties.put(files=[{"name": {"zh": "a"}, "source": good}])) == (*unknown, ["/files/0/source"])
    assert refused(parties.put(images=[good, waiting])) == (409, "UPLOAD_NOT_READY", ["/images/1"])
    cup = {**terms_of("Cup", "sup_vases", 900), "product_id": "CUP", "images": [good]}
    vase = {**terms_of("Vase", "sup_vases", 900), "product_id": "VASE", "images": [foreign]}
    lamp = {**TERMS, "product_id": "LAMP", "images": [good]}
    many = parties.call("PUT", "/v1/products", {"products": [lamp, vase, cup]})
    assert refused(many) == (*unknown, ["/products/2/images/0"])
    assert refused(parties.put(video=good)) == (400, "BODY_INVALID", ["/video"])
    assert refused(parties.put(images=[good], category_ids=["x"], variants=[])) == (400, "BODY_INVALID", ["/variants"])
    assert parties.waiting() == []
    assert parties.call("GET", "/v1/products/LAMP").status == 404
    assert parties.call("PUT", "/v1/products", {"products": [lamp, vase]}).status == 200
    assert parties.waiting() == sorted([good, foreign])


@pytest.mark.parametrize(("image", "code"), [("upl_" + "2" * 26, "UPLOAD_UNKNOWN"), ("waiting", "UPLOAD_NOT_READY")])
def test_a_draft_with_an_upload_that_does_not_fit_is_not_accepted(image: str, code: str, parties: Parties) -> None:
    store_ready("upl_" + "2" * 26, "sup_vases")
    named = str(parties.lights.ask("product_image").body["upload_id"]) if image == "waiting" else image
    parties.call("PUT", "/v1/products/LAMP/draft", DRAFT | {"images": [HOSTED, named]}, owner="sup_lights")
    answer = parties.accept()

    assert (answer.body["code"], answer.body["errors"][0]["pointer"]) == (code, "/images/1")
    assert parties.waiting() == []
    assert parties.call("GET", "/v1/products/LAMP").status == 404


def test_a_draft_that_was_changed_has_nothing_made_public(parties: Parties) -> None:
    image = parties.lights.send(PHOTO, "product_image")
    parties.call("PUT", "/v1/products/LAMP/draft", DRAFT | {"images": [image]}, owner="sup_lights")
    body = {"supplier_id": "sup_lights", "draft_sha256": "0" * 64, "variants": [{"price_fen": 900}]}
    answer = parties.call("POST", "/v1/products/LAMP/acceptances", body, key="k")

    assert (answer.body["code"], parties.waiting()) == ("DRAFT_CHANGED", [])


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("way", ["publish", "accept"])
def test_a_publishing_that_is_cut_off_never_leaves_a_product_without_its_pictures(
    way: str, mode: faults.Mode, parties: Parties
) -> None:
    image, manual = "upl_" + "1" * 26, "upl_" + "2" * 26
    store_ready(image, "sup_lights")
    store_ready(manual, "staff", "product_file")
    content = {"images": [image], "files": [{"name": {"zh": "a"}, "source": manual}]}
    parties.call("PUT", "/v1/products/LAMP/draft", DRAFT | content, owner="sup_lights")
    steps: dict[str, Callable[[], Reply]] = {"publish": lambda: parties.put(**content), "accept": parties.accept}
    step = steps[way]
    start = parties.cloud.snapshot()
    with faults.watch() as calls:
        assert step().status in (200, 201)
    wanted = stored(parties)
    assert parties.waiting() == [image, manual]

    assert [calls.count(f"sqs.{name}") for name in ("SendMessageBatch", "SendMessage")] == [1, 0]
    for _ in faults.hit_each(calls, mode, start.restore, step):
        queued = parties.waiting()
        assert set(queued) == {image, manual} or parties.call("GET", "/v1/products/LAMP").status == 404
        assert step().status in (200, 201)
        assert stored(parties) == wanted
        assert set(queued + parties.waiting()) == {image, manual}


def stored(parties: Parties) -> Any:
    """What is stored of products."""
    state = parties.cloud.state()
    return {table: state[table] for table in ("products", "product-pages", "uploads")}
