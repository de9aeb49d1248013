"""Attention: what waits for a person, and with what they can answer. Read, never changed; numbers are masked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from campaigns.services.status import snapshot
from campaigns.store import attention as rows
from campaigns.store.restores import UnprovenAccount, unproven_accounts

MOST_ALARMS = 200
"""Shown at once: more of them have one cause, which the newest tell."""
ELSEWHERE = ("stray_call", "database_restored", "late_ring")
"""Alarms whose cause stands in a list of its own."""

ADVICE: Mapping[str, str] = {
    "second_provider_call": "one attempt has two calls: somebody was called twice; the provider's portal shows both",
    "two_calls_live": "two calls of ours reached one person at once; `ringfence explain NUMBER` shows both",
    "late_report_of_unknown_attempt": "an attempt that was given up had been made; a redial that had left reached the "
    "person again, one that had not was stopped",
    "late_answer_of_unknown_attempt": "an attempt that was given up had been made; a redial that had left reached the "
    "person again, one that had not was stopped",
    "found_after_latest_at": "a call that had ended as `failed` with `fate_unknown` had been made; `ringfence explain "
    "NUMBER` shows how it went, the call's own end stays as it is",
    "reported_but_not_dialed": "the provider made a call that it had refused; the call was believed, nobody redialed",
    "not_dialed_but_reported": "the provider refused a call that it reports as made; the report was believed",
    "call_never_ended": "the provider never ended this call; it was hung up as far as possible and closed",
    "call_never_answered_for": "the provider gave no answer about this call for more than a day; look in its portal",
    "call_missing": "the provider does not know a call that it had given an id: deleted (`ringfence calls delete` is "
    "in `operations`), too old, or lost; look in its portal, ask its support",
    "call_shared_by_attempts": "two attempts claim one call; look at its number and time in the provider's portal",
    "campaign_paused": "mend what the provider refused, then `ringfence resume CAMPAIGN`",
    "line_unfit": "this line calls no numbers of that country: give the campaign one that does",
    "launch_failed": "a run could not be launched; `ringfence why CAMPAIGN` says what is wrong",
    "account_paused": "mend what the provider refused, then `ringfence resume CAMPAIGN`",
}
"""What each kind of alarm means, and what a person can do."""
OTHER_ADVICE = "look at the attempt with `ringfence calls show`, and at the worker's log"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Everything that waits for a person."""

    fates: tuple[rows.UnknownFate, ...]
    late_rings: tuple[rows.LateRing, ...]
    strays: tuple[rows.Stray, ...]
    alarms: tuple[rows.Alarm, ...]
    accounts: tuple[UnprovenAccount, ...]

    @property
    def count(self) -> int:
        """How many things there are."""
        return sum(map(len, (self.fates, self.late_rings, self.strays, self.alarms, self.accounts)))

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "waiting": self.count,
            "unknown_fates": [_plain(each) | {"looked_at": looked_at(each)} for each in self.fates],
            "late_rings": [_plain(each) for each in self.late_rings],
            "strays": [_plain(each) for each in self.strays],
            "alarms": [_plain(each) | {"advice": advice(each)} for each in self.alarms],
            "held_accounts": [_plain(each) for each in self.accounts],
        }


def waiting(engine: Engine, *, over: bool = False) -> Waiting:
    """What waits now. `over`: also unknown fates of calls that ended meanwhile without an answer."""
    with snapshot(engine) as connection:
        return Waiting(
            fates=tuple(rows.unknown_fates(connection, over=over)),
            late_rings=tuple(rows.late_rings(connection)),
            strays=tuple(rows.open_strays(connection)),
            alarms=tuple(rows.open_alarms(connection, elsewhere=ELSEWHERE, most=MOST_ALARMS)),
            accounts=tuple(unproven_accounts(connection)),
        )


def masked(number: str) -> str:
    """Enough to tell two people of a short list apart, and nothing to call."""
    return f"…{number[-2:]}"


def looked_at(fate: rows.UnknownFate) -> str:
    """What was done to find it."""
    if fate.absences:
        return "two complete looks at the provider, minutes apart, showed no trace of it"
    return "the provider could not prove whether it made the call"


def advice(alarm: rows.Alarm) -> str:
    """What the alarm means and what to do."""
    return ADVICE.get(alarm.kind, OTHER_ADVICE)


def _plain(item: Any) -> dict[str, Any]:
    values = asdict(item)
    if "number" in values:
        values["number"] = masked(values["number"])
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
