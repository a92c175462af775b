"""Seals as objects `seals/00000001.json`, written once: S3 refuses a second write of a key. In a protected bucket,
Object Lock and the bucket's policy also refuse to remove or replace one."""

from cardstock.aws.files import Files
from cardstock.errors import ConflictError
from cardstock.files import Document


class S3SealArchive:
    """`ledger.ports.SealArchive` in one bucket."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def write_seal_once(self, number: int, content: bytes) -> bytes:
        key = _key(number)
        document = Document(key.rpartition("/")[2], "application/json", content)
        try:
            self._files.put_once(key, document)
        except ConflictError:
            return self._files.read(key)  # an earlier run wrote it
        return content

    def read_seal(self, number: int) -> bytes:
        return self._files.read(_key(number))


def _key(number: int) -> str:
    return f"seals/{number:08d}.json"
