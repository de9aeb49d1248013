"""A span in which a provider dials: permitted at its first moment, at its last, and cut where the window ends."""

from datetime import UTC, datetime, timedelta

from campaigns.compliance.decision import Decision, Permit, Refusal
from campaigns.compliance.facts import (
    CampaignSwitch,
    Consent,
    ConsentLevel,
    Facts,
    Plan,
    Purpose,
    Relationship,
)
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.spans import LAST_MOMENT, as_known, over_span

NOON = datetime(2026, 12, 2, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = ProviderSpan(NOON, NOON + 2 * HOUR)


class Gate:
    """Permits until `closes_at`, as long as `holds` says so; remembers when it was asked."""

    def __init__(self, *, closes_at: datetime = NOON + 9 * HOUR, refuses_from: datetime | None = None) -> None:
        self.closes_at = closes_at
        self.refuses_from = refuses_from
        self.asked: list[datetime] = []

    def __call__(self, now: datetime) -> Decision:
        self.asked.append(now)
        if self.refuses_from is not None and now >= self.refuses_from:
            return Refusal(now, "DNC-STALE", None, (), (), ())
        return Permit(now, self.closes_at, (), (), None, ())


def test_it_is_asked_at_the_first_moment_and_at_the_last() -> None:
    gate = Gate()
    decision, span = over_span(gate, SPAN)
    assert isinstance(decision, Permit)
    assert (span, gate.asked) == (SPAN, [NOON, SPAN.due_until - LAST_MOMENT])


def test_it_is_cut_where_the_window_ends_and_asked_at_the_last_moment_of_what_is_left() -> None:
    gate = Gate(closes_at=NOON + HOUR)
    _, span = over_span(gate, SPAN)
    assert span == ProviderSpan(NOON, NOON + HOUR)
    assert gate.asked[-1] == NOON + HOUR - LAST_MOMENT


def test_a_refusal_at_the_first_moment_ends_it() -> None:
    gate = Gate(refuses_from=NOON)
    decision, _ = over_span(gate, SPAN)
    assert (isinstance(decision, Refusal), len(gate.asked)) == (True, 1)


def test_what_grows_old_within_the_span_refuses_all_of_it() -> None:
    decision, _ = over_span(Gate(refuses_from=NOON + HOUR), SPAN)
    assert isinstance(decision, Refusal)


def a_consent(obtained_at: datetime) -> Consent:
    return Consent(None, ConsentLevel.PEWC, "Example Energy, Inc.", None, obtained_at, "form")


def test_what_is_dated_after_now_is_not_counted_on() -> None:
    plan = Plan(
        "spring", Purpose.TELEMARKETING, "Example Energy, Inc.", CampaignSwitch.ACTIVE, NOON, NOON + HOUR, timedelta()
    )
    facts = Facts(
        "+12125550101",
        plan,
        consents=(a_consent(NOON), a_consent(NOON + LAST_MOMENT)),
        relationship=Relationship(transaction_at=NOON + HOUR, inquiry_at=NOON - HOUR),
    )
    known = as_known(facts, at=NOON)
    assert [consent.obtained_at for consent in known.consents] == [NOON]
    assert known.relationship == Relationship(None, NOON - HOUR)
    assert as_known(Facts("+12125550101", plan), at=NOON).relationship is None
