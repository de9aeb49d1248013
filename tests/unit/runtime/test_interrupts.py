import os
import signal

import pytest

from campaigns.runtime.interrupts import interrupts_deferred, interrupts_ignored


def interrupted_work(steps: list[str]) -> None:
    with interrupts_deferred() as interrupted:
        steps.append("started")
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted.arrived
        steps.append("noted")


def test_an_interrupt_inside_the_block_is_raised_at_its_end() -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted_work(steps)
    assert steps == ["started", "noted"]


def test_a_block_without_interrupt_ends_quietly_and_puts_the_handlers_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_deferred():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_an_interrupt_during_the_clean_up_is_passed_over() -> None:
    with interrupts_ignored():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
