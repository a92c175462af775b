"""The templates, in memory and in DynamoDB: what is read is what was replaced last, and nobody's change is lost."""

import pytest
from msgspec.structs import replace

from cardstock.delivery.editing import replace_templates
from cardstock.delivery.model import NO_TEMPLATES, Rate, Template, Templates, Zone
from cardstock.delivery.ports import FreightTemplates
from cardstock.delivery.store import DynamoFreightTemplates
from cardstock.errors import ConflictError
from tests.people.memory_delivery import MemoryFreightTemplates

ZONES = (Zone(("330000", "330106"), Rate(1, 1, 1, 0)), Zone(("650000",), None))
ONE = Template("plain", "Plain", "gram", Rate(1_000, 900, 500, 200, 9_900), ZONES)
CONTRACT = {FreightTemplates: (MemoryFreightTemplates, DynamoFreightTemplates)}
FIRST = Templates((ONE,), "plain")


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> FreightTemplates:
    if request.param == "memory":
        return MemoryFreightTemplates()
    request.getfixturevalue("cloud")
    return DynamoFreightTemplates()


def test_templates_come_back_as_they_were_replaced_last(store: FreightTemplates) -> None:
    before = store.read()
    made = replace_templates(FIRST, store=store)
    emptied = replace_templates(Templates(version=1), store=store)

    assert (before, made.version, emptied.version) == (NO_TEMPLATES, 1, 2)
    assert replace_templates(replace(FIRST, version=2), store=store) == store.read() == replace(FIRST, version=3)


def test_a_repeat_changes_nothing_and_another_change_of_the_same_version_is_refused(store: FreightTemplates) -> None:
    made = replace_templates(FIRST, store=store)
    again = replace_templates(FIRST, store=store)
    for version in (0, 2):
        with pytest.raises(ConflictError, match="TEMPLATES_CHANGED"):
            replace_templates(Templates(version=version), store=store)

    assert made == again == store.read() == replace(FIRST, version=1)
