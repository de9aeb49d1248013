"""Attempts between their rows and the fold: read into a view, and written back as a change."""

from datetime import datetime, timedelta

from campaigns.calls.permits import FLUSH_MARGIN, HTTP_TIMEOUT, LIVE_MARGIN
from campaigns.calls.states import FINAL_ATTEMPT_STATES, AttemptState
from campaigns.providers.contract import AnsweredBy
from campaigns.providers.words import writable
from campaigns.services.settle import AttemptView, Settled
from campaigns.store import facts as rows
from campaigns.store.claims import CampaignFacts

REPORT_LOOK = timedelta(seconds=60)
"""How soon a call that ended is asked after when its report does not come: most come within seconds. The number stays
held for `REPORT_GRACE` all the same."""
POLL_INTERVAL = timedelta(seconds=2)
"""How soon a call in progress is asked after when the provider cannot reach us by webhook."""


def view_of(attempt: rows.AttemptRow) -> AttemptView:
    """The row as the fold sees it."""
    return AttemptView(
        id=attempt.id,
        state=attempt.state,
        provider_call_id=attempt.provider_call_id,
        connected=attempt.connected,
        outcome=attempt.outcome,
        disposition=attempt.disposition,
        ended_reason=attempt.ended_reason,
        detail=attempt.detail,
        duration=attempt.duration,
        cost_usd=attempt.cost_usd,
        hung_up=attempt.hung_up,
        rang=attempt.rang,
        late_cancel=attempt.late_cancel,
        late_cancelled=attempt.late_cancelled,
        asked_back=attempt.asked_back,
        answered_by=AnsweredBy(attempt.answered_by) if attempt.answered_by else None,
    )


def change_of(
    attempt: rows.AttemptRow,
    view: AttemptView,
    over: Settled | None,
    requested_at: datetime | None,
    *,
    campaign: CampaignFacts,
) -> rows.AttemptChange:
    """What the fold made of the attempt, with its next look. `over`: the fact that ended it, if one did."""
    return rows.AttemptChange(
        id=view.id,
        state=view.state,
        provider_call_id=_kept(view.provider_call_id),
        connected=view.connected,
        counts=_counts(attempt, view, over),
        outcome=view.outcome,
        disposition=_kept(view.disposition),
        ended_reason=_kept(view.ended_reason),
        detail=_kept(view.detail),
        duration=view.duration,
        cost_usd=view.cost_usd,
        hung_up=view.hung_up,
        rang=view.rang,
        answered_by=view.answered_by.value if view.answered_by else None,
        check_after=_check_after(view.state, campaign),
        requested_at=requested_at,
    )


def _counts(attempt: rows.AttemptRow, view: AttemptView, over: Settled | None) -> bool:
    """As its end says; until then every attempt counts, one that had not counted and turns out to be alive too."""
    if over is not None and over.verdict is not None:
        return over.verdict.counts
    return attempt.counts or view.state not in FINAL_ATTEMPT_STATES


def _kept(words: str | None) -> str | None:
    """The provider's client has cleaned its words; looked at again before a write that other calls share."""
    return None if words is None else writable(words)


def _check_after(state: AttemptState, campaign: CampaignFacts) -> timedelta | None:
    """When to look again if nobody tells us anything: rescue, poll or reconcile, by state."""
    match state:
        case AttemptState.DIALING:
            return HTTP_TIMEOUT + FLUSH_MARGIN
        case AttemptState.IN_PROGRESS if campaign.webhooks:
            return campaign.ring_timeout + campaign.max_duration + LIVE_MARGIN
        case AttemptState.ENDED if campaign.webhooks:
            return REPORT_LOOK
        case AttemptState.IN_PROGRESS | AttemptState.ENDED:
            return POLL_INTERVAL
        case AttemptState.FATE_UNKNOWN:
            return campaign.reconcile_after[0]
        case _:
            return None
