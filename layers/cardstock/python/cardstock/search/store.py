"""The index in S3: one object.

| Access pattern | How | Costs |
|---|---|---|
| load the index | GetObject | one call; 10 000 products: 3 MB |
| see whether it changed | GetObject with If-None-Match | one call without a body |
| store it | PutObject with If-Match | one call |
"""

from collections.abc import Mapping
from typing import Any, Final

from cardstock.aws.files import Files
from cardstock.search.index import decode, encode
from cardstock.search.index_model import Contents

KEY: Final = "search/index"


class FileIndex:
    """`search.ports.StoredIndex` in a bucket."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def read_newer(self, tag: str | None) -> tuple[Contents | None, str] | None:
        found = self._files.read_newer(KEY, tag)
        return None if found is None else (decode(found[0]), found[1])

    def replace(self, contents: Contents, tag: str | None) -> bool:
        return self._files.replace(KEY, encode(contents), tag)


def product_of(record: Mapping[str, Any]) -> str:
    """The product of a record in the stream of pages. Raises ValueError on anything else."""
    try:
        return str(record["dynamodb"]["Keys"]["pk"]["S"])
    except (KeyError, TypeError) as error:
        raise ValueError("no change of a page") from error
