"""The parts of one running simulator, put together."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from campaigns.simulator.calls import CallBook
from campaigns.simulator.clock import ProviderClock, iso
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.dialect import Happening
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.intake import Intake
from campaigns.simulator.ledger import Ledger
from campaigns.simulator.telephony import Telephony
from campaigns.simulator.webhooks import WebhookSender


class Simulation:
    """State that the endpoints share. `base_url` is known once the port is."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.base_url = ""
        self.clock = ProviderClock(offset=config.clock_offset)
        self.ledger = Ledger()
        self.book = CallBook()
        self.sender = WebhookSender(config=lambda: self.config, ledger=self.ledger, log=self.log)
        self.telephony = Telephony(
            config=lambda: self.config,
            clock=self.clock,
            ledger=self.ledger,
            book=self.book,
            announce=self._announce,
        )
        self.intake = Intake(self)
        self._log_file: TextIO | None = _open_log(config.log_path)

    def change(self, document: Mapping[str, Any]) -> None:
        """Take other rates, faults or limits from now on. Raises `ConfigError`, and then nothing has changed."""
        self.config = changed(self.config, document)
        self.clock.offset = self.config.clock_offset

    def log(self, event: str, fields: Mapping[str, Any]) -> None:
        """One JSON line, if a log was asked for."""
        if self._log_file is not None:
            self._log_file.write(json.dumps({"at": iso(self.clock.now_ms()), "event": event, **fields}) + "\n")

    async def aclose(self) -> None:
        """Stop delivering and close the log."""
        await self.sender.aclose()
        if self._log_file is not None:
            self._log_file.close()

    def _announce(self, happening: Happening) -> None:
        call = happening.call
        if self._log_file is None and not self.config.webhooks.enabled:
            return
        fields = {"id": call.id, "attempt": call.attempt, "number": call.number, "status": happening.status}
        self.log(happening.kind, {**fields, "endedReason": call.ended_reason})
        for delivery in call.dialect.deliveries(happening, config=self.config, base_url=self.base_url):
            self.sender.send(delivery)


def _open_log(path: str | None) -> TextIO | None:
    """Line by line, so that a reader sees what has happened even if the simulator is killed. Raises `ConfigError`."""
    if path is None:
        return None
    try:
        return Path(path).open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ConfigError(
            f"log_path: cannot write {path}: {error.strerror}; give a file in a folder that is there"
        ) from None
