"""From a customer list to the gate: a revocation beats every consent that an old list can bring back."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from campaigns.services.claim import Claim, Claimed
from campaigns.services.feed import Feed
from campaigns.services.plans import Definitions
from campaigns.services.ports import CallRef
from campaigns.services.revoke import Revoke

ANN, BEN = "+12125550100", "+13035550101"
HEADER = "phone,consent,at,form"
CUSTOMERS = {
    "file": "list.csv",
    "columns": {"number": "phone", "consentLevel": "consent", "consentAt": "at", "consentSource": "form"},
}
OLD = "pewc,2026-10-01T00:00:00Z,form"
LATER_DAY = "pewc,2026-12-01T17:00:30Z,another form"
"""Half a minute after the campaign's clock starts in these tests."""


class Messages:
    """Keeps what was released."""

    def __init__(self) -> None:
        self.released: list[tuple[int, Sequence[CallRef]]] = []

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self.released.append((campaign_id, group))

    def request_feed(self, limit_group: str) -> None:
        return None

    def backlog(self) -> int:
        return 0


def claim_all(world: Any) -> list[str]:
    """Release and claim everything that is due; the numbers that got a permit."""
    messages = Messages()
    Feed(world.engine, messages).run("group-1")
    claim = Claim(world.engine, world.gatekeeper, Definitions())
    claimed: list[Claimed | None] = [
        claim.run(group, campaign_id=campaign_id, task_id="t") for campaign_id, group in messages.released
    ]
    return [call.call.number for each in claimed if each for call in each.calls]


def revoke(world: Any, number: str = ANN) -> None:
    Revoke(world.engine, operator="ann", wait=lambda duration: None).run(number)


def test_consents_of_a_list_bear_its_digest_and_their_rows(world: Any) -> None:
    world.launched(f"{BEN},{OLD}", f"{ANN},{OLD}", header=HEADER, customers=CUSTOMERS, consent=None)
    digest = hashlib.sha256((world.folder / "list.csv").read_bytes()).hexdigest()
    found = world.query(
        "SELECT number, row_number, source_digest, run_id IS NOT NULL FROM consents ORDER BY row_number"
    )
    assert found == [(BEN, 1, digest, True), (ANN, 2, digest, True)]


def test_an_old_list_imported_again_calls_nobody_who_revoked(world: Any) -> None:
    world.launched(f"{ANN},{OLD}", f"{BEN},{OLD}", header=HEADER, customers=CUSTOMERS, consent=None)
    revoke(world)
    assert claim_all(world) == [BEN]
    world.launched(f"{ANN},{OLD}", header=HEADER, customers=CUSTOMERS, consent=None, campaign="again")
    assert claim_all(world) == []
    assert world.query("SELECT DISTINCT state, reason FROM calls WHERE number = :ann", ann=ANN) == [
        ("blocked", "REV-ACTIVE")
    ]


def test_a_copy_of_the_consent_under_another_source_does_not_help(world: Any) -> None:
    revoke(world)
    rows = (f"{ANN},{OLD}", f"{ANN},{OLD.replace('form', 'copy')}", f"{ANN},,,")
    world.launched(*rows, header=HEADER, customers=CUSTOMERS)
    assert claim_all(world) == []


def test_the_campaigns_default_consent_does_not_help(world: Any) -> None:
    revoke(world)
    world.launched(ANN)
    assert claim_all(world) == []


def test_the_campaigns_default_consent_does_not_help_even_with_a_later_date(world: Any) -> None:
    revoke(world)
    world.execute("ALTER TABLE revocations DISABLE TRIGGER revocations_append_only")
    world.execute("UPDATE revocations SET effective_at = '2026-01-01'")
    world.launched(ANN)
    assert claim_all(world) == []
    assert world.query("SELECT count(*) FROM consents") == [0]


def test_a_consent_given_since_does(world: Any) -> None:
    revoke(world)
    world.execute("ALTER TABLE revocations DISABLE TRIGGER revocations_append_only")
    world.execute("UPDATE revocations SET effective_at = '2026-09-30'")
    world.launched(f"{ANN},{OLD}", header=HEADER, customers=CUSTOMERS, consent=None)
    assert claim_all(world) == [ANN]


def test_a_consent_of_a_day_to_come_is_not_put_on_record(world: Any) -> None:
    world.launched(f"{ANN},{LATER_DAY}", header=HEADER, customers=CUSTOMERS, consent=None)
    assert world.query("SELECT count(*) FROM consents") == [0]
    assert claim_all(world) == []


def test_a_list_that_is_read_while_its_person_revokes_calls_nobody(world: Any) -> None:
    run_id = world.submit(f"{ANN},{OLD}", header=HEADER, customers=CUSTOMERS, consent=None).run_id
    revoke(world)
    world.expand(run_id)
    assert claim_all(world) == []
    assert world.query("SELECT state, reason FROM calls") == [("blocked", "REV-ACTIVE")]


@pytest.mark.parametrize("scope", ["seller", "campaign"])
def test_a_narrow_revocation_leaves_the_other_campaigns_alone(world: Any, scope: Any) -> None:
    world.launched(ANN)
    value = {"seller": "Example Energy, Inc.", "campaign": "spring"}[scope]
    Revoke(world.engine, operator="ann", wait=_no_wait).run(ANN, scope=scope, value=value)
    world.launched(ANN, campaign="other", seller="Another, Inc.")
    assert claim_all(world) == [ANN]


def _no_wait(duration: timedelta) -> None:
    return None
