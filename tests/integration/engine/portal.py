"""The books of a provider, for audits to be compared with."""

from dataclasses import replace
from datetime import timedelta

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, Listing, Origin, Phase, ProviderUnavailableError
from campaigns.services.provider_audit import ProviderAudit

NEW_YORK = "+12125550101"
NUMBERS = [f"+121255501{n:02}" for n in range(10)]
HOUR = timedelta(hours=1)
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)


class Portal:
    """What the provider has on its books: calls with the instant at which each was made."""

    def __init__(self, world, run_async):
        self.world = world
        self.run_async = run_async
        self.audit = self.audit_of(simulators=frozenset({"sim"}))
        self.calls = []
        self.spans = []
        self.incomplete_above = timedelta.max
        world.provider.list_calls = self.list_calls
        world.provider.fetch = self.fetch

    def audit_of(self, *, simulators):
        parts = self.world.database, self.world.recorder, {"sim": self.world.provider}
        return ProviderAudit(*parts, simulators=simulators, run_async=self.run_async)

    async def list_calls(self, *, created_from, created_to):
        if self.world.provider.unavailable:
            raise ProviderUnavailableError("503")
        self.spans.append((created_from, created_to))
        inside = [each for each in self.calls if created_from <= each.origin.created_at <= created_to]
        return Listing(inside, created_to - created_from <= self.incomplete_above)

    async def fetch(self, provider_call_id):
        if self.world.provider.unavailable:
            raise ProviderUnavailableError("503")
        return next((each for each in self.calls if each.provider_call_id == provider_call_id), None)

    def knows(self, call, **values):
        """The provider has the call's newest attempt on its books; returns its report."""
        (row,) = self.world.sql(
            "SELECT id, number, line, claimed_at FROM attempts WHERE call_id = :id ORDER BY attempt_no DESC LIMIT 1",
            id=call,
        )
        origin = Origin(False, row.line, row.number, row.claimed_at)
        report = CallReport(f"call-{row.id}", row.id, Phase.REPORTED, ANSWERED, origin=origin)
        self.calls.append(replace(report, **values))
        return self.calls[-1]

    def has(self, provider_call_id, *, ago=HOUR, echo=None, line="line-1", number="+12125550177", inbound=False):
        """A call that somebody made."""
        created_at = self.world.one("SELECT clock_timestamp()") - ago
        origin = Origin(inbound, line, number, created_at)
        self.calls.append(CallReport(provider_call_id, echo, Phase.REPORTED, ANSWERED, origin=origin))

    def run(self, *, back=3 * HOUR):
        return self.audit.run("sim", since=self.world.one("SELECT clock_timestamp()") - back)

    def alarms(self):
        return [row.kind for row in self.world.sql("SELECT kind FROM alarms ORDER BY id")]


def dialed(world, count=1, *, answer=None, **campaign):
    """Calls of one campaign, dialed an hour ago."""
    campaign_id = world.campaign(**campaign)
    calls = [world.call(campaign_id, number) for number in NUMBERS[:count]]
    world.provider.answer = answer or type(world.provider)().answer
    world.dial_all()
    world.pass_time(HOUR)
    return calls
