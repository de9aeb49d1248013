"""What answers to our requests say of the account itself."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.providers.contract import DialResult, NotDialed, NotDialedKind, Placed
from campaigns.providers.words import writable
from campaigns.store import facts as rows

log = logging.getLogger(__name__)

CONFIG_ERRORS_IN_A_ROW = 5
"""So many refusals of our settings without a success between them pause the account: the next call would fail too."""
COOLDOWNS: dict[NotDialedKind, timedelta] = {
    NotDialedKind.NO_CONNECTION: timedelta(seconds=2),
    NotDialedKind.CAPACITY: timedelta(seconds=2),
    NotDialedKind.RATE_LIMITED: timedelta(seconds=5),
}
"""How long the whole account waits after such an answer that names no time of its own."""


def note_accounts(engine: Engine, answers: Mapping[UUID, DialResult]) -> None:
    """Slow an account down that is full or unreachable, pause one whose settings are refused, keep its clock.

    `answers`: attempt id → what the provider answered.
    """
    if not answers:
        return
    with engine.begin() as connection:
        by_account = defaultdict[str, list[DialResult]](list)
        for attempt_id, account in rows.accounts_of(connection, list(answers)).items():
            by_account[account].append(answers[attempt_id])
        for account, results in sorted(by_account.items()):
            _note_account(connection, account, results)
        rows.hold_lines(connection, [attempt_id for attempt_id, answer in answers.items() if _spends_line(answer)])


def _spends_line(answer: DialResult) -> bool:
    return isinstance(answer, NotDialed) and answer.kind is NotDialedKind.LINE_LIMIT


def _note_account(connection: Connection, account: str, results: Sequence[DialResult]) -> None:
    refused = [result for result in results if isinstance(result, NotDialed)]
    cooldowns = [result.retry_after or COOLDOWNS[result.kind] for result in refused if result.kind in COOLDOWNS]
    skews = [result.clock_skew for result in results if result.clock_skew is not None]
    rows.note_trouble(connection, account, cooldown=max(cooldowns, default=None), skew=skews[-1] if skews else None)
    config_errors = [result for result in refused if result.kind is NotDialedKind.CONFIG_ERROR]
    if any(isinstance(result, Placed) for result in results):
        rows.count_config_errors(connection, account, errors=0, most=CONFIG_ERRORS_IN_A_ROW, reason="")
    elif config_errors:
        said = writable(config_errors[-1].message)
        reason = f"the provider refused {CONFIG_ERRORS_IN_A_ROW} calls in a row: {said}"
        if rows.count_config_errors(
            connection, account, errors=len(config_errors), most=CONFIG_ERRORS_IN_A_ROW, reason=reason
        ):
            log.error("account_paused account=%s reason=%s", account, reason)
            rows.raise_alarm(connection, kind="account_paused", attempt_id=None, detail=f"{account}: {reason}")
