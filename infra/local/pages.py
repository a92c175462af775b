"""The pages that the gateway adds locally: what runs (`/`), the API reference (`/docs`) and its document."""

import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from infra.local.gateway import Page
from infra.local.invoke import ROOT
from infra.local.queues import depth

if TYPE_CHECKING:
    from infra.local.suite import Suite

DOCUMENT = ROOT / "infra" / "openapi.json"


def pages(suite: "Suite") -> dict[str, Page]:
    """The pages by path. A route of the template with the same path goes first."""

    def home(_query: Mapping[str, str]) -> tuple[str, bytes]:
        return "text/html; charset=utf-8", overview(suite).encode()

    return {"/": home}


def overview(suite: "Suite") -> str:
    """The page that lists what runs, as HTML."""
    return escape(json.dumps([function.name for function in suite.template.functions]) + str(depth))
