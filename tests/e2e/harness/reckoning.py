"""The reckoning of a trial: the provider's story held against our books. Pure, and tested by itself."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from harness.books import AttemptRow, Books
from harness.witness import Dial

ON_ITS_WAY = timedelta(seconds=1)
"""Between the last look at a permit and the provider's own note of the call, on a machine that has much to do."""
HUNG_UP_AS = ("unknown", "cancelled", "provider_error")
"""What the books may say of a call that we ended: nobody can know how far it came, or it was taken back unrung."""


def double_dials(books: Books, dials: Sequence[Dial], *, max_attempts: int) -> list[str]:
    """Everything that is, or would have been, a call too many; a sentence each. `dials`: those of this campaign."""
    return [
        *_same_attempt_twice(dials),
        *_same_person_at_one_time(dials),
        *_again_after_an_answer(dials),
        *_more_than_allowed(dials, max_attempts=max_attempts),
        *_redialed_although_dialed(books, dials),
    ]


def losses(books: Books, dials: Sequence[Dial], *, rows: int) -> list[str]:
    """Every customer without an end, every end without a reason, every call that the books do not know of."""
    return [
        *_rows_that_are_nowhere(books, rows=rows),
        *_ends_that_are_missing(books),
        *_calls_that_are_not_on_record(books, dials),
    ]


def too_late(dials: Sequence[Dial], *, latest_at: datetime) -> list[str]:
    """Every call that began after the window was over."""
    begun = {dial.attempt: datetime.fromisoformat(dial.created_at) for dial in dials}
    return [
        f"attempt {attempt} was requested {(at - latest_at).total_seconds():.1f} s after the end of the window"
        for attempt, at in begun.items()
        if at > latest_at + ON_ITS_WAY
    ]


def of_campaign(dials: Sequence[Dial], books: Books) -> list[Dial]:
    """The dials to this campaign's people."""
    numbers = {call.number for call in books.calls}
    return [dial for dial in dials if dial.number in numbers]


def _same_attempt_twice(dials: Sequence[Dial]) -> Iterator[str]:
    for attempt, count in Counter(dial.attempt for dial in dials).items():
        if count > 1:
            yield f"attempt {attempt} was requested {count} times"


def _same_person_at_one_time(dials: Sequence[Dial]) -> Iterator[str]:
    for mine in _by_number(dials).values():
        for before, after in pairwise(mine):
            if before.ended_at is None or before.ended_at > after.created_at:
                yield f"attempt {after.attempt} rang while {before.attempt} was live"


def _again_after_an_answer(dials: Sequence[Dial]) -> Iterator[str]:
    for mine in _by_number(dials).values():
        for before, after in pairwise(mine):
            if before.outcome == "answered":
                yield f"attempt {after.attempt} rang somebody who had answered {before.attempt}"


def _more_than_allowed(dials: Sequence[Dial], *, max_attempts: int) -> Iterator[str]:
    for mine in _by_number([dial for dial in dials if dial.may_ring]).values():
        if len(mine) > max_attempts:
            yield f"attempt {mine[-1].attempt} was call {len(mine)} to one person, of {max_attempts} allowed"


def _redialed_although_dialed(books: Books, dials: Sequence[Dial]) -> Iterator[str]:
    """An attempt given up as never made, which the provider has made after all."""
    made = {dial.attempt for dial in dials if not dial.hung_up}
    for attempt in books.attempts:
        if attempt.outcome == "unknown" and attempt.state == "closed" and attempt.id in made:
            yield f"attempt {attempt.id} was given up although the provider had it"


def _rows_that_are_nowhere(books: Books, *, rows: int) -> Iterator[str]:
    if books.rows_read != rows:
        yield f"{rows} rows were on the list, {books.rows_read} were read"
    if books.rows_read != books.rows_rejected + len(books.calls):
        yield f"{books.rows_read} rows were read, {books.rows_rejected} rejected, {len(books.calls)} became calls"


def _ends_that_are_missing(books: Books) -> Iterator[str]:
    for call in books.calls:
        if not call.final:
            yield f"call {call.id} is still {call.state}"
        elif not call.reason:
            yield f"call {call.id} is {call.state} for no reason"


def _calls_that_are_not_on_record(books: Books, dials: Sequence[Dial]) -> Iterator[str]:
    attempts: dict[str, AttemptRow] = {attempt.id: attempt for attempt in books.attempts}
    for dial in dials:
        attempt = attempts.get(dial.attempt)
        if attempt is None:
            yield f"the provider has a call of attempt {dial.attempt}, and we have no such attempt"
        elif attempt.outcome != dial.outcome and not (dial.hung_up and attempt.outcome in HUNG_UP_AS):
            yield f"attempt {dial.attempt} came to {dial.outcome}; the books say {attempt.outcome or attempt.state}"


def _by_number(dials: Sequence[Dial]) -> dict[str, list[Dial]]:
    by_number = defaultdict[str, list[Dial]](list)
    for dial in sorted(dials, key=lambda each: each.created_at):
        by_number[dial.number].append(dial)
    return by_number
