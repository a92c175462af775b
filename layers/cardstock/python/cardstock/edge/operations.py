"""What the API document says of an area's routes beyond what the routes say: ids, titles, examples of path values.

Each area has an `operations.py` with `FAMILIES` and, for the names in its paths, `PATH_VALUES`. Only the document reads
them.
"""

from collections.abc import Mapping

import msgspec


class Operation(msgspec.Struct, frozen=True):
    """An operation: its id, and its title of two to four words in English, and in Chinese.

    An id is the name of a method in generated clients: it never changes.
    """

    id: str
    title: str
    title_zh: str


class Family(msgspec.Struct, frozen=True):
    """A family of resources: its tag, titles and descriptions in both languages, operations by `METHOD path`."""

    tag: str
    title: str
    title_zh: str
    description: str
    description_zh: str
    operations: Mapping[str, Operation]


class PathValue(msgspec.Struct, frozen=True):
    """An example of a value that stands in a path, and what it means."""

    example: str
    description: str
