"""The list of regions, for pickers: what is in what, and nothing again that a client has."""

from typing import Any

from functions.delivery.api.app import handler
from tests.house import faults
from tests.house.cloud import Context, http_event


def ask(parent: str = "", **headers: str) -> dict[str, Any]:
    query = {"parent": parent} if parent else None
    event = http_event("GET", "/v1/regions", query=query)
    event["headers"] |= headers
    return handler(event, Context())


def test_the_parts_of_a_region_are_listed_with_what_a_picker_needs() -> None:
    with faults.watch() as calls:
        provinces, hubei, dongguan = (ask(parent)["body"] for parent in ("", "420000", "441900"))

    assert calls == []
    assert '{"region":"110000","name":"北京市","level":"province","has_children":true}' in provinces
    assert '{"region":"420100","name":"武汉市","level":"city","has_children":true}' in hubei
    assert '{"region":"429004","name":"仙桃市","level":"district","has_children":false}' in hubei
    assert dongguan == '{"items":[]}'


def test_a_client_that_has_the_edition_gets_no_body() -> None:
    first = ask("330100")
    tag = first["headers"]["ETag"]
    same, other = ask("330100", **{"If-None-Match": tag}), ask("330100", **{"If-None-Match": '"another"'})

    assert (first["statusCode"], first["headers"]["Cache-Control"]) == (200, "public, max-age=86400")
    assert (same["statusCode"], same["body"], same["headers"]["ETag"]) == (304, "", tag)
    assert (other["statusCode"], other["body"]) == (200, first["body"])
