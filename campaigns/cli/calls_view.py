"""How `calls` answers: one object for programs, a table or a few lines for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.providers.contract import CallReport, Listing
from campaigns.services.calls_view import ListedAttempt, ShownCall
from campaigns.services.explain import plain as json_able


def tell_attempts(found: Sequence[ListedAttempt], *, most: int, as_json: bool) -> None:
    """After `calls list`."""
    if as_json:
        print_json({"calls": [listed_dict(attempt) for attempt in found], "complete": len(found) < most})
        return
    if not found:
        notes().print("no attempts in that time; `--since` looks further back")
        return
    table = Table("when (UTC)", "campaign", "number", "line", "what", "attempt", box=None, pad_edge=False)
    for attempt in found:
        what = attempt.outcome or attempt.state
        row = (f"{attempt.claimed_at:%Y-%m-%d %H:%M:%S}", attempt.campaign, attempt.number, attempt.line, what)
        table.add_row(*map(plain, row), str(attempt.attempt_id))
    answers().print(table)
    if len(found) == most:
        notes().print(f"these are the newest {most}; `--most`, `--until` or `--campaign` show others")


def tell_listing(account: str, listing: Listing, owners: Mapping[str, str], *, as_json: bool) -> None:
    """After `calls list --provider`: the provider's calls, and which of them are ours."""
    if as_json:
        calls = [
            {**report_dict(report), "attempt_id": owners.get(report.provider_call_id)} for report in listing.reports
        ]
        print_json({"account": account, "calls": calls, "complete": listing.complete})
        return
    table = Table("when (UTC)", "call", "what", "attempt", box=None, pad_edge=False)
    for report in listing.reports:
        when = f"{report.occurred_at:%Y-%m-%d %H:%M:%S}" if report.occurred_at else "–"
        owner = owners.get(report.provider_call_id, "not one of ours")
        table.add_row(when, plain(report.provider_call_id), plain(_what(report)), owner)
    answers().print(table)
    if not listing.complete:
        notes().print("[yellow]warning:[/] the provider does not show all of them; narrow --since and --until")


def tell_shown(shown: ShownCall, report: CallReport | None, *, asked: bool, as_json: bool) -> None:
    """After `calls show` of one of our own; `report`: what its provider says now, if it was `asked`."""
    if as_json:
        print_json({**shown.as_dict(), "provider_says": report_dict(report) if report else None})
        return
    attempt, details = shown.attempt, shown.details
    _lines(
        ("attempt", f"{attempt.attempt_id}, no. {attempt.attempt_no} of call {attempt.call_id} in {attempt.campaign}"),
        ("person", " ".join(filter(None, (attempt.number, details["name"])))),
        ("from", f"line {attempt.line} of account {attempt.account}"),
        ("claimed", attempt.claimed_at.isoformat()),
        ("at provider", attempt.provider_call_id),
        ("state", " · ".join(filter(None, (attempt.state, attempt.outcome, attempt.disposition)))),
        ("ended", attempt.ended_at.isoformat() if attempt.ended_at else None),
        ("reason", details["ended_reason"] or details["detail"]),
        ("lasted", f"{attempt.duration.total_seconds():g} s" if attempt.duration else None),
        ("cost", f"${attempt.cost_usd:.4f}" if attempt.cost_usd is not None else None),
        ("call", " · ".join(filter(None, (details["call_state"], details["call_reason"])))),
    )
    _tell_permit(shown.permit)
    _tell_conversation(shown)
    if asked:
        _lines(("now", _what(report) if report else "the provider knows no such call"))


def tell_report(report: CallReport, *, as_json: bool) -> None:
    """After `calls show` of a call that is not ours."""
    if as_json:
        print_json({"attempt_id": None, "provider_says": report_dict(report)})
        return
    _lines(
        ("at provider", report.provider_call_id),
        ("now", _what(report)),
        ("lasted", f"{report.duration.total_seconds():g} s" if report.duration else None),
        ("cost", f"${report.cost_usd:.4f}" if report.cost_usd is not None else None),
    )
    notes().print("this is not one of our calls; what was said in it is not shown here")


def listed_dict(attempt: ListedAttempt) -> dict[str, Any]:
    """JSON-able."""
    return {name: json_able(getattr(attempt, name)) for name in attempt.__slots__}


def report_dict(report: CallReport) -> dict[str, Any]:
    """What a provider says of a call, without anything that was said in it."""
    return {
        "provider_call_id": report.provider_call_id,
        "phase": report.phase.value,
        "outcome": report.verdict.outcome.value if report.verdict else None,
        "ended_reason": report.ended_reason,
        "occurred_at": report.occurred_at.isoformat() if report.occurred_at else None,
        "duration": report.duration.total_seconds() if report.duration else None,
        "cost_usd": report.cost_usd,
    }


def _what(report: CallReport) -> str:
    outcome = report.verdict.outcome.value if report.verdict else None
    return " · ".join(filter(None, (report.phase.value, outcome, report.ended_reason)))


def _tell_permit(permit: Mapping[str, Any] | None) -> None:
    if permit is None:
        return
    zones, sealed = ", ".join(permit["zones"]), permit["ledger_seq"]
    place = f"sealed as no. {sealed}" if sealed is not None else "not sealed yet"
    _lines(
        ("permit", f"no. {permit['id']} of {permit['decided_at'].isoformat()}, in {zones}; {place}"),
        ("rules", f"{permit['rules_digest'][:12]}…, time zones {permit['tzdata_version']}"),
    )


def _tell_conversation(shown: ShownCall) -> None:
    said = shown.conversation
    if said is None:
        return
    _lines(
        ("summary", said.summary),
        ("recording", said.recording_url),
        ("cost parts", ", ".join(f"{part} ${usd:.4f}" for part, usd in said.cost_breakdown.items())),
        ("kept until", said.delete_after.isoformat()),
    )
    if said.transcript:
        answers().print(plain(f"transcript\n{said.transcript}"), soft_wrap=True)
    if said.masked:
        notes().print(f"kept and not shown in this role: {', '.join(said.masked)} (RINGFENCE_ROLE)", soft_wrap=True)


def _lines(*pairs: tuple[str, str | None]) -> None:
    for label, value in pairs:
        if value:
            answers().print(plain(f"{label:<12} {value}"), soft_wrap=True)
