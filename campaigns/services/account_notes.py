"""What answers and ends say beyond their own call: of the account, of the campaign's settings, of the line.

| trouble     | told by                                       | what follows                                           |
|-------------|-----------------------------------------------|--------------------------------------------------------|
| full        | 429, "no room", a call ended for want of room | a cool-down, and half the rate; successes give it back |
| credentials | 401, 402, 403, a frozen subscription          | five in a row pause the account                        |
| settings    | an unknown assistant or line, a refused value | five in a row pause the campaign                       |
| line spent  | a daily limit                                 | the line is closed until 00:00 UTC                     |
| line unfit  | a line that calls no other country            | the line is closed for that country for a day          |

None of them spends an attempt (`settle.py`), and all but a pause end by themselves.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.outcomes import Outcome
from campaigns.compliance.numbers import country_of
from campaigns.providers.contract import DialResult, NotDialed, NotDialedKind, Placed, Trouble
from campaigns.providers.words import writable
from campaigns.store import facts as fact_rows
from campaigns.store import troubles as rows
from campaigns.store.claims import CampaignFacts

log = logging.getLogger(__name__)

REFUSALS_IN_A_ROW = 5
"""So many refusals without a success between them pause what they are about: the next call would fail too."""
COOLDOWNS: dict[NotDialedKind, timedelta] = {
    NotDialedKind.NO_CONNECTION: timedelta(seconds=2),
    NotDialedKind.CAPACITY: timedelta(seconds=2),
    NotDialedKind.RATE_LIMITED: timedelta(seconds=5),
}
"""How long the whole account waits after such an answer that names no time of its own."""
CUT = 0.5
"""What is left of the rate after the provider said that it is full: halving meets any true limit in a few steps."""
SLOWEST = 1 / 64
"""A share below this would find out too late that there is room again: a call a second is still one a minute."""
RECOVERY = timedelta(minutes=5)
"""From standstill to the full rate by successes alone. Slower than any provider's limit (they count by the minute), so
that one of them is not met again at once."""
LONGEST_STEP = timedelta(minutes=1)
"""A success after a quiet hour proves no more than one after a minute."""
STEP = timedelta(seconds=1)
"""Between two rises: a busy account need not write its row with every flush."""
BAR_LASTS = timedelta(days=1)
"""What a line may call is a setting of the carrier too; somebody may have mended it by tomorrow."""

_TROUBLE_BY_KIND = {
    NotDialedKind.CAPACITY: Trouble.FULL,
    NotDialedKind.RATE_LIMITED: Trouble.FULL,
    NotDialedKind.LINE_LIMIT: Trouble.LINE_SPENT,
    NotDialedKind.LINE_UNFIT: Trouble.LINE_UNFIT,
    NotDialedKind.CONFIG_ERROR: Trouble.SETTINGS,
    NotDialedKind.CREDENTIALS: Trouble.CREDENTIALS,
}
_TALKED = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL})
"""Ends that show that assistant and account work; a phone that nobody answered shows nothing of the kind."""


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended that the provider had accepted."""

    outcome: Outcome
    trouble: Trouble | None
    reason: str | None
    """The provider's word."""


@dataclass(frozen=True, slots=True)
class _News:
    """What one answer or end tells."""

    of_end: bool
    works: bool = False
    trouble: Trouble | None = None
    said: str = ""
    cooldown: timedelta | None = None
    skew: timedelta | None = None


def is_news(told: DialResult | CallEnd, campaign: CampaignFacts) -> bool:
    """Whether an answer or an end says what is not known of account and campaign: most say that all is well."""
    news = _of_end(told) if isinstance(told, CallEnd) else _of_answer(told)
    if news.trouble is not None or news.cooldown is not None or (news.works and campaign.recovering):
        return True
    return news.skew is not None and abs(news.skew - campaign.clock_skew) > fact_rows.SKEW_STEP


def note_accounts(engine: Engine, answers: Mapping[UUID, DialResult]) -> None:
    """Draw what follows from the provider's answers to our creates. `answers`: by attempt id."""
    _note(engine, {attempt_id: _of_answer(answer) for attempt_id, answer in answers.items()})


def note_ends(engine: Engine, ends: Mapping[UUID, CallEnd]) -> None:
    """Draw what follows from ends of calls that were told for the first time. `ends`: by attempt id."""
    _note(engine, {attempt_id: _of_end(end) for attempt_id, end in ends.items()})


def _of_answer(answer: DialResult) -> _News:
    skew = answer.clock_skew
    if isinstance(answer, Placed):
        pause = COOLDOWNS[NotDialedKind.RATE_LIMITED] if answer.rate_spent else None
        return _News(of_end=False, works=True, cooldown=pause, skew=skew)
    if not isinstance(answer, NotDialed):
        return _News(of_end=False, skew=skew)
    cooldown = (answer.retry_after or COOLDOWNS[answer.kind]) if answer.kind in COOLDOWNS else None
    return _News(
        of_end=False, trouble=_TROUBLE_BY_KIND.get(answer.kind), said=answer.message, cooldown=cooldown, skew=skew
    )


