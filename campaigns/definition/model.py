"""The campaign file as a value."""

from typing import Annotated

from pydantic import Field

from campaigns.compliance.facts import Purpose
from campaigns.definition.assistant import Assistant
from campaigns.definition.base import Block
from campaigns.definition.conversations import OptOut, StopWhen
from campaigns.definition.dialing import Budget, LinePool, Pacing, Retries, Voicemail
from campaigns.definition.hours import Hours
from campaigns.definition.identification import Identification
from campaigns.definition.people import CustomerSource, DefaultConsent
from campaigns.definition.timing import DEFAULT_END_GUARD, Schedule, Window
from campaigns.definition.values import Count, Duration, Guard, Slug, Text, WholeNumber


class CampaignDefinition(Block):
    """One campaign, as its author wrote it; every instant in UTC."""

    campaign: Slug
    """Name of the campaign: small letters, digits and hyphens."""
    purpose: Purpose
    """Why you call; the law asks for different consent and hours by purpose."""
    seller: Text
    """On whose behalf you call; consent must name this seller."""
    account: Slug
    """Name of the provider account in the settings."""
    assistant: Assistant
    """Who speaks, and what it is told about each customer."""
    lines: LinePool
    """The numbers you call from."""
    customers: CustomerSource
    """Whom you call."""
    consent: DefaultConsent | None = None
    """The consent of customers whose row brings none of its own."""
    window: Window
    """First and last instant of the whole campaign."""
    calling_hours: Hours | None = None
    """Hours in the customer's local time, by weekday; the law cuts further, never less."""
    schedule: Schedule | None = None
    """For campaigns that run again and again."""
    pacing: Pacing = Pacing()
    """How fast, how many at once."""
    retries: Retries = Retries()
    """Whether and when customers who were not reached are called again."""
    voicemail: Voicemail | None = None
    """What to do when a machine answers."""
    budget: Budget | None = None
    """Where the campaign stops by itself."""
    stop_when: StopWhen | None = None
    """What ends the calling of a customer early."""
    opt_out: OptOut = OptOut()
    """What in a conversation takes the customer's consent back."""
    identification: Identification = Identification()
    """What the assistant says of itself; sales calls to real people need all of it."""
    min_gap: Duration | None = None
    """Least time after a call of another campaign or run to the same person; the rules' policy binds in any case."""
    end_guard: Guard = DEFAULT_END_GUARD
    """How long before the end of any window dialing stops, such as 60s, so that no phone rings after it; at most 1h."""
    priority: Annotated[WholeNumber, Field(ge=-1000, le=1000)] = 0
    """Campaigns of higher priority take their calls first."""
    weight: Annotated[Count, Field(le=1000)] = 1
    """Share of the account's capacity among campaigns of the same priority."""
