"""The quarters whose tax files were written, in DynamoDB.

Table `payouts`, partition key `pk`, sort key `sk`, beside the batches:

| Access pattern | Key | Cost |
|---|---|---|
| quarters whose tax file was written, newest first | `tax-files` / quarter, query backwards | 1 query |
"""

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.records import from_record, to_record
from cardstock.aws.tables import JsonAttribute, Table
from cardstock.payouts.tax.model import TaxFile

_TAX_FILES = "tax-files"


class TaxFileItem(Table):
    """A quarter whose tax file was written."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_TAX_FILES)
    sk = UnicodeAttribute(range_key=True)
    data = JsonAttribute()


class DynamoTaxFiles:
    """`payouts.ports.TaxFiles`."""

    def add_tax_file(self, file: TaxFile) -> None:
        item = TaxFileItem(sk=file.quarter, data=to_record(file))
        item.put_if(TaxFileItem.pk.does_not_exist())

    def newest_tax_files(self, *, limit: int) -> list[TaxFile]:
        found = TaxFileItem.query(_TAX_FILES, scan_index_forward=False, consistent_read=True, limit=limit)
        return [from_record(TaxFile, item.data) for item in found]
