"""A story: one stack, one policy, campaign after campaign, a fault in each, and the reckoning at the end.

The next campaign begins as soon as the last fault is over, so the long wait for silent dials is shared by all.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from harness.books import dials_of, unfinished
from harness.campaign import LASTS, area_codes, launch
from harness.chaos import freeze, strike
from harness.faults import FAULTS_BY_POLICY, FREEZE_POINTS, KILL_POINTS, Fault
from harness.orders import Order
from harness.stack import HOOKED, POLLED, Stack
from harness.trial import Trial, Verdict, judge
from harness.waiting import wait_until

from campaigns.runtime.embedded import ChildProcess

STRIKE_TIMEOUT = timedelta(seconds=50)
"""From submit to fault: expansion, the first dials, and a worker that is still starting again."""
END_TIMEOUT = LASTS + timedelta(seconds=90)
"""From the last fault to the last final state; a call in progress past `latestAt` is asked after within 70 s."""
FAILED_WEBHOOKS = 5
"""So many deliveries have to fail before the web process comes back."""

PASSAGES = {
    Fault.BEFORE_CLAIM: (1, 3),
    Fault.AFTER_CLAIM: (1, 3),
    Fault.DURING_POST: (5, 60),
    Fault.AFTER_ACCEPT: (5, 60),
    Fault.DURING_RECORD: (2, 15),
}
"""Which passage of each point is the last: claims go by groups, dials one by one, records by flushes."""


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
    faults = FAULTS_BY_POLICY[policy]
    with Stack(seed=seed) as stack:
        teller = _Teller(stack, policy=policy, dice=dice, trials=rounds * len(faults))
        for round_number in range(rounds):
            for fault in faults:
                teller.have_trial(fault, account=_account(fault, policy=policy, round_number=round_number))
        teller.wait_for_the_end()
        assert stack.ended() == []
        dials = stack.witness.dials()
        verdicts = [judge(trial, stack, dials) for trial in teller.trials]
        return Story(verdicts, alarms=stack.alarms(), double_dials_seen=stack.witness.stats()["double_dials"])


def _account(fault: Fault, *, policy: str, round_number: int) -> str:
    """A call that was made and not recorded comes to light by its webhook, or by the provider's list: try both."""
    listed = fault in KILL_POINTS and (round_number + (policy == "hold")) % 2 == 0
    return POLLED if listed else HOOKED


class _Teller:
    def __init__(self, stack: Stack, *, policy: str, dice: random.Random, trials: int) -> None:
        self.trials: list[Trial] = []
        self._stack = stack
        self._policy = policy
        self._dice = dice
        self._total = trials

    def have_trial(self, fault: Fault, *, account: str) -> None:
        """Launch, strike, mend."""
        number = len(self.trials)
        campaign = launch(
            self._stack,
            name=f"{self._policy}-{number:03}-{fault.value.replace('_', '-')}",
            account=account,
            policy="hold" if self._policy == "chaos" else self._policy,
            codes=area_codes(number, of=self._total),
            seed=self._dice.randrange(1_000_000),
        )
        trial = Trial(fault, self._policy, campaign)
        self.trials.append(trial)
        if fault in KILL_POINTS:
            self._kill_dispatch(trial)
        elif fault in FREEZE_POINTS:
            freeze(self._stack, trial, passage=self._dice.randint(1, 3), wait=self._wait)
        elif fault in FAULTS_BY_POLICY["chaos"]:
            self._wait_for_dials(trial)
            strike(self._stack, trial, dice=self._dice, wait=self._wait)
        else:
            self._wait_for_dials(trial)
            self._strike(trial)

    def wait_for_the_end(self) -> None:
        """Until no campaign has a call that is not final."""
        self._wait(lambda: not unfinished(self._stack.database), what="every campaign is finished", timeout=END_TIMEOUT)

    # --- the faults --------------------------------------------------------------------------------------------

    def _kill_dispatch(self, trial: Trial) -> None:
        stack = self._stack
        stack.orders.give(Order(trial.fault, trial.campaign.id, self._dice.randint(*PASSAGES[trial.fault])))
        self._wait(lambda: not stack.dispatch.is_running, what=f"the worker dies {trial.fault}", timeout=STRIKE_TIMEOUT)
        trial.strike(stack)
        assert stack.dispatch.poll() == -9, stack.dispatch.tail_log()
        trial.last_words = stack.orders.last_words()
        stack.orders.take_back()
        stack.start(stack.dispatch)

    def _strike(self, trial: Trial) -> None:
        stack = self._stack
        match trial.fault:
            case Fault.VALKEY_FLUSHED:
                stack.flush_valkey()
                trial.strike(stack)
            case Fault.VALKEY_EMPTY:
                stack.restart_valkey_empty()
                trial.strike(stack)
            case Fault.WEB_KILLED:
                self._kill(stack.web, trial)
                failed = stack.witness.stats()["webhooks"].get("failed", 0)
                self._wait(
                    lambda: stack.witness.stats()["webhooks"].get("failed", 0) >= failed + FAILED_WEBHOOKS,
                    what="webhooks fail while the web process is dead",
                    timeout=STRIKE_TIMEOUT,
                )
                stack.start(stack.web)
            case Fault.BEAT_KILLED:
                self._kill(stack.beat, trial)
                stack.start(stack.beat)
            case Fault.CONTROL_KILLED:
                self._kill(stack.control, trial)
                stack.start(stack.control)

    def _kill(self, child: ChildProcess, trial: Trial) -> None:
        child.kill()
        trial.strike(self._stack)

    def _wait_for_dials(self, trial: Trial) -> None:
        """Into the middle of the first wave."""
        dials = self._dice.randint(15, 50)
        self._wait(
            lambda: dials_of(self._stack.database, trial.campaign.id) >= dials,
            what=f"{dials} dials of {trial.campaign.name}",
            timeout=STRIKE_TIMEOUT,
        )

    # --- watching ----------------------------------------------------------------------------------------------

    def _wait(self, seen: Callable[[], bool], *, what: str, timeout: timedelta) -> None:
        """Wait, and meanwhile keep an eye on all trials."""

        def look() -> bool:
            for trial in self.trials:
                trial.look(self._stack)
            return seen()

        wait_until(look, what=what, timeout=timeout)
