"""A story: one stack, one policy, campaign after campaign, a fault in each, and the reckoning at the end.

The next campaign begins as soon as the last fault is over, so the long wait for silent dials is shared by all.
"""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from harness.books import dials_of, unfinished
from harness.campaign import LASTS, area_codes, launch
from harness.faults import FAULTS_BY_POLICY, FREEZES, KILL_POINTS, OTHERS_KILL_POINTS, Fault
from harness.freezing import freeze
from harness.kills import deploy, kill_at_point, kill_control_at_random, kill_dispatch_at_random, kill_web
from harness.nuisances import cross_locks, cut_connections, double_processes, refuse_transactions, repeat_messages
from harness.outages import (
    OUTAGE,
    empty_valkey,
    fill_disk,
    flush_valkey,
    outage_of,
    restart_postgres,
    stop_dispatch,
    take_connections,
    take_postgres_away,
    take_valkey_away,
)
from harness.provider_faults import be_sound, fail_creates, fail_webhooks, never_end
from harness.scene import STRIKE_TIMEOUT, Scene
from harness.small_disk import why_not
from harness.stack import HOOKED, POLLED, Stack
from harness.trial import Trial, Verdict, judge
from harness.waiting import wait_until

FAULTS_VARIABLE = "RINGFENCE_E2E_FAULTS"
"""Names of the faults to try, with commas between them; all of them unless told otherwise."""
END_TIMEOUT = LASTS + timedelta(seconds=180)
"""From the last fault to the last final state; a call in progress past `latestAt` is asked after within 70 s. The rest
is for a busy machine."""
SHORT = timedelta(seconds=20)
"""The window of a campaign whose end is waited for: frozen after some five seconds, for fifteen more."""
PATIENCE = timedelta(seconds=40)
"""More for the campaign whose silent dials must all be looked for twice, and redialed, before its window ends. Others
follow it in its story, which takes no longer for that."""
FIRST_DIALS = (10, 40)
"""After how many the fault strikes: in the middle of the first wave."""

Cause = Callable[[Scene], None]

AT_THEIR_POINT: Mapping[Fault, Cause] = dict.fromkeys((*KILL_POINTS, *OTHERS_KILL_POINTS), kill_at_point) | (
    dict.fromkeys(FREEZES, freeze)
)
"""Faults that wait for their own moment."""
WHILE_DIALING: Mapping[Fault, Cause] = {
    Fault.KILLED_AT_RANDOM: kill_dispatch_at_random,
    Fault.CONTROL_KILLED: kill_control_at_random,
    Fault.WEB_KILLED: kill_web,
    Fault.DEPLOYED: deploy,
    Fault.VALKEY_FLUSHED: flush_valkey,
    Fault.VALKEY_EMPTY: empty_valkey,
    Fault.VALKEY_AWAY: take_valkey_away,
    Fault.NO_WORKER: stop_dispatch,
    Fault.POSTGRES_RESTARTED: restart_postgres,
    Fault.POSTGRES_AWAY: take_postgres_away,
    Fault.CONNECTIONS_CUT: cut_connections,
    Fault.CONNECTIONS_TAKEN: take_connections,
    Fault.TRANSACTIONS_REFUSED: refuse_transactions,
    Fault.LOCKS_CROSSED: cross_locks,
    Fault.DISK_FULL: fill_disk,
    Fault.MESSAGES_REPEATED: repeat_messages,
    Fault.TWO_OF_EACH: double_processes,
    Fault.PROVIDER_FAULTY: fail_creates,
    Fault.WEBHOOKS_FAULTY: fail_webhooks,
    Fault.CALLS_ENDLESS: never_end,
}
"""Faults that strike once the first dials are made."""


@dataclass(frozen=True, slots=True)
class Story:
    """How it all came out."""

    verdicts: list[Verdict]
    alarms: list[str]
    """What the engine itself found wrong."""
    double_dials_seen: int
    """The simulator's own count, over all campaigns."""


