"""The campaign clock: equal to the machine's, or a rehearsal's offset and speed.

The gate, due times, the ladder and `latestAt` follow it; leases, permits and pacing follow the machine.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class CampaignClock:
    """A rehearsal clock: at `machine_at` it showed `campaign_at`, and it runs `speed` times as fast since."""

    campaign_at: datetime
    machine_at: datetime
    speed: float

    def __post_init__(self) -> None:
        if self.campaign_at.tzinfo is None or self.machine_at.tzinfo is None:
            raise ValueError("a campaign clock needs instants with an offset")
        if self.speed <= 0:
            raise ValueError("a campaign clock runs forward: its speed must be above 0")

    def campaign_time(self, machine_at: datetime) -> datetime:
        """What this clock shows when the machine's shows `machine_at`."""
        return self.campaign_at + (machine_at - self.machine_at) * self.speed

    def machine_time(self, campaign_at: datetime) -> datetime:
        """What the machine's clock shows when this one shows `campaign_at`."""
        return self.machine_at + self.machine_duration(campaign_at - self.campaign_at)

    def machine_duration(self, campaign_duration: timedelta) -> timedelta:
        """How long a stretch of campaign time really takes."""
        return campaign_duration / self.speed


def campaign_time(clock: CampaignClock | None, *, machine_at: datetime) -> datetime:
    """Campaign time of a campaign that may have no rehearsal clock: then it is the machine's."""
    return machine_at if clock is None else clock.campaign_time(machine_at)
