"""Pause, resume, cancel, stop and start. When one of the stopping ones returns, no new request can leave any more.

Each commits its switch, then waits for one permit lifetime: claims read the switch in their own transaction, so
whatever was decided before the commit has either left by then or never will.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from sqlalchemy import Connection, Engine

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.facts import CampaignSwitch
from campaigns.store import control as rows
from campaigns.store.accounts import PAUSED_BY_SETTINGS
from campaigns.store.campaigns import campaign_names, record_operation
from campaigns.store.handed_over import ask_back_held
from campaigns.store.troubles import forget_campaign_refusals

CANCEL_CHUNK = 5_000
"""Calls cancelled in one transaction: some tenths of a second of row locks."""
HELD_ROWS_PAUSE = timedelta(milliseconds=100)
MOST_HELD_ROWS_PAUSES = 100
"""Claims hold rows for less than a second; ten seconds of waiting mean that something is wrong."""

Wait = Callable[[timedelta], None]


class ControlRefusedError(Exception):
    """The switch cannot be thrown. The message says why and what to do."""


class UnknownCampaignError(ControlRefusedError):
    """There is no campaign of that name."""

    def __init__(self, name: str, *, known: list[str]) -> None:
        self.nearest = tuple(get_close_matches(name, known, n=3))
        hint = f"did you mean {' or '.join(self.nearest)}?" if self.nearest else "`ringfence status` lists them"
        super().__init__(f"there is no campaign {name!r}; {hint}")


@dataclass(frozen=True, slots=True)
class Switched:
    """`changed` False: it was in that position already."""

    changed: bool
    cancelled_calls: int = 0
    asked_back: int = 0
    """Calls that a provider holds until their time, and that a worker now cancels there."""


class Control:
    """The switches, for one operator. `wait` really waits that long; tests pass their own."""

    def __init__(self, engine: Engine, *, operator: str, wait: Wait) -> None:
        self._engine = engine
        self._operator = operator
        self._wait = wait

    def pause(self, name: str) -> Switched:
        """Dial nothing more of this campaign until `resume`. Live calls finish.

        Calls that the provider holds are cancelled there, and `resume` does not bring them back.
        """
        changed = self._switch(name, CampaignSwitch.PAUSED, action="pause")
        asked_back = self._ask_back(name)
        self._wait(PERMIT_LIFETIME)
        return Switched(changed, asked_back=asked_back + self._ask_back(name))

    def resume(self, name: str) -> Switched:
        """Let a paused campaign go on, try an interrupted expansion again, and lift its account's pause.

        Both pause by themselves when the provider refuses several calls in a row: the account for its credentials, the
        campaign for its assistant, its line or another of its settings.
        """
        return Switched(self._switch(name, CampaignSwitch.ACTIVE, action="resume"))

    def cancel(self, name: str) -> Switched:
        """End this campaign for good: waiting calls become `cancelled`, live calls finish, no retry follows."""
        changed = self._switch(name, CampaignSwitch.CANCELLED, action="cancel")
        cancelled, asked_back = self._cancel_waiting(name), self._ask_back(name)
        self._wait(PERMIT_LIFETIME)
        # A feed pass that read the switch before our commit may have queued some since.
        return Switched(changed, cancelled + self._cancel_waiting(name), asked_back + self._ask_back(name))

    def stop_all(self) -> Switched:
        """Forbid all dialing, of every campaign, until `start`."""
        changed = self._set_stopped(stopped=True, action="stop --all")
        asked_back = self._ask_back(None)
        self._wait(PERMIT_LIFETIME)
        return Switched(changed, asked_back=asked_back + self._ask_back(None))

    def start(self) -> Switched:
        """Take `stop_all` back."""
        return Switched(self._set_stopped(stopped=False, action="start"))

    def _switch(self, name: str, target: CampaignSwitch, *, action: str) -> bool:
        with self._engine.begin() as connection:
            campaign = _locked(connection, name)
            if campaign.state == CampaignSwitch.CANCELLED and target is not CampaignSwitch.CANCELLED:
                raise ControlRefusedError(f"campaign {name} is cancelled for good; submit it under another name")
            if target is CampaignSwitch.ACTIVE:
                rows.clear_expansion_problems(connection, campaign.id)
                rows.lift_account_pause(connection, campaign.id, except_for=PAUSED_BY_SETTINGS)
                forget_campaign_refusals(connection, campaign.id)
            if campaign.state == target:
                return False
            reason = None if target is CampaignSwitch.ACTIVE else f"{action} by {self._operator}"
            rows.set_campaign_state(connection, campaign.id, state=target.value, reason=reason)
            record_operation(connection, operator=self._operator, action=action, subject=name)
            return True

    def _set_stopped(self, *, stopped: bool, action: str) -> bool:
        with self._engine.begin() as connection:
            changed = rows.set_stopped(connection, stopped=stopped, operator=self._operator)
            if changed:
                record_operation(connection, operator=self._operator, action=action, subject="all campaigns")
            return changed

    def _ask_back(self, name: str | None) -> int:
        """Have calls cancelled that a provider holds: of one campaign, or of all."""
        with self._engine.begin() as connection:
            campaign_id = _locked(connection, name).id if name is not None else None
            return ask_back_held(connection, campaign_id=campaign_id, asked_by=self._operator)

    def _cancel_waiting(self, name: str) -> int:
        with self._engine.begin() as connection:
            campaign_id = _locked(connection, name).id
        cancelled, pauses = 0, 0
        while True:
            with self._engine.begin() as connection:
                count = rows.cancel_waiting_calls(connection, campaign_id, most=CANCEL_CHUNK)
                if count == 0 and not rows.has_waiting_calls(connection, campaign_id):
                    return cancelled
            cancelled += count
            if count == 0:
                pauses += 1
                if pauses > MOST_HELD_ROWS_PAUSES:
                    raise ControlRefusedError(
                        f"campaign {name} is cancelled and dials nothing more, but some of its waiting calls are "
                        "locked by another process; run the same command again"
                    )
                self._wait(HELD_ROWS_PAUSE)


def _locked(connection: Connection, name: str) -> rows.LockedCampaign:
    campaign = rows.lock_campaign(connection, name)
    if campaign is None:
        raise UnknownCampaignError(name, known=campaign_names(connection))
    return campaign
