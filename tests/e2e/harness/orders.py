"""How a test tells a process where to die: a small file that the process looks at whenever it passes a point."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.faults import Fault

ORDERS_VARIABLE = "RINGFENCE_E2E_ORDERS"
"""Environment variable of every process: the folder of the two files below."""


@dataclass(frozen=True, slots=True)
class Order:
    """Die at the `passage`-th passage of `point` that belongs to this campaign."""

    point: Fault
    passage: int
    campaign_id: int | None = None
    """None: whatever campaign it is, for points that do not know."""
    freeze: bool = False
    """Stop there, as SIGSTOP does, until somebody lets the process go on."""


class Orders:
    """The folder in which test and processes leave notes for each other."""

    def __init__(self, folder: Path) -> None:
        self._order = folder / "order.json"
        self._last_words = folder / "last-words.json"

    def give(self, order: Order) -> None:
        """From now on in force."""
        self._last_words.unlink(missing_ok=True)
        draft = self._order.with_suffix(".new")
        draft.write_text(json.dumps(asdict(order)), encoding="utf-8")
        draft.replace(self._order)

    def take_back(self) -> None:
        """No order any more: the next process lives on."""
        self._order.unlink(missing_ok=True)

    def standing(self) -> Order | None:
        """The order in force, if there is one."""
        try:
            read = json.loads(self._order.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Order(**read | {"point": Fault(read["point"])})

    def leave_last_words(self, attempts: list[str]) -> None:
        """What the process held in its hands when it died."""
        self._last_words.write_text(json.dumps(attempts), encoding="utf-8")

    def last_words(self) -> list[str]:
        """Attempt ids; empty before the claim."""
        attempts: list[str] = json.loads(self._last_words.read_text(encoding="utf-8"))
        return attempts
