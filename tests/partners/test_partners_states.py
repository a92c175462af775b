"""The charts of the partners area are its data; the fakes hold every verb to that data in all other tests."""

import re
from collections.abc import Mapping

import cardstock.partners as area
from cardstock.partners.model import (
    DELIVERY_TRANSITIONS,
    ENDPOINT_TRANSITIONS,
    KEY_TRANSITIONS,
    MESSAGE_TRANSITIONS,
)

CHARTS: dict[str, Mapping[str, frozenset[str]]] = {
    "KeyState": KEY_TRANSITIONS,  # type: ignore[dict-item]  # states are strings
    "MessageState": MESSAGE_TRANSITIONS,  # type: ignore[dict-item]  # see above
    "EndpointStatus": ENDPOINT_TRANSITIONS,  # type: ignore[dict-item]  # see above
    "DeliveryStatus": DELIVERY_TRANSITIONS,  # type: ignore[dict-item]  # see above
}


def test_each_chart_of_the_docstring_is_the_data() -> None:
    drawn: dict[str, set[tuple[str, str]]] = {}
    name = ""
    for line in (area.__doc__ or "").splitlines():
        named = re.search(r"`(\w+(?:State|Status))`", line)
        name = named[1] if named else name
        step = re.match(r" {4}(\w+) --\w+--> (\w+)$", line)
        if step:
            drawn.setdefault(name, set()).add((step[1], step[2]))

    assert drawn == {
        chart: {(source, target) for source, targets in data.items() for target in targets}
        for chart, data in CHARTS.items()
    }
