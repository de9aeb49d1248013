"""The phone numbers of an account: every change on record with who asked, and no line taken from a campaign."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from campaigns.providers.numbers import NewNumber, PhoneNumber, PhoneNumbers
from campaigns.services.at_provider import RunAsync, on_record
from campaigns.store.lines import users_of_line


class LineInUseError(Exception):
    """Campaigns still dial from this line. The message names them and says what to do."""

    def __init__(self, line: str, campaigns: Sequence[str]) -> None:
        self.campaigns = tuple(campaigns)
        names = ", ".join(campaigns)
        super().__init__(f"line {line} is used by {names}; cancel or finish that first, or say --force")


class ProviderNumbers:
    """For one operator and one account; `run_async` runs the client's coroutines."""

    def __init__(
        self, engine: Engine, numbers: PhoneNumbers, *, account: str, operator: str, run_async: RunAsync
    ) -> None:
        self._engine = engine
        self._numbers = numbers
        self._account = account
        self._operator = operator
        self._run_async = run_async

    def create(self, wish: NewNumber, *, action: str) -> PhoneNumber:
        """Buy or import one; raises as `PhoneNumbers.create`. `action`: what the record calls it."""
        subject = f"{self._account}: a number from {wish.source}"
        with on_record(self._engine, operator=self._operator, action=action, subject=subject) as result:
            made: PhoneNumber = self._run_async(self._numbers.create(wish)).result()
            result.detail = f"done: {made.id}"
        return made

    def update(self, number_id: str, settings: Mapping[str, Any], *, action: str) -> PhoneNumber:
        """Change what `settings` name; raises as `PhoneNumbers.update`."""
        with on_record(
            self._engine, operator=self._operator, action=action, subject=self._subject(number_id)
        ) as result:
            changed: PhoneNumber = self._run_async(self._numbers.update(number_id, settings)).result()
            result.detail = f"done: {', '.join(sorted(settings))}"
        return changed

    def delete(self, number_id: str, *, force: bool = False) -> None:
        """Give it up. Raises `LineInUseError`, and as `PhoneNumbers.delete`."""
        users = self._users(number_id)
        if users and not force:
            raise LineInUseError(number_id, users)
        subject = self._subject(number_id)
        with on_record(self._engine, operator=self._operator, action="numbers delete", subject=subject) as result:
            self._run_async(self._numbers.delete(number_id)).result()
            result.detail = f"done, although used by {', '.join(users)}" if users else "done"

    def _subject(self, number_id: str) -> str:
        return f"{self._account}: {number_id}"

    def _users(self, number_id: str) -> list[str]:
        with self._engine.begin() as connection:
            return users_of_line(connection, account=self._account, line=number_id)
