"""How long a permit may be used, measured on a clock that nobody can set."""

from datetime import datetime, timedelta

PERMIT_LIFETIME = timedelta(seconds=1)
"""From reading the facts to the last instant at which the request may leave. `revoke`, pause and stop return
one lifetime after their commit, so nothing decided on older facts can leave after they return."""

HTTP_TIMEOUT = timedelta(seconds=25)
"""How long a create may take to answer before its fate is unknown. Vapi answers within seconds; waiting longer
would only hold the slot."""

FLUSH_MARGIN = timedelta(seconds=5)
"""From the provider's answer to our commit, generously: a result written 30 ms after it is known, or after a
database that was away for a moment."""

LIVE_MARGIN = timedelta(seconds=60)
"""Added to ring time and longest duration before a silent call is asked after or its slot is given back."""

REPORT_GRACE = timedelta(minutes=10)
"""After a call ended, how long its number stays locked for the report: an opt-out spoken in the call is written in
the transaction that frees the number."""


def usable_for(*, campaign_at: datetime, window_ends_at: datetime, clock_speed: float) -> timedelta:
    """Machine time from reading the facts (campaign clock `campaign_at`) to `send_by`.

    `min(1 s, time until the legal window ends)`, the latter divided by the campaign clock's speed.
    """
    return max(timedelta(0), min(PERMIT_LIFETIME, (window_ends_at - campaign_at) / clock_speed))
