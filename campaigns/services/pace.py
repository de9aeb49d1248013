"""Pace: dial instants, taken from Postgres by the group."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from campaigns.calls.pacing import Scope, allot, lateness_of, spacing
from campaigns.services.database_clock import DatabaseClock, Reading
from campaigns.services.machine_clock import Monotonic, monotonic
from campaigns.store import pace as rows

log = logging.getLogger(__name__)

CLAIM_HORIZON = 0.07
"""Seconds of turns to claim for: what a crash leaves claimed and not sent is of unknown fate. Permits live much longer,
so none lapses in a queue, and a dial that missed its turn finds another one."""
GATHERING = CLAIM_HORIZON / 2
"""Seconds of turns that a group waits for, unless it is smaller: many threads at a fast pace would else pick up each
turn by itself as it comes into reach, and pay for a claim a call."""
BLURRED_WAIT = 0.1
"""Seconds until turns are asked for again, when the database's clock could not be read well enough to keep to them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What held when a turn was taken; under other terms its place may be somebody else's."""

    spacings: Mapping[str, float]
    clock_steps: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One dial's instant, as readings of this process's monotonic clock."""

    at: float
    """Not sooner."""
    until: float
    """A dial that has not left by then has missed its turn: later, it could come too close to the next ones."""
    taken: float
    """As the scopes know it: seconds since the epoch on the database's clock."""
    terms: Terms

    def is_of(self, spacings: Mapping[str, float]) -> bool:
        """Whether it was taken in these scopes, at whatever rate."""
        return self.terms.spacings.keys() == spacings.keys()


@dataclass(frozen=True, slots=True)
class Reserved:
    """Turns taken for a group that is about to be claimed; none: how many seconds until it is worth asking again."""

    turns: tuple[Turn, ...]
    wait: float


@dataclass(frozen=True, slots=True)
class _Book:
    """The scopes of a campaign while their rows are locked."""

    connection: Connection
    scopes: Mapping[str, Scope]
    reading: Reading
    is_repaired: bool
    """They were not to be relied upon: what they are now has to be kept even if nothing is taken."""

    @property
    def terms(self) -> Terms:
        return Terms({name: scope.spacing for name, scope in self.scopes.items()}, self.reading.steps)

    def turns(self, instants: Sequence[float]) -> tuple[Turn, ...]:
        terms, reading = self.terms, self.reading
        lateness = lateness_of(min(terms.spacings.values()))
        return tuple(
            Turn(reading.soonest(instant), reading.latest(instant) + lateness, instant, terms) for instant in instants
        )

    def wait_for(self, most: int, first: float) -> float:
        """Seconds until so many turns as a group gathers lie within the horizon of `first`; 0: they do."""
        scopes = list(self.scopes.values())
        gathered = max(1, min(most, int(GATHERING / max(scope.spacing for scope in scopes))))
        instants, _ = allot(scopes, now=first, count=gathered)
        return max(0.0, instants[-1] - first - CLAIM_HORIZON)

    def own(self, turns: Sequence[Turn]) -> list[float]:
        """The instants of turns that were taken under the terms of now, in order of time."""
        return sorted(turn.taken for turn in turns if turn.terms == self.terms)

    def keep(self, left: Sequence[Scope]) -> None:
        rows.write_scopes(self.connection, dict(zip(self.scopes, left, strict=True)))


def scope_spacings(
    *, limit_group: str, account_cps: float, campaign_id: int, campaign_cps: float | None
) -> dict[str, float]:
    """The scopes a campaign dials in, with the seconds between dials of each."""
    spacings = {rows.ACCOUNT + limit_group: spacing(account_cps)}
    if campaign_cps is not None:
        spacings[f"campaign:{campaign_id}"] = spacing(campaign_cps)
    return spacings


def waits(connection: Connection, spacings: Mapping[str, float]) -> dict[str, float]:
    """Seconds until each scope is free: a forecast, without a lock."""
    stored, now = rows.look_at_scopes(connection, list(spacings)), rows.now(connection)
    known = {name: scope.spaced(spacings[name]) for name, scope in stored.items()}
    # A scope that cannot be so counts as free: a worker has to look at it before it is put right.
    return {
        name: known[name].first_free(now) - now if name in known and known[name].is_plausible(now) else 0.0
        for name in spacings
    }