def _of_end(end: CallEnd) -> _News:
    trouble = end.trouble or (Trouble.SETTINGS if end.outcome is Outcome.CONFIG_ERROR else None)
    cooldown = COOLDOWNS[NotDialedKind.CAPACITY] if trouble is Trouble.FULL else None
    return _News(True, works=end.outcome in _TALKED, trouble=trouble, said=end.reason or "", cooldown=cooldown)


def _note(engine: Engine, news: Mapping[UUID, _News]) -> None:
    """Each account by itself, and campaigns after them: two processes that note at once must not wait crosswise."""
    if not news:
        return
    with engine.begin() as connection:
        places = rows.places_of(connection, list(news))
    by_account, by_campaign = defaultdict[str, list[_News]](list), defaultdict[int, list[_News]](list)
    for place in places:
        by_account[place.account].append(news[place.id])
        by_campaign[place.campaign_id].append(news[place.id])
    for account, told in sorted(by_account.items()):
        with engine.begin() as connection:
            _note_account(connection, account, told)
    with engine.begin() as connection:
        _close_lines(connection, [(place, news[place.id].trouble) for place in places])
        _note_campaigns(connection, by_campaign)


def _note_account(connection: Connection, account: str, told: Sequence[_News]) -> None:
    cooldowns = [each.cooldown for each in told if each.cooldown is not None]
    skews = [each.skew for each in told if each.skew is not None]
    if any(each.trouble is Trouble.FULL for each in told):
        rows.slow_down(connection, account, factor=CUT, slowest=SLOWEST)
    elif any(each.works and not each.of_end for each in told) and rows.is_slowed(connection, account):
        rows.speed_up(connection, account, recovery=RECOVERY, longest=LONGEST_STEP, every=STEP)
    fact_rows.note_trouble(
        connection, account, cooldown=max(cooldowns, default=None), skew=skews[-1] if skews else None
    )
    if works := _works(told):
        rows.account_works(connection, account, creates=False in works, ends=True in works)
    refused = _in_a_row(told, Trouble.CREDENTIALS)
    if refused and rows.count_account_refusals(connection, account, **_counts(refused), reason=_reason(refused)):
        log.error("account_paused account=%s reason=%s", account, _reason(refused))
        _alarm(connection, "account_paused", f"{account}: {_reason(refused)}")


def _note_campaigns(connection: Connection, by_campaign: Mapping[int, Sequence[_News]]) -> None:
    created = [campaign_id for campaign_id, told in by_campaign.items() if False in _works(told)]
    talked = [campaign_id for campaign_id, told in by_campaign.items() if True in _works(told)]
    if created or talked:
        rows.campaigns_work(connection, created=created, talked=talked)
    for campaign_id, told in sorted(by_campaign.items()):
        refused = _in_a_row(told, Trouble.SETTINGS)
        if refused and rows.count_campaign_refusals(
            connection, campaign_id, **_counts(refused), reason=_reason(refused)
        ):
            log.error("campaign_paused campaign_id=%s reason=%s", campaign_id, _reason(refused))
            _alarm(connection, "campaign_paused", f"campaign {campaign_id}: {_reason(refused)}")


def _works(told: Sequence[_News]) -> set[bool]:
    """True: an end showed that the settings work; False: a create did."""
    return {each.of_end for each in told if each.works}


def _in_a_row(told: Sequence[_News], trouble: Trouble) -> list[_News]:
    """Refusals of this kind that no success of the same flush interrupts."""
    works = _works(told)
    return [each for each in told if each.trouble is trouble and each.of_end not in works]


def _counts(refused: Sequence[_News]) -> dict[str, int]:
    ends = sum(each.of_end for each in refused)
    return {"creates": len(refused) - ends, "ends": ends, "most": REFUSALS_IN_A_ROW}


def _reason(refused: Sequence[_News]) -> str:
    """With the provider's own words, which hold no number and no name."""
    return f"the provider refused {REFUSALS_IN_A_ROW} calls in a row: {writable(refused[-1].said)}"


def _close_lines(connection: Connection, troubles: Sequence[tuple[rows.AttemptPlace, Trouble | None]]) -> None:
    rows.hold_lines(connection, [place.line for place, trouble in troubles if trouble is Trouble.LINE_SPENT])
    unfit = {
        (place.line, country_of(place.number) or "") for place, trouble in troubles if trouble is Trouble.LINE_UNFIT
    }
    for line, country in sorted(unfit):
        if rows.bar_line(connection, line, country=country, lasts=BAR_LASTS):
            log.warning("line_calls_no_such_country country=%s", country)
            _alarm(connection, "line_unfit", f"a line of the campaign cannot call numbers of {country}: {line}")


def _alarm(connection: Connection, kind: str, detail: str) -> None:
    fact_rows.raise_alarm(connection, kind=kind, attempt_id=None, detail=writable(detail))
