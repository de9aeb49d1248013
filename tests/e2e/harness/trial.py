"""One fault in one campaign: what was hit, what was seen afterwards, how it ended."""

import json
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.books import Books, dialing, read_books, still_stuck, under_way, waiting_for_a_person
from harness.campaign import MAX_ATTEMPTS, Launched
from harness.faults import Fault
from harness.memory import Remembered, remembered
from harness.reckoning import double_dials, losses, of_campaign, too_late
from harness.stack import Stack
from harness.witness import Dial


@dataclass(frozen=True, slots=True)
class Told:
    """What `ringfence status --json` said, and how many attempts really waited for a person before and after."""

    status: dict[str, Any]
    waiting: int


@dataclass(slots=True)
class Trial:
    """Watched from the fault to the end of its campaign."""

    fault: Fault
    policy: str
    campaign: Launched
    struck_at: float = 0.0
    hit: dict[int, int] = field(default_factory=dict)
    """Calls under way at the fault: id → epoch."""
    unanswered: set[str] = field(default_factory=set)
    """Attempts without a recorded answer at the fault."""
    last_words: list[str] = field(default_factory=list)
    """Attempts in the hands of the worker that died."""
    point: Fault | None = None
    """Where it was frozen."""
    backlog: int | None = None
    """Messages that waited in Valkey when no worker had been there for a while."""
    deadlocks: int = 0
    """That Postgres broke up while locks were crossed."""
    connections_taken: int = 0
    recovery_seconds: float | None = None
    """Until the last call that was under way had moved on. None: not yet."""
    told: Told | None = None
    """None: no moment at which the campaign only waited for a person."""

    def strike(self, stack: Stack) -> None:
        """The fault has just happened."""
        self.struck_at = time.monotonic()
        self.hit = under_way(stack.database, self.campaign.id)
        self.unanswered = dialing(stack.database, self.campaign.id)

    def look(self, stack: Stack) -> None:
        """Note what can be seen now."""
        if self.recovery_seconds is None:
            if self.struck_at and not still_stuck(stack.database, self.hit):
                self.recovery_seconds = time.monotonic() - self.struck_at
        elif self.told is None and (before := waiting_for_a_person(stack.database, self.campaign.id)):
            status = ask_status(stack, self.campaign.name)
            if waiting_for_a_person(stack.database, self.campaign.id) == before:
                self.told = Told(status, waiting=len(before))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a trial came out."""

    trial: Trial
    books: Books
    dials: list[Dial]
    fates: Remembered
    """All unknown fates of this campaign, also those that a later fault left behind."""
    double_dials: list[str]
    losses: list[str]
    late: list[str]
    """Calls after the window."""

    @property
    def adopted(self) -> frozenset[str]:
        """Attempts of unknown fate that the provider had after all."""
        return self.fates.unknown & {dial.attempt for dial in self.dials}

    @property
    def redialed(self) -> frozenset[str]:
        """Attempts of unknown fate that were followed by another one for the same person."""
        newest = {attempt.call_id: attempt.id for attempt in self.books.attempts}
        return self.fates.unknown - set(newest.values()) - self.adopted

    @property
    def unresolved(self) -> frozenset[str]:
        """Attempts of unknown fate with which their calls ended, when the window did."""
        return self.fates.unknown - self.adopted - self.redialed

    def ends_of(self, attempts: Collection[str]) -> set[tuple[str, str | None]]:
        """(state, reason) of the calls to which these attempts belong."""
        calls = {attempt.call_id for attempt in self.books.attempts if attempt.id in attempts}
        return {(call.state, call.reason) for call in self.books.calls if call.id in calls}


def judge(trial: Trial, stack: Stack, all_dials: list[Dial]) -> Verdict:
    """Hold the provider's story against the books."""
    books = read_books(stack.database, trial.campaign.id)
    dials = of_campaign(all_dials, books)
    return Verdict(
        trial=trial,
        books=books,
        dials=dials,
        fates=remembered(stack.database, trial.campaign.id),
        double_dials=double_dials(books, dials, max_attempts=MAX_ATTEMPTS),
        losses=losses(books, dials, rows=trial.campaign.rows),
        late=too_late(dials, latest_at=trial.campaign.latest_at),
    )


def ask_status(stack: Stack, name: str) -> dict[str, Any]:
    """What the operator is told."""
    command = [str(Path(sys.executable).with_name("ringfence")), "status", name, "--json"]
    addresses = {"DATABASE_URL": stack.addresses.database_url, "REDIS_URL": stack.addresses.redis_url}
    done = subprocess.run(
        command, cwd=stack.home, env=stack.environment | addresses, check=True, capture_output=True, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
