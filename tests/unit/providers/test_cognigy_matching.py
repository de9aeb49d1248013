"""Finding an attempt among calls that hold nothing of ours, and proving that it is not there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.cognigy.listing import Longest, Seen, leaves_a_trace, span_leaves_a_trace
from campaigns.providers.cognigy.matching import digits_of, matched, same_number, undated
from campaigns.providers.contract import CallReport, Phase, Sought

SENT_AT = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
NUMBER, LINE = "+12125550123", "+12125550100"
LONGEST = Longest(ring=timedelta(seconds=60), talk=timedelta(minutes=10))
RUNG_OUT = SENT_AT + timedelta(seconds=1) + timedelta(minutes=3)
BUSY = Verdict(Outcome.BUSY, retryable=True, counts=True)


def sought(number: str = NUMBER, *, at: datetime = SENT_AT, n: int = 1, line: str = LINE) -> Sought:
    return Sought(UUID(int=n), number, line, claimed_at=at, send_by=at + timedelta(seconds=1))


def seen(
    sid: str = "call-1",
    *,
    to: str = NUMBER,
    line: str = LINE,
    at: datetime | None = SENT_AT + timedelta(seconds=1),
    over: bool = True,
) -> Seen:
    phase = Phase.REPORTED if over else Phase.RINGING
    return Seen(CallReport(sid, None, phase, BUSY if over else None), line, to, at)


def found(
    attempts: Sequence[Sought], calls: Sequence[Seen], *, now: datetime = RUNG_OUT
) -> tuple[dict[int, str], bool]:
    reports, complete = matched(attempts, calls, now=now, longest=LONGEST)
    return {report.attempt_id.int: report.provider_call_id for report in reports if report.attempt_id}, complete


def test_the_one_call_of_that_number_line_and_time_is_the_attempts() -> None:
    calls = [seen(), seen("other", to="+12125550124"), seen("inbound-line", line="+13035550100", to="+13035550142")]
    assert found([sought()], calls) == ({1: "call-1"}, True)


def test_a_call_that_rings_now_is_found_before_it_has_a_record() -> None:
    assert found([sought()], [seen(at=None, over=False)], now=SENT_AT + timedelta(seconds=2)) == ({1: "call-1"}, False)


@pytest.mark.parametrize("away", [timedelta(seconds=-11), timedelta(minutes=2, seconds=2)])
def test_a_call_of_another_time_is_not_the_attempts(away: timedelta) -> None:
    assert found([sought()], [seen(at=SENT_AT + away)])[0] == {}


def test_an_earlier_attempt_at_the_same_person_is_not_taken_for_this_one() -> None:
    an_hour_ago = seen(at=SENT_AT - timedelta(hours=1))
    assert found([sought()], [an_hour_ago]) == ({}, True)


def test_of_two_calls_that_fit_none_is_taken_and_nothing_is_proven() -> None:
    assert found([sought()], [seen("a"), seen("b")]) == ({}, False)


def test_a_call_that_two_attempts_want_is_nobodys() -> None:
    twins = [sought(n=1), sought(n=2, at=SENT_AT + timedelta(seconds=20))]
    assert found(twins, [seen(at=SENT_AT + timedelta(seconds=15))], now=RUNG_OUT + timedelta(minutes=1)) == ({}, False)


def test_a_call_that_is_found_proves_nothing_about_what_may_still_come() -> None:
    """It may be an older attempt's, as only the one who asks can know: then this one's own call is not there yet."""
    assert found([sought()], [seen()], now=RUNG_OUT - timedelta(seconds=1)) == ({1: "call-1"}, False)
    assert found([sought()], [seen(), seen("b", at=None)]) == ({1: "call-1"}, False)


def test_each_of_several_attempts_finds_its_own() -> None:
    attempts = [sought(n=1), sought("+12125550124", n=2), sought("+12125550125", n=3)]
    assert found(attempts, [seen("a"), seen("b", to="+12125550124")]) == ({1: "a", 2: "b"}, True)


def test_absence_is_proven_only_when_the_phone_must_have_rung_out() -> None:
    assert found([sought()], [], now=RUNG_OUT - timedelta(seconds=1)) == ({}, False)
    assert found([sought()], [], now=RUNG_OUT) == ({}, True)


@pytest.mark.parametrize(
    "doubtful",
    [
        seen(at=None),
        seen(line="+13035550100"),
        seen(at=None, over=False, line="anonymous"),
        seen(to="sip:ann@pbx.example.com"),
        seen(to="ann", at=None, over=False),
        seen(at=SENT_AT - timedelta(seconds=40)),
    ],
)
def test_a_call_that_may_be_the_attempts_is_not_taken_and_keeps_it_from_being_absent(doubtful: Seen) -> None:
    assert found([sought()], [doubtful]) == ({}, False)


@pytest.mark.parametrize(
    "other",
    [
        seen(to="sip:ann@pbx.example.com", line="+13035550100"),
        seen(to="sip:ann@pbx.example.com", at=SENT_AT - timedelta(hours=1)),
        seen(to="+12125550124", at=None),
    ],
)
def test_a_call_that_cannot_be_the_attempts_is_no_doubt(other: Seen) -> None:
    assert found([sought()], [other]) == ({}, True)


def test_calls_that_a_record_would_date_are_named() -> None:
    calls = [seen("a", at=None), seen("b"), seen("c", at=None, over=False), seen("d", at=None, to="+12125550124")]
    assert undated([sought()], calls) == ["a"]


@pytest.mark.parametrize(
    ("shown", "is_ours"),
    [
        ("+12125550123", True),
        ("12125550123", True),
        ("2125550123", True),
        ("0012125550123", True),
        ("01112125550123", True),
        ("sip:+12125550123@carrier.example.com", True),
        ("tel:+1-212-555-0123", True),
        ("(212) 555-0123;ext=1", True),
        ("5550123", True),
        ("550123", False),
        ("+12125550124", False),
        ("+13125550123", False),
        ("ann", False),
        ("", False),
    ],
)
def test_a_number_is_the_same_whatever_prefix_a_carrier_takes_or_adds(shown: str, *, is_ours: bool) -> None:
    assert same_number(shown, NUMBER) is is_ours


def test_a_line_that_is_no_number_is_compared_as_text() -> None:
    assert same_number("Reception", "reception")
    assert not same_number("Reception", "Office")
    assert same_number("100", "100")
    assert digits_of("sip:ann@example.com") is None


def ago(**span: float) -> datetime:
    return RUNG_OUT - timedelta(**span)


@pytest.mark.parametrize(
    ("created_at", "talk", "shows"),
    [
        (ago(minutes=1), timedelta(minutes=10), True),
        (ago(minutes=59), timedelta(minutes=10), True),
        (ago(minutes=57), timedelta(hours=2), True),
        (ago(minutes=59), timedelta(hours=2), False),
        (ago(hours=2), timedelta(hours=2), False),
        (ago(hours=2, minutes=4), timedelta(hours=2), True),
        (ago(days=29), timedelta(minutes=10), True),
        (ago(days=31), timedelta(minutes=10), False),
    ],
)
def test_a_long_call_is_in_neither_list_for_a_while(created_at: datetime, talk: timedelta, *, shows: bool) -> None:
    longest = replace(LONGEST, talk=talk)
    assert leaves_a_trace(created_at, now=RUNG_OUT, longest=longest) is shows
    assert span_leaves_a_trace(created_at, created_at, now=RUNG_OUT, longest=longest) is shows


@pytest.mark.parametrize(
    ("created_from", "talk", "shows"),
    [(ago(days=2), timedelta(minutes=10), True), (ago(days=2), timedelta(hours=2), False)],
)
def test_a_span_over_the_gap_is_not_shown_whole(created_from: datetime, talk: timedelta, *, shows: bool) -> None:
    longest = replace(LONGEST, talk=talk)
    future: Any = RUNG_OUT + timedelta(minutes=5)
    assert span_leaves_a_trace(created_from, future, now=RUNG_OUT, longest=longest) is shows