def tell(policy: str, *, rounds: int, seed: int) -> Story:
    """Every fault of the policy, `rounds` times. The same seed: the same lists, and faults at the same passages."""
    dice = random.Random(f"{seed} {policy}")
    faults = _chosen(policy)
    with Stack(seed=seed) as stack:
        teller = _Teller(stack, policy=policy, dice=dice, trials=rounds * len(faults))
        for round_number in range(rounds):
            for fault in faults:
                teller.have_trial(fault, round_number=round_number)
            if round_number + 1 < rounds:
                stack.stop_others()
        teller.wait_for_the_end()
        assert stack.ended() == []
        dials = stack.witness.dials()
        verdicts = [judge(trial, stack, dials) for trial in teller.trials]
        return Story(verdicts, alarms=stack.alarms(), double_dials_seen=stack.witness.stats()["double_dials"])


def _chosen(policy: str) -> list[Fault]:
    only = os.environ.get(FAULTS_VARIABLE)
    impossible = {Fault.DISK_FULL} if why_not() else set()
    wanted = {Fault(name) for name in only.split(",")} if only else set(Fault)
    return [fault for fault in FAULTS_BY_POLICY[policy] if fault in wanted - impossible]


def account_of(fault: Fault, *, policy: str, round_number: int) -> str:
    """A call that was made and not recorded comes to light by its webhook, or by the provider's list: try both."""
    may_be_listed = fault in (*KILL_POINTS, Fault.CALLS_ENDLESS)
    return POLLED if may_be_listed and (round_number + (policy == "hold")) % 2 == 0 else HOOKED


def window_of(fault: Fault, *, round_number: int) -> timedelta:
    """How long a campaign lasts: as always after the fault, however long that is."""
    if fault is Fault.FROZEN_PAST_WINDOW:
        return SHORT
    if fault is Fault.AFTER_CLAIM:
        return LASTS + PATIENCE
    return LASTS + max(timedelta(0), outage_of(fault, round_number=round_number) - OUTAGE)


class _Teller:
    def __init__(self, stack: Stack, *, policy: str, dice: random.Random, trials: int) -> None:
        self.trials: list[Trial] = []
        self._stack = stack
        self._policy = policy
        self._dice = dice
        self._total = trials

    def have_trial(self, fault: Fault, *, round_number: int) -> None:
        """Launch, strike, mend."""
        scene = Scene(self._stack, self._new_trial(fault, round_number), self._dice, self._wait, round_number)
        if fault in AT_THEIR_POINT:
            AT_THEIR_POINT[fault](scene)
            be_sound(scene)  # the trial before may have left a faulty provider, which had to last for a while
            return
        self._wait_for_dials(scene.trial)
        be_sound(scene)
        WHILE_DIALING[fault](scene)

    def wait_for_the_end(self) -> None:
        """Until no campaign has a call that is not final."""
        self._wait(lambda: not unfinished(self._stack.database), what="every campaign is finished", timeout=END_TIMEOUT)

    def _new_trial(self, fault: Fault, round_number: int) -> Trial:
        if fault is Fault.DISK_FULL and not self._stack.disk:
            self._stack.move_postgres()
        number = len(self.trials)
        campaign = launch(
            self._stack,
            name=f"{self._policy}-{number:03}-{fault.value.replace('_', '-')}",
            account=account_of(fault, policy=self._policy, round_number=round_number),
            policy="hold" if self._policy == "chaos" else self._policy,
            codes=area_codes(number, of=self._total),
            seed=self._dice.randrange(1_000_000),
            lasts=window_of(fault, round_number=round_number),
        )
        self.trials.append(Trial(fault, self._policy, campaign))
        return self.trials[-1]

    def _wait_for_dials(self, trial: Trial) -> None:
        """Into the middle of the first wave."""
        dials = self._dice.randint(*FIRST_DIALS)
        self._wait(
            lambda: dials_of(self._stack.database, trial.campaign.id) >= dials,
            what=f"{dials} dials of {trial.campaign.name}",
            timeout=STRIKE_TIMEOUT,
        )

    def _wait(self, seen: Callable[[], bool], *, what: str, timeout: timedelta) -> None:
        """Wait, and meanwhile keep an eye on all trials."""

        def look() -> bool:
            for trial in self.trials:
                trial.look(self._stack)
            return seen()

        wait_until(look, what=what, timeout=timeout)
