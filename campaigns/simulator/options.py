"""From what a person typed to a configuration: for `python -m campaigns.simulator` and `ringfence simulator` alike."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.fields import ConfigError

MOST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed; None: not given. `assignments` go before `config`, and the others before both."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    seed: int | None = None
    speed: float | None = None
    api_key: str | None = None
    log_path: str | None = None
    no_webhooks: bool = False
    assignments: Sequence[str] = ()

    def read(self) -> SimulatorConfig:
        """Raises `ConfigError`, whose message is one sentence."""
        config = changed(SimulatorConfig(), self._document())
        if not 0 <= config.port <= MOST_PORT:
            raise ConfigError(f"--port: found {config.port}; allowed are 0 (any free one) to {MOST_PORT}")
        return config

    def _document(self) -> dict[str, Any]:
        document = _file(self.config) if self.config else {}
        for assignment in self.assignments:
            path, separator, text = assignment.partition("=")
            if not separator:
                raise ConfigError(f"--set: found {assignment!r}; give PATH=VALUE, such as faults.stuck=0.01")
            _set(document, path, value=_value(text))
        for name in ("host", "port", "seed", "speed", "api_key", "log_path"):
            if getattr(self, name) is not None:
                document[name] = getattr(self, name)
        if self.no_webhooks:
            _set(document, "webhooks.enabled", value=False)
        return document


def _file(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}; give a JSON file") from None
    except ValueError as error:
        raise ConfigError(f"--config: {path} is no JSON ({error}); give an object of switches") from None
    if not isinstance(document, dict):
        raise ConfigError(f'--config: {path} holds no JSON object; give switches, as in {{"speed": 100}}')
    return document


def _set(document: dict[str, Any], path: str, *, value: Any) -> None:
    *parts, last = path.split(".")
    for part in parts:
        inner = document.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set: {path!r} goes into {part!r}, which was given a value of its own; give only one")
        document = inner
    document[last] = value


def _value(text: str) -> Any:
    """JSON where it is some, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
