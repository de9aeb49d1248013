"""A full-size national registry: 258.5 million synthetic numbers, imported and looked up.

    python -m benchmarks.do_not_call.full_list --folder /tmp/do-not-call [--area-codes 359] [--numbers 258500000]

Prints one JSON line a figure. Writes the list as text (3.1 GB) and as bits (428 MiB) into the folder and removes both.
"""

import argparse
import json
import random
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from campaigns.files.area_codes import load_area_codes
from campaigns.files.list_folders import import_folder, place
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.runtime.law import AREA_CODES_FILE
from campaigns.services.registry_import import write_bits

PATTERNS = 8
"""So many different sets of numbers are drawn; each area code has one of them. Drawing 359 would take half an hour."""
LOOKUPS = 1_000_000
CONTROL_LINES = 2_000_000


def main() -> None:
    options = _options()
    codes = [code.code for code in load_area_codes(AREA_CODES_FILE).codes.values() if code.kind == "geographic"]
    codes = sorted(codes)[: options.area_codes]
    options.folder.mkdir(parents=True, exist_ok=True)
    text, home = options.folder / "registry.txt", options.folder / "home"
    try:
        patterns = _patterns(options.numbers // len(codes))
        _write_list(text, codes, patterns)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:  # so that the peak is the import's own
            alone.submit(_import, text, home).result()
        _look_up(home, codes, patterns)
        _control(text)
    finally:
        text.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--area-codes", type=int, default=359)
    parser.add_argument("--numbers", type=int, default=258_500_000)
    return parser.parse_args()


def _patterns(size: int) -> list[list[int]]:
    return [sorted(random.Random(seed).sample(range(10_000_000), size)) for seed in range(PATTERNS)]


def _write_list(path: Path, codes: Sequence[str], patterns: Sequence[Sequence[int]]) -> None:
    texts = [b"".join(b"###,%07d\n" % number for number in pattern) for pattern in patterns]
    with path.open("wb") as file:
        for index, code in enumerate(codes):
            file.write(texts[index % PATTERNS].replace(b"###", code.encode()))


def _import(text: Path, home: Path) -> None:
    before = _peak_mib()
    started, computed = time.perf_counter(), time.process_time()
    with import_folder(home, NATIONAL) as folder:
        read = write_bits([text], folder, area_codes=None, on_lines=lambda _: None)
        place(folder, digests=read.bits.digests, obtained_at=datetime(2026, 11, 1, tzinfo=UTC))
    seconds = time.perf_counter() - started
    assert read.rejects.count == 0
    _figure("import.seconds", round(seconds, 1), numbers=read.bits.numbers)
    _figure("import.cpu_seconds", round(time.process_time() - computed, 1))
    _figure("import.numbers_per_second", round(read.bits.numbers / seconds))
    # The peak counts mapped bits that the kernel may take back at any time.
    _figure("import.peak_memory_mib", round(_peak_mib()), before_mib=round(before))


def _look_up(home: Path, codes: Sequence[str], patterns: Sequence[Sequence[int]]) -> None:
    name = next(path.name for path in (home / "lists" / NATIONAL).iterdir() if path.is_dir())
    version = RegistryFiles(home).version(name)
    chance = random.Random(9)
    numbers = [f"+1{chance.choice(codes)}{chance.randrange(10_000_000):07}" for _ in range(LOOKUPS)]
    with _timed("look_up.first_touch_us_a_code", per=len(codes), unit=1e6):
        for code in codes:
            version.look(f"+1{code}0000000")
    look = version.look
    with _timed("look_up.random_us", per=LOOKUPS, unit=1e6):
        for number in numbers:
            look(number)
    listed = [set(pattern) for pattern in patterns]
    index = {code: place % PATTERNS for place, code in enumerate(codes)}
    wrong = sum(look(number).listed is not (int(number[5:]) in listed[index[number[2:5]]]) for number in numbers)
    _figure("look_up.wrong_answers", wrong, asked=LOOKUPS)


def _control(text: Path) -> None:
    """The plain way: one `int` a line into one `set`. Run on a part, for the whole does not fit in memory."""
    started, before = time.process_time(), _resident_mib()
    numbers = set()
    with text.open() as file:
        for line, _ in zip(file, range(CONTROL_LINES), strict=False):
            code, number = line.rstrip("\n").split(",")
            numbers.add(int(code + number))
    seconds = time.process_time() - started
    _figure("control.set_numbers_per_second", round(CONTROL_LINES / seconds))
    _figure("control.set_bytes_a_number", round((_resident_mib() - before) * 2**20 / len(numbers)))


@contextmanager
def _timed(name: str, *, per: int, unit: float) -> Iterator[None]:
    """Processor time: what others do on the machine meanwhile is not the look-up's."""
    started = time.process_time()
    yield
    _figure(name, round((time.process_time() - started) / per * unit, 3), times=per)


def _figure(name: str, value: float, **context: object) -> None:
    print(json.dumps({"figure": f"do_not_call.{name}", "value": value, **context}), flush=True)


def _peak_mib() -> float:
    """Of this program alone: what `getrusage` tells also remembers the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
