"""What the options of `suppress` say: which list, whose calls, until when, since when."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import get_args

from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import american_number_advice
from campaigns.compliance.list_names import is_state_list
from campaigns.customers.phone import PhoneProblem
from campaigns.files.registry import NATIONAL
from campaigns.runtime.law import gatekeeper
from campaigns.services.rows_import import e164
from campaigns.services.suppress import INTERNAL
from campaigns.store.suppressions import ListTarget, Scope

LITIGATOR = "litigator"
_LAST_PLACE = timedelta(hours=12)
"""Where a date ends last on earth, the clock is twelve hours behind UTC."""
_LAST_DATE = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)
_OLDEST_LIST = timedelta(days=3653)
"""Ten years: nobody imports a do-not-call list of that age, but a mistyped year is soon written."""
_AREA_CODE = re.compile(r"[2-9]\d\d", re.ASCII)


def read_target(list_name: str, scope: str) -> ListTarget:
    """A list and whose calls its entries stop. Raises `CommandError`."""
    name = list_name.strip()
    kind, _, value = name.partition(":")
    if kind in ("seller", "campaign") and value.strip():
        return _scoped(name, name, asked=scope)
    if is_state_list(name.upper()) and name.upper() in _state_lists():
        return _scoped(name.upper(), "all", asked=scope)
    if name in (INTERNAL, NATIONAL) or (kind == LITIGATOR and name != f"{LITIGATOR}:"):
        return _scoped(name, scope or "all", asked="")
    known = [INTERNAL, LITIGATOR, NATIONAL, *_state_lists()]
    nearest = next(iter(get_close_matches(name, known, n=1)), None)
    message = (
        f"--list {name}: there is no such list{f'; did you mean {nearest}?' if nearest else '.'} Lists are national, "
        "internal, litigator or litigator:NAME, a state's such as US-FL, seller:NAME and campaign:NAME."
    )
    item = problem(message, path="--list", found=name, allowed=", ".join([*known[:3], "US-XX", "seller:NAME"]))
    raise CommandError(message, exit_code=ExitCode.BAD_INPUT, problems=[item | {"nearest": nearest}])


def _scoped(list_name: str, scope: str, *, asked: str) -> ListTarget:
    if asked and asked != scope:
        raise CommandError(
            f"--scope {asked}: the list {list_name} stops {_whose(scope)}; leave --scope out.",
            exit_code=ExitCode.BAD_INPUT,
        )
    kind, _, value = scope.partition(":")
    if kind not in get_args(Scope) or (kind == "all") != (not value.strip()):
        raise CommandError(
            f"--scope {scope}: write all, seller:NAME or campaign:NAME.",
            exit_code=ExitCode.BAD_INPUT,
        )
    match kind:
        case "seller":
            return ListTarget(list_name, "seller", value.strip())
        case "campaign":
            return ListTarget(list_name, "campaign", value.strip())
        case _:
            return ListTarget(list_name)


def _whose(scope: str) -> str:
    return "everybody's calls" if scope == "all" else f"the calls of {scope}"


def _state_lists() -> list[str]:
    return sorted(key for key in gatekeeper().rules.jurisdictions if is_state_list(key))


def require_rows(target: ListTarget) -> None:
    """Raises `CommandError` for the national registry, which changes by an import alone."""
    if target.list_name == NATIONAL:
        raise CommandError(
            "the national registry changes only as a whole: `ringfence suppress import FILE --list national "
            "--obtained-at DATE`. For one number use the internal list.",
            exit_code=ExitCode.BAD_INPUT,
        )


def read_numbers(texts: Sequence[str]) -> list[str]:
    """Numbers in E.164; without a country code they are American. Raises `CommandError` that names each bad one."""
    read = [e164(text) for text in texts]
    problems = [
        problem(
            f"number {place}: {american_number_advice(text, item)}",
            path=f"NUMBER {place}",
            allowed="a number such as +12025550123",
        )
        for place, (text, item) in enumerate(zip(texts, read, strict=True), start=1)
        if isinstance(item, PhoneProblem)
    ]
    if problems:
        raise CommandError(
            "not every number can be read; nothing was changed.",
            exit_code=ExitCode.BAD_INPUT,
            problems=problems,
            lines=[item["message"] for item in problems],
        )
    return [item for item in read if not isinstance(item, PhoneProblem)]


def read_expiry(text: str | None) -> datetime | None:
    """When entries end; a date lasts until it has ended everywhere on earth. Raises `CommandError`."""
    if text is None:
        return None
    ends_at = _instant(text, option="--expires")
    if len(text.strip()) == len("2026-01-01"):
        ends_at = min(ends_at, _LAST_DATE) + timedelta(days=1) + _LAST_PLACE
    if ends_at <= datetime.now(UTC):
        raise CommandError(f"--expires {text}: this has passed; give a later date.", exit_code=ExitCode.BAD_INPUT)
    return ends_at


def read_obtained(text: str | None, *, target: ListTarget) -> datetime:
    """When a list was obtained: now for our own, else it must be said, because age decides. Raises `CommandError`."""
    if text is not None:
        return _not_ancient(_instant(text, option="--obtained-at"), text)
    if target.list_name == NATIONAL or is_state_list(target.list_name):
        raise CommandError(
            f"say when {target.list_name} was downloaded: --obtained-at 2026-11-20, or an instant such as "
            "2026-11-20T09:30:00-05:00. Its age decides whether it may be relied on.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return datetime.now(UTC)


def _not_ancient(obtained_at: datetime, text: str) -> datetime:
    if datetime.now(UTC) - obtained_at > _OLDEST_LIST:
        raise CommandError(
            f"--obtained-at {text}: this is more than ten years ago, so it must be a mistake; give the day on which "
            "the list was downloaded.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return obtained_at


def read_area_codes(text: str | None) -> frozenset[str] | None:
    """Comma-separated area codes; None: as found. Raises `CommandError`."""
    if text is None:
        return None
    codes = frozenset(code.strip() for code in text.split(",") if code.strip())
    wrong = sorted(code for code in codes if not _AREA_CODE.fullmatch(code))
    if wrong or not codes:
        raise CommandError(
            f"--area-codes {text}: {wrong[0] if wrong else 'nothing'} is no area code; write three digits each, such "
            "as 212,646.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return codes


def _instant(text: str, *, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
        in_utc = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1, east of Greenwich, has no time in UTC
        raise CommandError(
            f"{option} {text}: write a date such as 2026-11-20, or an instant such as 2026-11-20T09:30:00-05:00.",
            exit_code=ExitCode.BAD_INPUT,
        ) from None
    if instant.tzinfo is None and len(text.strip()) > len("2026-01-01"):
        raise CommandError(
            f"{option} {text}: give the offset from UTC too, such as {text}-05:00, or Z for UTC.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return in_utc
