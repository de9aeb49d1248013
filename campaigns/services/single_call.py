"""Single calls: a campaign of one customer, or of a few, put together in memory and submitted like any other.

So everything that holds for campaigns holds for them: gate, claim, permit, attempt, limits and the record.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from campaigns.calls.clock import CampaignClock, campaign_time
from campaigns.definition.checking import check, problem_of
from campaigns.definition.difference import differences
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.problems import DefinitionError
from campaigns.definition.storage import load_definition
from campaigns.definition.timing import DEFAULT_END_GUARD
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.submit import ChangedDefinitionError, Submit, SubmitRefusedError, Submitted
from campaigns.store import campaigns as rows
from campaigns.store import single_calls as calls

OPTIONS = "the command's options"
"""What stands in the place of a file's name in the problems of a definition."""
CALL, TEST = "call", "test"
"""How the names of such campaigns begin: everybody who reads the record sees what they were."""
LONGEST_SPAN = timedelta(hours=24)
"""No legal window is longer, and the record of earlier attempts is read for a month and a day."""
LONGEST_LEAD = timedelta(days=7)
"""What is known today of consents, lists and rules says little of next season."""


class KeyUsedError(SubmitRefusedError):
    """The key of `--once` stands for another call."""


@dataclass(frozen=True, slots=True)
class When:
    """The window of a single call. `span` set: its provider is to hold it, and dials within the window."""

    earliest_at: datetime
    latest_at: datetime
    span: ProviderSpan | None = None
    clock: CampaignClock | None = None
    """Simulator accounts only: a rehearsal's clock."""


@dataclass(frozen=True, slots=True)
class SubmittedCall:
    """`created` False: the same key was used before for the same call, and nothing was done now."""

    name: str
    created: bool
    unstated: tuple[str, ...] = ()
    """Keys of the identification that a real account would have to state."""


class SingleCall:
    """Submits them, for one operator."""

    def __init__(self, engine: Engine, *, operator: str) -> None:
        self._engine = engine
        self._operator = operator

    def now(self) -> datetime:
        """By the one clock that all processes share."""
        with self._engine.begin() as connection:
            return rows.machine_now(connection)

    def require_open(self, account: str) -> None:
        """Say at once what the call would only wait for. Raises `SubmitRefusedError`."""
        with self._engine.begin() as connection:
            held_by = calls.held_by(connection, account)
        if held_by is not None:
            raise SubmitRefusedError(held_by)

    def soon(self, *, within: timedelta, clock: CampaignClock | None = None) -> When:
        """From now on, for so long; the end guard lies behind it, so that all of it can be used."""
        now = campaign_time(clock, machine_at=self.now())
        return When(now, now + within + DEFAULT_END_GUARD, clock=clock)

    def at(self, due_from: datetime, due_until: datetime) -> When:
        """Held by the provider from `due_from` to `due_until`. Raises `SubmitRefusedError`."""
        now = self.now()
        if due_from <= now:
            raise SubmitRefusedError("--at lies in the past; give a time to come, or leave it out to call now")
        if due_from > now + LONGEST_LEAD:
            raise SubmitRefusedError(f"--at is more than {LONGEST_LEAD.days} days ahead; submit a campaign for that")
        if not due_from < due_until <= due_from + LONGEST_SPAN:
            raise SubmitRefusedError("--until must lie after --at, and at most 24 hours after it")
        return When(due_from, due_until + DEFAULT_END_GUARD, ProviderSpan(due_from, due_until))

    def submit(
        self,
        document: Mapping[str, Any],
        when: When,
        *,
        prefix: str = CALL,
        once: str | None = None,
        identification_reason: str | None = None,
        remark: str | None = None,
    ) -> SubmittedCall:
        """Submit `document`: a campaign file's content without `campaign` and `window`.

        `once`: a key of the caller's; a second call under the same key is not made. `remark`: put on record beside it.
        Raises `DefinitionError`, `SubmitRefusedError`.
        """
        name = name_for_key(once) if once else new_name(prefix, at=self.now())
        source = {"campaign": name, **document, "window": _window(when)}
        definition = defined(source)
        if once and (found := self._found(definition, when)):
            return found
        try:
            submitted = Submit(self._engine).run(
                definition,
                source_text=json.dumps(source, ensure_ascii=False),
                customers_path=None,
                operator=self._operator,
                clock=when.clock,
                identification_reason=identification_reason,
                span=when.span,
            )
        except ChangedDefinitionError:
            # Somebody used the key between our look and our insert.
            if once and (found := self._found(definition, when)):
                return found
            raise
        if remark is not None and submitted.created:
            self._note(name, prefix, remark)
        return _told(name, submitted)

    def _found(self, definition: CampaignDefinition, when: When) -> SubmittedCall | None:
        """The call made under this key before; None: there is none. Raises `KeyUsedError`."""
        with self._engine.begin() as connection:
            stored = rows.find_campaign(connection, definition.campaign)
        if stored is None:
            return None
        before = load_definition(stored.definition)
        # A call of now is the same call a minute later; one for a time of its own is not.
        after = definition if when.span else replace_window(definition, before)
        if changes := differences(before, after):
            raise KeyUsedError(f"this --once key stands for another call, which differs in {'; '.join(changes)}")
        return SubmittedCall(definition.campaign, created=False)

    def _note(self, name: str, prefix: str, remark: str) -> None:
        with self._engine.begin() as connection:
            rows.record_operation(
                connection, operator=self._operator, action=f"{prefix}-call", subject=name, detail=remark
            )


def defined(source: Mapping[str, Any]) -> CampaignDefinition:
    """The definition that this data is. Raises `DefinitionError`."""
    definition, findings = check(dict(source))
    if definition is None or findings:
        raise DefinitionError([problem_of(each, file=OPTIONS, root=None) for each in findings])
    return definition


def new_name(prefix: str, *, at: datetime) -> str:
    """`call-20261202-170000-9f3c2a`: when, and six digits so that two of one second differ."""
    return f"{prefix}-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def name_for_key(key: str) -> str:
    """The same for the same key, whoever asks; the key itself may be anything, a customer's id even."""
    return f"{CALL}-once-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def replace_window(definition: CampaignDefinition, other: CampaignDefinition) -> CampaignDefinition:
    """The definition as if it had been submitted at the time of the other."""
    return definition.model_copy(update={"window": other.window})


def _window(when: When) -> dict[str, str]:
    return {"earliestAt": when.earliest_at.isoformat(), "latestAt": when.latest_at.isoformat()}


def _told(name: str, submitted: Submitted) -> SubmittedCall:
    return SubmittedCall(name, submitted.created, tuple(key.path for key in submitted.unstated))
