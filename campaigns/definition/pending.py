"""Keys that are read and checked, but whose effect comes with a later version.

`validate` warns of them and `submit` refuses the file: a key without effect must not look as if it worked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from campaigns.definition.model import CampaignDefinition


@dataclass(frozen=True, slots=True)
class PendingKey:
    """`path` as in the file, such as `budget.cost`; `why` is a sentence for its writer."""

    path: str
    why: str


_PENDING: tuple[tuple[str, str, Callable[[CampaignDefinition], bool]], ...] = (
    ("budget.cost", "costs are not yet counted while a campaign runs", lambda d: bool(d.budget and d.budget.cost)),
    (
        "optOut.keys",
        "no provider of this version reports the keys that a person presses",
        lambda d: bool(d.opt_out.keys),
    ),
    ("lines.choose", "lines can only take turns (rotate)", lambda d: d.lines.choose == "nearest"),
    ("schedule.overlap", "a run that is due while another is going is always skipped (skip)", lambda d: _overlaps(d)),
)


def pending_keys(definition: CampaignDefinition) -> tuple[PendingKey, ...]:
    """The keys of this file that have no effect yet, each once; empty: the file can be submitted."""
    return tuple(PendingKey(path, why) for path, why, is_used in _PENDING if is_used(definition))


def _overlaps(definition: CampaignDefinition) -> bool:
    return definition.schedule is not None and definition.schedule.overlap != "skip"
