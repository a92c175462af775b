"""Cardstock on this machine: its template, its clock and its API document, for the generic runtime of `infra/local`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.suite import Suite
from infra.local.template import ROOT

TEMPLATE = ROOT / "template.yaml"
DOCUMENT = ROOT / "infra" / "contract" / "openapi.json"
PUBLIC, STAFF = "api", "staffapi-api"
"""The ids of the two HTTP APIs: members, agents, payment notices and inboxes; staff and partners."""
PORTS: Mapping[str, int] = {PUBLIC: 8700, STAFF: 8702}
SANDBOX_PORT = 8701
CLOCK_HOOK = "cardstock.clock:set_clock"
CLOCK_HEADER = "Cardstock-Time"
"""Tells the shop's time in every answer while it is not the machine's."""


def start(*, state_dir: Path | None = None, **options: Any) -> Suite:
    """A running deployment; `options` are those of `Suite.start`. Ports are free ones unless they are given."""
    return Suite.start(
        state_dir=state_dir,
        template=TEMPLATE,
        document=DOCUMENT,
        document_servers={f"http://127.0.0.1:{port}": api for api, port in PORTS.items()},
        clock_hook=CLOCK_HOOK,
        clock_header=CLOCK_HEADER,
        **options,
    )
