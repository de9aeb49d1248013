"""The switches that only the simulated jambonz (Cognigy Voice Gateway) has.

Cognigy's gateway is a fork of jambonz. Where its documents and jambonz's code differ, or neither settles the matter,
there is a switch, and a client should be right under each of its settings.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Literal

from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT, Count, Share, Span, Weight


class JambonzWhenFull(StrEnum):
    """What becomes of a create when `concurrency_limit` jambonz calls are live."""

    END = "end"
    """201, and the call fails with SIP 503, as jambonz does."""
    REFUSE = "refuse"
    """480, as Cognigy's pages say; no call."""


class CdrTimes(StrEnum):
    """How `RecentCalls` writes an instant: jambonz's code, its description and its examples differ."""

    ISO = "iso"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class JambonzConfig:
    """One simulated jambonz account."""

    account_sid: str | None = None
    """The account of the API key; None: every account is, and each sees only its own calls."""
    applications: Mapping[str, str] = field(default_factory=dict)
    """application_sid → its `call_status_hook` (empty: none). None given: every sid of 36 characters is one."""
    call_status_hook: str | None = None
    """The status hook of every application that `applications` gives none. May end in `#rc=3&rp=all`, as jambonz's."""
    callers: tuple[str, ...] = ()
    """The numbers (`from`) that the carrier lets through; calls from others end with SIP 403. None given: all."""
    cognigy_properties: bool = True
    """Take the create properties that only Cognigy's documents list; False: they are unknown, as to plain jambonz."""
    refuse_unknown: bool = True
    """An unknown property is 500 `Internal Server Error`, as jambonz's feature server does; False: it is ignored."""
    notify_names: tuple[str, ...] = ("notifyUrl", "notifyURL")
    """The properties by which a call names a further status hook; a release note spells it the second way."""
    call_id_name: Literal["callId", "callid"] = "callId"
    """How the 201 names the SIP Call-ID."""
    first_status: Literal["trying", "queued"] = "trying"
    """What a call is in until it rings."""
    busy_status: Literal["busy", "no-answer"] = "busy"
    """`call_status` of SIP 486 (and, with the second word, of 600): jambonz's code and Cognigy's page differ."""
    early_media: Share = 0.0
    """Share of ringing calls that tell `early-media` (183) as well."""
    repeated_ringing: Share = 0.0
    """Share of ringing calls that tell `ringing` twice."""
    amd_delay: Span = (1.0, 3.0)
    """Simulated seconds from the pick-up to the word on who picked up, when the create asked for `amd`."""
    amd_after_completed: Share = 0.0
    """Share of calls whose word on who picked up comes only after `completed`."""
    amd_lateness: Span = (0.5, 2.0)
    """Simulated seconds from `completed` to such a late word."""
    amd_undecided: Share = 0.0
    """Share of answered calls for which no word on human or machine is found (`amd_decision_timeout`)."""
    amd_customer_data: bool = False
    """Send the tag in these events too; else they can be joined by `call_sid` only."""
    attempt_tags: tuple[str, ...] = ("attemptId", "attempt_id")
    """The keys of `tag` that may hold the client's own key of an attempt; the first one there is counted by."""
    live_hours: Weight = 12.0
    """Simulated hours for which `Calls` remembers a call that was not answered or refused yet."""
    final_hours: Weight = 1.0
    """Simulated hours for which `Calls` remembers a call from its last SIP status of 200 or above on."""
    recent_days: Weight = 30.0
    """Simulated days for which `RecentCalls` remembers a call that is over."""
    fewest_recent: Count = 25
    """Smallest `count` that `RecentCalls` takes."""
    cdr_times: CdrTimes = CdrTimes.ISO
    """How `RecentCalls` writes instants: code, description and examples of jambonz differ."""
    when_full: JambonzWhenFull = JambonzWhenFull.END
    """What becomes of a create when `concurrency_limit` calls are live."""
    no_feature_server: Share = 0.0
    """Share of creates answered 480 `no available feature servers at this time`; no call."""
    rate_limit: Count | None = None
    """More requests of any kind than this in `rate_window` seconds are 429; jambonz's own default is 600."""
    rate_window: Weight = 300.0
    """Real seconds."""
    webhook_secrets: tuple[str, ...] = ()
    """Sign webhooks with `Jambonz-Signature`: one `v1` for each of them. None given: unsigned."""
    signature_age: float = 0.0
    """Seconds by which the signature's time lies in the past; below zero: in the future."""
