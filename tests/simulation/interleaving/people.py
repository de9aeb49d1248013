"""What people do, from outside: operators who revoke and switch, somebody who calls us back, somebody who decides."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from campaigns.providers.contract import Receipt
from campaigns.services.control import Control, ControlRefusedError
from campaigns.services.decide import Decide, DecisionRefusedError
from campaigns.services.decided import DecidedAs
from campaigns.services.record import Recorder
from campaigns.services.revoke import Revoke

if TYPE_CHECKING:
    from interleaving.world import World

_OPEN_QUESTIONS = "SELECT id FROM attempts WHERE state = 'fate_unknown' AND needs_person ORDER BY check_at, id"


class People:
    """They work at the office, a process that is never killed: whoever types a command sees its answer."""

    def __init__(self, world: "World", recorder: Recorder) -> None:
        """`recorder`: at the office's database."""
        self._world = world
        self._recorder = recorder
        self._calls_back = 0
        self.is_switching = False

    def _wait(self, duration: timedelta) -> None:
        self._world.stage.wait("waits", seconds=duration.total_seconds())

    def revoke(self, number: str) -> None:
        """A person takes consent back, by an operator."""
        world, office = self._world, self._world.office
        database: Any = office.database
        revoke = Revoke(database, operator="test", wait=self._wait)

        def returned(_: object) -> None:
            world.trace.note("office.revoke", f"revoke of {number[-4:]} has returned")
            world.promises.revoked.add(number)

        world.stage.spawn("office.revoke", office, lambda: revoke.run(number), report=returned)

    def call_back(self, number: str) -> None:
        """Somebody calls us: whoever does is not called any more."""
        self._calls_back += 1
        receipt = Receipt(f"call back {self._calls_back}", "inbound", None, caller=number)
        self._world.trace.note("world", f"{number[-4:]} calls us")
        self._world.receive(receipt)

    def switch(self, action: str, campaign: str | None) -> None:
        """Pause, resume, cancel, stop or start; one at a time, or nobody could say what holds."""
        if self.is_switching:
            return
        self.is_switching = True
        world, database = self._world, self._world.office.database
        control = Control(database, operator="test", wait=self._wait)  # type: ignore[arg-type]
        subject = "all" if campaign is None else str(self._campaign_id(campaign))
        acts: dict[str, Callable[[], object]] = {
            "pause": lambda: control.pause(str(campaign)),
            "resume": lambda: control.resume(str(campaign)),
            "cancel": lambda: control.cancel(str(campaign)),
            "stop": control.stop_all,
            "start": control.start,
        }

        def act() -> object:
            if action in ("resume", "start"):
                world.promises.switched_off.discard(subject)
            try:
                return acts[action]()
            except ControlRefusedError as refusal:
                return refusal
            finally:
                self.is_switching = False

        def returned(answer: object) -> None:
            world.trace.note("office", f"{action} {subject} has returned")
            if action in ("pause", "cancel", "stop") and not isinstance(answer, ControlRefusedError):
                world.promises.switched_off.add(subject)

        world.stage.spawn(f"office.{action}", world.office, act, report=returned)

    def _campaign_id(self, name: str) -> int:
        return [each.name for each in self._world.scenario.campaigns].index(name) + 1

    def decide(self, rng: Random) -> None:
        """Somebody looks into the provider's portal and answers what stands on `attention`, truly."""
        world = self._world
        database: Any = world.office.database
        decide = Decide(database, self._recorder, operator="test")
        gives_up = rng.random() < 0.3

        def act() -> object:
            for row in world.sql.look(_OPEN_QUESTIONS):
                call = next((each for each in world.model.calls.values() if each.attempt_id == row.id), None)
                how = DecidedAs.FOUND if call else DecidedAs.GIVEN_UP if gives_up else DecidedAs.NOT_DIALED
                try:
                    report = call.report(world.stage.now) if call else None
                    return decide.run(row.id, how, reason="looked", call=report).call_state
                except DecisionRefusedError as refusal:
                    return refusal
            return "nothing to decide"

        world.stage.spawn("office.decide", world.office, act, report=lambda how: world.trace.note("office", f"{how}"))
