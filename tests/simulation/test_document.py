"""docs/deterministic-simulation.md names every fault that can be thrown in and every safeguard that can be missing."""

import re
from pathlib import Path

from interleaving.mutations import MUTATIONS
from interleaving.schedule import FAULTS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "deterministic-simulation.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z_]+)`", DOCUMENT))


def test_the_document_names_every_fault() -> None:
    assert set(FAULTS) <= NAMED


def test_the_document_names_every_mutation() -> None:
    assert {str(mutation) for mutation in MUTATIONS} <= NAMED
