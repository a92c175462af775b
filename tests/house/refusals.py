"""Holds what routes refuse against what they declare, and so against the API reference.

The edge warns of a refusal that its route does not declare; whatever test has caused one, a complete run names it.
"""

import logging

from cardstock.edge.observability import logger
from infra.contract.routes import apis
from tests.house import whole_run


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "undeclared refusal":
            fields = vars(record)
            whole_run.seen("undeclared").add(f"{fields['route']} answers {fields['code']}")


def undeclared() -> list[str]:
    """Refusals that the reference does not know."""
    routes = {f"{route.method} {route.path}" for _, api in apis() for route in api.routes}
    found = sorted(whole_run.seen("undeclared"))
    return [f"a declaration: {line}" for line in found if line.partition(" answers ")[0] in routes]


def pytest_configure() -> None:
    """Listen from now on."""
    logger.addHandler(_Ear())
    whole_run.checks.append(undeclared)
