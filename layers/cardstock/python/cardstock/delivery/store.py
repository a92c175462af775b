"""Freight templates in DynamoDB.

Table `delivery`: partition key `pk` = `templates`, the one item with all templates: a few KB, at most about 20 (1 000
regions of 9 bytes, 20 templates with 40 zones).

| Access pattern | How |
|---|---|
| a quote | with its products in one BatchGetItem, eventually consistent, at most once a minute in a process |
| staff | GetItem, consistent |
| replace | one put on condition of the version before |
"""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import IntegerAttribute, Table
from cardstock.delivery.model import NO_TEMPLATES, Template, Templates

KEY: Final = "templates"


class TemplatesItem(Table):
    """All templates."""

    class Meta:
        variable = "DELIVERY_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=KEY)
    templates = StructAttribute(tuple[Template, ...])
    default_template = UnicodeAttribute(null=True)
    version = IntegerAttribute()


class DynamoFreightTemplates:
    """`delivery.ports.FreightTemplates`."""

    def read(self) -> Templates:
        item = TemplatesItem.find(KEY)
        return NO_TEMPLATES if item is None else templates_of(item)

    def replace(self, templates: Templates) -> bool:
        first = templates.version == 1
        before = TemplatesItem.pk.does_not_exist() if first else TemplatesItem.version == templates.version - 1
        return TemplatesItem(**fields_of(templates, TemplatesItem)).put_if(before)


def templates_of(item: TemplatesItem) -> Templates:
    """The templates that the item stores."""
    return record_of(Templates, item)
