"""A disk so small that it can be filled: a file system in memory, of a few hundred megabytes, for Postgres alone.

Nothing else is a full disk. A limit on files or on temporary space, or a database set to read only, fails elsewhere and
in other ways; and to fill the machine's own disk would harm others. Mounting takes root's rights.
"""

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOM = 160 << 20
"""Bytes left beside the data: some log segments, and what a trial writes before the disk is filled."""
BLOCK = 1 << 20


def why_not() -> str | None:
    """Why no small disk can be had here; None: one can."""
    if os.geteuid() != 0:
        return "a disk can only be filled where one may be mounted for it: run by root"
    with tempfile.TemporaryDirectory(prefix="ringfence-e2e-") as folder:
        if (failed := _mount(Path(folder), size=BLOCK)) is not None:
            return f"no file system can be mounted here: {failed}"
        _unmount(Path(folder))
    return None


class SmallDisk:
    """Mounted at a folder; `unmount` at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / "filler"

    def take_over(self, data: Path) -> Path:
        """Mount, copy a folder with all that is in it, and return where it is now."""
        self._folder.mkdir(mode=0o711)
        used = sum(path.lstat().st_blocks * 512 for path in data.rglob("*"))
        failed = _mount(self._folder, size=used + ROOM)
        assert failed is None, failed
        subprocess.run(["cp", "-a", str(data), str(self._folder)], check=True)
        return self._folder / data.name

    def fill(self) -> None:
        """To the last byte."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (BLOCK, 4096, 1):
                _write_until_full(file.fileno(), bytes(size))
        assert shutil.disk_usage(self._folder).free == 0

    def free(self) -> None:
        """What the operator does who finds something to delete."""
        self._filler.unlink()

    def unmount(self) -> None:
        """Gone, with everything on it."""
        _unmount(self._folder)


def _write_until_full(descriptor: int, block: bytes) -> None:
    while True:
        try:
            os.write(descriptor, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return


def _mount(folder: Path, *, size: int) -> str | None:
    """What mount(8) says against it, if anything."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr.strip()


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
