"""How many decisions one core makes, every rule evaluated and recorded.

    python benchmarks/gate/evaluate.py [--calls 50000]

One JSON line a figure; time is the process's own CPU time, so that a busy machine changes the answer little. Control:
the usual shortcut, which asks `phonenumbers` for the zone and looks whether it is between 8 and 21 there. It knows no
consent, no list, no cap, no state law, and writes nothing down.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

import config
from campaigns.compliance.decision import Permit
from campaigns.compliance.facts import CampaignSwitch, Consent, ConsentLevel, Facts, PlaceEvidence, Plan, Purpose
from campaigns.compliance.gate import evaluate
from campaigns.compliance.zones import use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules

DATA = Path(config.__file__).parent
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""Monday, 13:00 in New York, 08:00 in Honolulu."""
SELLER = "Example Energy, Inc."
CODES = ("212", "305", "214", "312", "602", "303", "702", "503", "404", "617", "215", "423", "850", "208", "702", "913")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=50_000)
    count = parser.parse_args().calls
    use_packaged_zones()
    rules, area_codes = load_rules(DATA / "rules"), load_area_codes(DATA / "area_codes.csv")
    permitted = list(calls(count))
    refused = [replace(facts, consents=()) for facts in permitted]
    late = [replace(facts, plan=evening(facts.plan)) for facts in permitted]

    def decide(facts: Facts) -> object:
        return evaluate(facts, rules, NOW, area_codes=area_codes)

    # Zones and places are looked up once a process.
    assert all(isinstance(decide(facts), Permit) for facts in permitted)
    common = per_second(decide, permitted)
    show("permits", common)
    show("refusals for consent", per_second(decide, refused))
    show("refusals for the hour, with the next instant", per_second(decide, late))
    control = per_second(shortcut, permitted)
    show("control: zone of phonenumbers, 8 to 21", control, ratio=round(common / control, 2))


def calls(count: int) -> Iterable[Facts]:
    """Sales calls with written consent, an address, and one attempt yesterday: what a campaign is mostly made of."""
    plan = Plan(
        campaign="spring-renewal",
        purpose=Purpose.TELEMARKETING,
        seller=SELLER,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=NOW - timedelta(days=2),
        latest_at=NOW + timedelta(days=10),
        end_guard=timedelta(seconds=60),
        per_day=2,
    )
    yesterday = NOW - timedelta(days=1, hours=2)
    for index in range(count):
        code = CODES[index % len(CODES)]
        consent = Consent(index, ConsentLevel.PEWC, SELLER, None, NOW - timedelta(days=30), "Renewal form v3")
        yield Facts(
            number=f"+1{code}{234 + index // 10_000 % 300}{index % 10_000:04}",
            plan=plan,
            evidence=PlaceEvidence(state=None, zip="10001"),
            consents=(consent,),
            attempts=(yesterday,),
            own_attempts=(yesterday,),
            dnc_registry="read",
            dnc_national=False,
            dnc_state=False,
            dnc_covered=True,
            dnc_list_age=timedelta(days=3),
        )


def evening(plan: Plan) -> Plan:
    """The same plan, to be asked before it may begin: the next instant has to be found."""
    return replace(plan, earliest_at=NOW + timedelta(hours=12))


def shortcut(facts: Facts) -> bool:
    """What a dialer without a gate does."""
    number = phonenumbers.parse(facts.number, None)
    local = [NOW.astimezone(ZoneInfo(name)) for name in number_zones.time_zones_for_number(number)]
    return all(8 <= each.hour < 21 for each in local)


def per_second(decide: Callable[[Facts], object], cases: Sequence[Facts]) -> float:
    """The best of three, in decisions a CPU second."""
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for facts in cases:
            decide(facts)
        best = max(best, len(cases) / (time.process_time() - began))
    return best


def show(what: str, rate: float, **more: object) -> None:
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "gate", "what": what, "per_cpu_second": round(rate), **more, "machine": machine}))


if __name__ == "__main__":
    main()