class Pace:
    """Dial instants for one database."""

    def __init__(self, engine: Engine, clock: Monotonic = monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._database_clock = DatabaseClock(clock)
        self._steps_known: dict[str, int] = {}

    def reserve(self, spacings: Mapping[str, float], *, most: int, lead: float) -> Reserved:
        """Take up to `most` turns from `lead` seconds ahead on, none beyond the claim's horizon.

        Before the claim and not after it, so that two processes never claim for the same stretch of time.
        """
        with self._opened(spacings) as book:
            first = book.reading.now + lead
            instants, left = allot(list(book.scopes.values()), now=first, count=most, until=first + CLAIM_HORIZON)
            wait = book.wait_for(most, first) if len(instants) < most else 0.0
            if not book.reading.is_precise:
                wait = BLURRED_WAIT
            if not wait:
                book.keep(left)
            elif book.is_repaired:
                book.keep(list(book.scopes.values()))
        return Reserved((), wait) if wait else Reserved(book.turns(instants), 0.0)

    def give_back(self, spacings: Mapping[str, float], turns: Sequence[Turn]) -> None:
        """Let others have the turns of calls that were not dialed after all; what is over is simply lost.

        So is what cannot be given back: whoever claimed goes on to dial, and must not stumble over this.
        """
        ahead = [turn for turn in turns if turn.at > self._clock()]
        if not ahead:
            return
        try:
            with self._opened(spacings) as book:
                book.keep([scope.give_back(book.own(ahead)) for scope in book.scopes.values()])
        except SQLAlchemyError as error:
            log.warning("turns_lost turns=%d cause=%s", len(ahead), type(error).__name__)

    def take(
        self, spacings: Mapping[str, float], count: int, *, until: float, missed: Sequence[Turn] = ()
    ) -> list[Turn]:
        """Up to `count` further turns that come before `until`, a reading of this process's monotonic clock.

        `missed` go back: where none was taken after them, who comes a moment late need not wait for a whole spacing.
        """
        with self._opened(spacings) as book:
            count = count if book.reading.is_precise else 0
            last = until + book.reading.bounds.low
            scopes = [scope.give_back(book.own(missed)) for scope in book.scopes.values()]
            instants, left = allot(scopes, now=book.reading.now, count=count, until=last)
            if instants or book.is_repaired:
                book.keep(left)
        return list(book.turns(instants))

    @contextmanager
    def _opened(self, spacings: Mapping[str, float]) -> Iterator[_Book]:
        """The scopes, locked inside the block."""
        with self._engine.begin() as connection:
            book = self._open(connection, spacings)
            yield book
        # Not sooner: a repair that was rolled back has to be made again.
        self._steps_known |= dict.fromkeys(book.scopes, book.reading.steps)

    def _open(self, connection: Connection, spacings: Mapping[str, float]) -> _Book:
        """Lock the scopes, then read clock and limits: both may have changed while this waited for the lock."""
        stored = rows.lock_scopes(connection, list(spacings))
        reading = self._database_clock.read(partial(rows.now, connection))
        in_force = {name: spacing(rate) for name, rate in rows.account_rates(connection, list(spacings)).items()}
        found = {name: each.spaced(in_force.get(name, spacings[name])) for name, each in stored.items()}
        scopes = {name: self._reliable(name, scope, reading) for name, scope in found.items()}
        return _Book(connection, scopes, reading, is_repaired=scopes != found)

    def _reliable(self, name: str, scope: Scope, reading: Reading) -> Scope:
        """After the database's clock was set, the instants on record are of another time than those to come.

        Set back by an hour it would dial nothing for an hour; set forward, dials that have their turn already would
        meet new ones.
        """
        if self._steps_known.get(name, 0) == reading.steps and scope.is_plausible(reading.now):
            return scope
        return scope.after_pause(reading.now)
