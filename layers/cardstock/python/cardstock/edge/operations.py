"""What the API document says of an area's routes beyond what the routes say: ids, titles, examples of path values.

Each area has an `operations.py` with `FAMILIES` and, for the names in its paths, `PATH_VALUES`. Only the document reads
them.
"""

from collections.abc import Mapping

import msgspec


class Family(msgspec.Struct, frozen=True):
    """A family of resources: its tag and titles, what it holds, and `METHOD path` -> id of each of its operations.

    An id is the name of a method in generated clients: it never changes.
    """

    tag: str
    title: str
    title_zh: str
    description: str
    operations: Mapping[str, str]


class PathValue(msgspec.Struct, frozen=True):
    """An example of a value that stands in a path, and what it means."""

    example: str
    description: str
