"""The services broken on purpose, one safeguard at a time: finding none of these, a simulation proves nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind
from campaigns.services import control, feed, pace, reconcile, record, rescue, revoke, settle
from campaigns.services.machine_clock import MachinePermit
from campaigns.services.paced_permit import PacedPermit
from campaigns.store import claims as claim_rows
from campaigns.store import facts as fact_rows
from interleaving.replacing import replaced

Broken = AbstractContextManager[Any]
"""The safeguard is gone for the length of a `with` block."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """`breaks`: one of these is in what the schedule then says is broken."""

    apply: Callable[[], Broken]
    breaks: tuple[str, ...]
    only: tuple[str, ...] = ("delay",)
    """The faults against which the safeguard stands."""
    first: int = 0
    """The seed to begin with: one that found it before."""

    def __str__(self) -> str:
        return self.apply.__name__


# --- the claim ---------------------------------------------------------------------------------------------------


def messages_claim_calls_in_any_state() -> Broken:
    """Neither state nor epoch is compared: a message that comes late claims a call that is over."""
    original = claim_rows.lock_queued
    in_any_state = text(_without(str(claim_rows._QUEUED), " AND c.state || '' = 'queued'"))

    def lock(connection: Any, refs: Any, *, campaign_id: int) -> Any:
        with replaced(claim_rows, _QUEUED=in_any_state):
            return original(connection, _AnyEpoch(refs), campaign_id=campaign_id)

    return replaced(claim_rows, lock_queued=lock)


def _without(statement: str, part: str, *, instead: str = "") -> str:
    """Raises `LookupError` when the statement was rewritten: then the mutation would mutate nothing."""
    if part not in statement:
        raise LookupError(f"no {part!r} in {statement}")
    return statement.replace(part, instead)


class _Any:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class _AnyEpoch(dict[int, Any]):
    def __getitem__(self, key: int) -> Any:
        return _Any()


def numbers_are_not_locked() -> Broken:
    """Each call takes a key of its own, so that nobody sees that the person is on another call of ours."""
    original, plain = claim_rows.take_numbers, claim_rows.text

    def take(*args: Any, **kwargs: Any) -> Any:
        own_key = "SELECT n.number || ' ' || n.call_id, n.attempt_id"
        with replaced(
            claim_rows, text=lambda sql: plain(_without(sql, "SELECT n.number, n.attempt_id", instead=own_key))
        ):
            return original(*args, **kwargs)

    return replaced(claim_rows, take_numbers=take)


def permits_are_not_recorded() -> Broken:
    return replaced(claim_rows, write_decisions=lambda *args, **kwargs: None)


def switches_are_read_once() -> Broken:
    """The claim judges by the switches as it found them the first time."""
    known: dict[int, Any] = {}
    original = claim_rows.campaign_facts

    def remembered(connection: Any, campaign_id: int) -> Any:
        fresh = original(connection, campaign_id)
        first = known.setdefault(campaign_id, fresh)
        return fresh and replace(fresh, state=first.state, stopped=first.stopped)

    return replaced(claim_rows, campaign_facts=remembered)


# --- the dial ----------------------------------------------------------------------------------------------------


def permits_do_not_lapse() -> Broken:
    """Turns are kept, and a worker may sleep as long as it likes."""
    original = MachinePermit.__init__

    def forever(self: MachinePermit, lapses_at: float, *args: Any) -> None:
        original(self, lapses_at + 3600.0, *args)

    return replaced(MachinePermit, __init__=forever)


def nobody_waits_for_a_turn() -> Broken:
    async def at_once(permit: PacedPermit) -> None:
        permit.check()
        permit.left_at = permit._permit.clock()
        permit.leave()

    async def is_near(permit: PacedPermit) -> bool:
        return True

    return replaced(PacedPermit, turn=at_once, is_near=is_near)


def every_instant_is_free() -> Broken:
    """Pacing gives every dial the present moment."""

    def allot(scopes: Any, *, now: float, count: int, **_: Any) -> Any:
        return [now + 0.001] * count, list(scopes)

    return replaced(pace, allot=allot)


def ambiguous_counts_as_not_dialed() -> Broken:
    """A time-out or a 5xx is taken for proof that nothing was dialed."""
    original = settle.settle_dial

    def settled(attempt: Any, result: Any) -> Any:
        unproven = isinstance(result, FateUnknown)
        return original(attempt, NotDialed(NotDialedKind.NO_CONNECTION, "taken for certain") if unproven else result)

    return replaced(record, settle_dial=settled)


# --- feed, operators ---------------------------------------------------------------------------------------------


def released_calls_are_not_counted() -> Broken:
    original = feed.rows.account_room

    def room(*args: Any, **kwargs: Any) -> Any:
        account = original(*args, **kwargs)
        return account and replace(account, queued=0)

    return replaced(feed.rows, account_room=room)


def revoke_returns_at_once() -> Broken:
    return replaced(revoke, PERMIT_LIFETIME=timedelta(0))


def switches_return_at_once() -> Broken:
    return replaced(control, PERMIT_LIFETIME=timedelta(0))


# --- the record --------------------------------------------------------------------------------------------------


def reports_are_applied_twice() -> Broken:
    """A report that comes late closes its attempt again. (One that changes nothing at all is stopped before that.)"""

    def late(attempt: Any, told: Any, report: Any) -> Any:
        return settle._closed(replace(told, detail="again"), report)

    return replaced(settle, _late=late)


def opt_outs_are_not_heard() -> Broken:
    return replaced(record, record_opt_outs=lambda connection, spoken: 0)


def numbers_are_free_before_the_report() -> Broken:
    def free(connection: Any, attempt_ids: Any, *, grace: timedelta) -> None:
        fact_rows.free_live(connection, attempt_ids)

    return replaced(fact_rows, free_slots=free)


def slots_are_never_given_back() -> Broken:
    stack = ExitStack()
    stack.enter_context(replaced(fact_rows, free_live=lambda connection, attempt_ids: None))
    # The sweep that would find them later is a second safeguard.
    stack.enter_context(replaced(rescue.rows, drop_lapsed_holds=lambda connection: []))
    return stack


# --- repair ------------------------------------------------------------------------------------------------------


def rescue_dials_silent_calls_again() -> Broken:
    """A dial that fell silent counts as not made, by its age alone."""
    return replaced(rescue, FateUnknown=lambda words: NotDialed(NotDialedKind.NO_CONNECTION, words))


def one_look_proves_absence() -> Broken:
    original = reconcile.rows.lease_due_attempts

    def looked_before(*args: Any, **kwargs: Any) -> Any:
        return [replace(attempt, absences=attempt.absences + 1) for attempt in original(*args, **kwargs)]

    return replaced(reconcile.rows, lease_due_attempts=looked_before)


def late_finds_are_not_told() -> Broken:
    """Who turns out to have been called after `latestAt` failed their call: on record at the attempt, and no alarm."""
    return replaced(record, is_found_too_late=lambda call, attempt, view: False)


def leases_are_for_ever() -> Broken:
    stack = ExitStack()
    stack.enter_context(replaced(rescue.Rescue, _return_leases=lambda self: 0))
    # Sending lost messages again is a second safeguard.
    stack.enter_context(replaced(feed.Feed, _repeat_lost=lambda self, limit_group, *, fast: None))
    return stack


MUTATIONS = (
    Mutation(
        messages_claim_calls_in_any_state,
        ("open attempts", "was over", "two calls", "newest attempt", "reached"),
        ("redeliver", "delay"),
        first=1,
    ),
    Mutation(numbers_are_not_locked, ("has two calls",)),
    Mutation(permits_are_not_recorded, ("not exactly one permit",)),
    Mutation(switches_are_read_once, ("switched off",), ("pause", "stop", "delay"), first=8),
    Mutation(permits_do_not_lapse, ("permit lapsed", "switched off", "after revoke"), ("freeze",)),
    Mutation(nobody_waits_for_a_turn, ("requests in a second",), first=8),
    Mutation(every_instant_is_free, ("requests in a second",), first=10),
    Mutation(
        ambiguous_counts_as_not_dialed,
        ("two calls", "alarm", "newest attempt", "rings again", "holds no number", "do not know of"),
        ("lost_answer", "error_after", "late_accept"),
    ),
    Mutation(released_calls_are_not_counted, ("more in flight",), first=2),
    Mutation(revoke_returns_at_once, ("after revoke",), ("revoke",), first=6),
    Mutation(switches_return_at_once, ("switched off",), ("pause", "stop")),
    Mutation(reports_are_applied_twice, ("was over", "nobody made up", "moved"), ("webhooks", "reads"), first=9),
    Mutation(opt_outs_are_not_heard, ("opted out",)),
    Mutation(numbers_are_free_before_the_report, ("holds no number",)),
    Mutation(slots_are_never_given_back, ("does not settle", "never given back", "nothing will"), ("no_connection",)),
    Mutation(
        rescue_dials_silent_calls_again,
        ("two calls", "alarm", "rings again", "newest attempt", "not know"),  # "does not", "we do not"
        ("kill", "freeze", "late_answer", "webhooks"),
        first=36,
    ),
    Mutation(
        one_look_proves_absence,
        ("two calls", "alarm", "rings again", "not know"),
        ("lag", "lost_answer", "webhooks"),
        first=26,
    ),
    Mutation(
        late_finds_are_not_told, ("was reached and is failed",), ("lost_answer", "webhooks", "lag", "reads"), first=360
    ),
    Mutation(leases_are_for_ever, ("does not settle", "nothing will"), ("kill", "lose", "flush")),
)
