"""Calls that a provider holds and dials by itself, later: what a provider must be able to do for it.

Apart from `contract.VoiceProvider`, because it promises less: whoever hands a call over is not asked again when it is
dialed, and can only try to take it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from campaigns.providers.contract import DialRequest, DialResult, VoiceProvider


@dataclass(frozen=True, slots=True)
class ProviderSpan:
    """When the provider may dial: not before `due_from`, not from `due_until` on. Aware UTC."""

    due_from: datetime
    due_until: datetime


@runtime_checkable
class SchedulingProvider(VoiceProvider, Protocol):
    """One account at a provider that can hold calls until their time."""

    async def hand_over(self, requests: Sequence[DialRequest], *, span: ProviderSpan) -> Mapping[UUID, DialResult]:
        """Send one create for all of these (1 to `MOST_AT_ONCE`), whose first permit is the one looked at.

        Answers for every attempt id. Never retries, never raises for anything the network or the provider does.
        """


MOST_AT_ONCE = 100
"""Customers a request: Vapi advises 50 to 100, and one lost answer leaves all of them unknown."""
