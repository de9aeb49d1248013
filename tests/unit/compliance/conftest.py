"""The shipped law and a builder of decisions: a call that may be made, unless a test says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import config
from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Decision
from campaigns.compliance.facts import CampaignSwitch, Consent, ConsentLevel, Facts, Plan, Purpose
from campaigns.compliance.gate import evaluate
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.zones import use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules

DATA = Path(config.__file__).parent
MONDAY_11_IN_NEW_YORK = datetime(2026, 11, 23, 16, tzinfo=UTC)
SELLER = "Example Energy, Inc."
PLAN_FIELDS = frozenset(Plan.__dataclass_fields__)


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    use_packaged_zones()
    return load_rules(DATA / "rules")


@pytest.fixture(scope="session")
def rules_of_all_countries() -> RuleBook:
    use_packaged_zones()
    return load_rules(DATA / "rules", enabled=["US", "AU", "CA", "DE", "GB"])


@pytest.fixture(scope="session")
def area_codes() -> AreaCodeTable:
    use_packaged_zones()
    return load_area_codes(DATA / "area_codes.csv")


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan(
        campaign="spring-renewal",
        purpose=Purpose.TELEMARKETING,
        seller=SELLER,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=datetime(2026, 1, 1, tzinfo=UTC),
        latest_at=datetime(2028, 12, 31, tzinfo=UTC),
        end_guard=timedelta(),
        fictional_allowed=True,
    )


@pytest.fixture(scope="session")
def consent() -> Consent:
    return Consent(
        id=7,
        level=ConsentLevel.PEWC,
        seller=SELLER,
        purpose=None,
        obtained_at=datetime(2026, 9, 1, tzinfo=UTC),
        source="Renewal form v3",
    )


@pytest.fixture(scope="session")
def build_facts(plan: Plan, consent: Consent) -> Callable[..., Facts]:
    """Facts of a New Yorker with written consent; a keyword changes a field of the plan or of the facts."""

    def build(**changes: Any) -> Facts:
        of_plan = {key: value for key, value in changes.items() if key in PLAN_FIELDS}
        of_facts = {key: value for key, value in changes.items() if key not in PLAN_FIELDS}
        standard = Facts(number="+12125550123", plan=replace(plan, **of_plan), consents=(consent,))
        return replace(standard, **of_facts)

    return build


@pytest.fixture(scope="session")
def decide(rules: RuleBook, area_codes: AreaCodeTable, build_facts: Callable[..., Facts]) -> Callable[..., Decision]:
    """What the gate says of `build_facts(…)` at `now`, on an ordinary Monday at 11:00 in New York if not given."""

    def verdict(*, now: datetime = MONDAY_11_IN_NEW_YORK, law: RuleBook = rules, **changes: Any) -> Decision:
        return evaluate(build_facts(**changes), law, now, area_codes=area_codes)

    return verdict
