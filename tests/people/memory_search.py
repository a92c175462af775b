"""The ports of the search area in memory."""

from cardstock.errors import NOT_FOUND
from cardstock.search.index import decode, encode
from cardstock.search.index_model import Contents


class MemoryIndex:
    """`search.ports.StoredIndex`."""

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.tag = 0

    def read_newer(self, tag: str | None) -> tuple[Contents | None, str] | None:
        if self.data is None:
            raise NOT_FOUND()
        return None if tag == str(self.tag) else (decode(self.data), str(self.tag))

    def replace(self, contents: Contents, tag: str | None) -> bool:
        if tag != (None if self.data is None else str(self.tag)):
            return False
        self.data = encode(contents)
        self.tag += 1
        return True
