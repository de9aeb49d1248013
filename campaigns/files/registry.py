"""Looking numbers up in the national registry: a version's bit files, mapped into memory as they are needed.

What is mapped is shared by all processes of a machine and let go by the kernel when memory is short. Each file is
checked against the digest on record before its first use; a version of which anything is amiss cannot be asked.
"""

from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock

from campaigns.files.list_folders import folder_of, read_manifest
from campaigns.files.list_problems import UnreadableListError
from campaigns.files.number_bits import BIT_FILE_BYTES, MASKS, bit_file, digest_of

NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class OnList:
    """What a version says of a number. Not `covered`: it says nothing, which is not the same as not listed."""

    listed: bool
    covered: bool


LISTED = OnList(listed=True, covered=True)
NOT_LISTED = OnList(listed=False, covered=True)
NOT_COVERED = OnList(listed=False, covered=False)


class RegistryVersion:
    """One version. At most one mapping, and one file descriptor, an area code: some 370."""

    def __init__(self, folder: Path, digests: dict[str, str]) -> None:
        self._folder = folder
        self._digests = digests
        self._bits: dict[str, mmap] = {}
        self._opening = Lock()

    def look(self, number: str) -> OnList:
        """Whether an E.164 number is listed. Raises `UnreadableListError` for a file that is not as imported."""
        if number[:2] != "+1" or len(number) != 12:
            return NOT_COVERED
        bits = self._bits.get(number[2:5])
        if bits is None:
            bits = self._open(number[2:5])
            if bits is None:
                return NOT_COVERED
        place = int(number[5:])
        return LISTED if bits[place >> 3] & MASKS[place & 7] else NOT_LISTED

    def _open(self, code: str) -> mmap | None:
        with self._opening:
            if code in self._digests and code not in self._bits:
                self._bits[code] = _mapped(bit_file(self._folder, code), digest=self._digests[code])
        return self._bits.get(code)


class RegistryFiles:
    """The registry's versions on this machine. Safe for threads; keeps the version last asked for."""

    def __init__(self, home: Path, *, list_name: str = NATIONAL) -> None:
        """`home`: RINGFENCE_HOME of this machine."""
        self._home = home
        self._list_name = list_name
        self._last: tuple[str, RegistryVersion] | None = None

    def version(self, name: str) -> RegistryVersion:
        """The version of that name (`list_versions.folder`). Raises `UnreadableListError` if it is not here, whole."""
        last = self._last
        if last is not None and last[0] == name:
            return last[1]
        digests = read_manifest(self._home, self._list_name, name)
        opened = RegistryVersion(folder_of(self._home, self._list_name) / name, digests)
        self._last = (name, opened)
        return opened


def _mapped(path: Path, *, digest: str) -> mmap:
    try:
        with path.open("rb") as file:
            bits = mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError) as error:  # missing, not ours to read, empty
        raise UnreadableListError(f"{path.parent.name}/{path.name} cannot be read ({error})") from None
    if len(bits) != BIT_FILE_BYTES or digest_of(bits) != digest:
        raise UnreadableListError(f"{path.parent.name}/{path.name} is not the file that was imported")
    return bits
