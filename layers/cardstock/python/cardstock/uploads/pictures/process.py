"""`uploads.ports.Shrinks`: a picture in its sizes, by a process that is bounded in time and memory and holds nothing.

Decoders of pictures are C code that reads what strangers send. The process has an empty environment, so no credentials;
a picture that hangs it or fills its memory ends that process, and is refused.
"""

import resource
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from cardstock.uploads.model import Picture, Refused, ShrunkPicture

_PROGRAM: Final = Path(__file__).with_name("decode.py")
_STARTED: Final = b"\x01"
MOST_PIXELS: Final = 50_000_000
QUALITY: Final = 80
MEMORY_BYTES: Final = 1 << 30
"""Of addresses: some 250 MB of code and libraries, and the pixels of the largest picture three times."""
CPU_SECONDS: Final = 20
SECONDS: Final = 25.0


class _Described(msgspec.Struct):
    pictures: tuple[Picture, ...] = ()
    refused: str = ""


class PictureProcess:
    """`uploads.ports.Shrinks`."""

    def __init__(
        self,
        *,
        program: Path = _PROGRAM,
        memory_bytes: int = MEMORY_BYTES,
        cpu_seconds: int = CPU_SECONDS,
        seconds: float = SECONDS,
    ) -> None:
        self._program, self._seconds = program, seconds
        self._bound = partial(_bound, memory_bytes, cpu_seconds)

    def __call__(self, content: bytes, sides: Sequence[int]) -> ShrunkPicture | Refused:
        arguments = [str(each) for each in (MOST_PIXELS, QUALITY, *sides)]
        try:
            ended = subprocess.run(  # noqa: S603 - our own program and arguments
                [sys.executable, "-s", str(self._program), *arguments],
                input=content, capture_output=True, timeout=self._seconds, preexec_fn=self._bound, check=False,
                env={"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
            )  # fmt: skip
            output, failed = ended.stdout, ended.returncode != 0
            said = ended.stderr
        except subprocess.TimeoutExpired as expired:
            output, failed, said = expired.stdout or b"", True, expired.stderr or b""
        if not output.startswith(_STARTED):
            raise RuntimeError(f"the decoder did not start: {said[-500:].decode(errors='replace')}")
        if failed:
            return Refused("PICTURE_TOO_HARD")
        return _read(output[len(_STARTED) :])


def _bound(memory_bytes: int, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(output: bytes) -> ShrunkPicture | Refused:
    length = int.from_bytes(output[:4], "big")
    described = msgspec.json.decode(output[4 : 4 + length], type=_Described)
    if described.refused:
        return Refused(described.refused)
    files, at = [], 4 + length
    for picture in described.pictures:
        files.append(output[at : at + picture.size])
        at += picture.size
    return ShrunkPicture(described.pictures, tuple(files))
