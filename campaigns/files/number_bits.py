"""Bit files: one bit for each of an area code's ten million numbers. Exact, 1.25 MB, and read through `mmap`.

Number `n` of the seven digits after the area code is bit `0x80 >> (n & 7)` of byte `n >> 3`; 1 means listed.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from mmap import mmap
from pathlib import Path

BIT_FILE_BYTES = 1_250_000
"""Ten million numbers, eight a byte."""
MASKS = tuple(0x80 >> place for place in range(8))
READ_ONLY = 0o444
"""A version never changes: what is mapped into a worker must not be cut short under it."""


def bit_file(folder: Path, code: str) -> Path:
    """Where the bits of an area code are."""
    return folder / f"{code}.bits"


class BitWriter:
    """Writes the bit files of one version into a folder; holds one of them at a time in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._code: str | None = None
        self._bits: mmap | None = None

    def add(self, numbers: Mapping[str, Sequence[int]]) -> None:
        """List seven-digit numbers, by area code."""
        for code, listed in numbers.items():
            _set_bits(self._open(code), listed)

    def finish(self, *, also_covered: Iterable[str] = ()) -> "WrittenBits":
        """Bring everything to the disk. `also_covered`: area codes that have a file even if nobody there is listed."""
        for code in also_covered:
            self._open(code)
        self._close()
        return WrittenBits(self._folder)

    def _open(self, code: str) -> mmap:
        if self._bits is None or code != self._code:
            self._close()
            descriptor = os.open(bit_file(self._folder, code), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.truncate(descriptor, BIT_FILE_BYTES)
                self._bits, self._code = mmap(descriptor, BIT_FILE_BYTES), code
            finally:
                os.close(descriptor)
        return self._bits

    def _close(self) -> None:
        if self._bits is not None:
            self._bits.close()
            self._bits = self._code = None


class WrittenBits:
    """A folder of finished bit files: how many numbers each lists, and its digest."""

    def __init__(self, folder: Path) -> None:
        self.numbers = 0
        self.digests: dict[str, str] = {}
        for path in sorted(folder.glob("*.bits")):
            bits = _on_disk(path)
            self.numbers += int.from_bytes(bits).bit_count()
            self.digests[path.stem] = digest_of(bits)


def digest_of(bits: bytes | mmap) -> str:
    """SHA-256 of a whole bit file."""
    return hashlib.sha256(bits).hexdigest()


def _set_bits(bits: mmap, numbers: Sequence[int]) -> None:
    masks = MASKS
    for number in numbers:
        bits[number >> 3] |= masks[number & 7]


def _on_disk(path: Path) -> bytes:
    """The bytes of a file that is now sure to survive a power cut."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        path.chmod(READ_ONLY)
        return file.read()
