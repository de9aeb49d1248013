"""Rulings: counsel's decision on artificial voices in a state, and emergencies that stop sales there."""

from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches

from sqlalchemy import Engine

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.rules import AiVoice, Jurisdiction, RuleBook
from campaigns.store.campaigns import record_operation
from campaigns.store.rulings import add_ruling

Wait = Callable[[timedelta], None]


class RulingRefusedError(Exception):
    """The ruling cannot be recorded. The message says why and what is allowed."""


class UnknownJurisdictionError(RulingRefusedError):
    """No rule file in force has that key."""

    def __init__(self, key: str, *, known: list[str]) -> None:
        self.nearest = next(iter(get_close_matches(key.upper(), known, n=1)), None)
        hint = f"did you mean {self.nearest}?" if self.nearest else "write it as US-WA"
        super().__init__(f"no rule file in force is for {key!r}; {hint}")


class RecordRuling:
    """Rulings of one operator. `wait` really waits that long; tests pass their own."""

    def __init__(self, engine: Engine, rules: RuleBook, *, operator: str, wait: Wait) -> None:
        self._engine = engine
        self._rules = rules
        self._operator = operator
        self._wait = wait

    def on_ai_voice(self, key: str, *, allow: bool, reason: str) -> bool:
        """Whether sales by an AI voice are lawful in that state, as counsel decided. Returns whether it is news.

        Only for states whose statute awaits that decision; a relationship that a statute asks for cannot be ruled away.
        Raises `RulingRefusedError`.
        """
        law = self._jurisdiction(key)
        if law.ai_voice is not AiVoice.DENY_PENDING_COUNSEL:
            raise RulingRefusedError(f"{law.key} does not wait for counsel's decision; its rule is {law.ai_voice}")
        return self._record(law.key, "ai_voice", "allow" if allow else "deny", reason=reason, stops=not allow)

    def on_emergency(self, key: str, *, declared: bool, reason: str) -> bool:
        """Whether an emergency is declared in that state. Once this returned, no sales call there can leave any more.

        Raises `RulingRefusedError`.
        """
        law = self._jurisdiction(key)
        if not law.emergency_ban:
            banning = ", ".join(sorted(one.key for one in self._rules.jurisdictions.values() if one.emergency_ban))
            raise RulingRefusedError(f"the rules of {law.key} stop no calls in an emergency; those of {banning} do")
        return self._record(law.key, "emergency", "declared" if declared else "lifted", reason=reason, stops=declared)

    def _jurisdiction(self, key: str) -> Jurisdiction:
        found = self._rules.jurisdictions.get(key.upper())
        if found is None:
            raise UnknownJurisdictionError(key, known=sorted(self._rules.jurisdictions))
        return found

    def _record(self, key: str, subject: str, decision: str, *, reason: str, stops: bool) -> bool:
        if not reason.strip():
            raise RulingRefusedError("a ruling needs its reason: the letter, order or proclamation that it rests on")
        with self._engine.begin() as connection:
            changed = add_ruling(
                connection, jurisdiction=key, subject=subject, decision=decision, reason=reason, operator=self._operator
            )
            if changed:
                record_operation(
                    connection, operator=self._operator, action=f"ruling {decision}", subject=key, detail=reason
                )
        if stops:
            # A claim that read the ruling before may still be about to send.
            self._wait(PERMIT_LIFETIME)
        return changed
