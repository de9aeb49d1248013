"""The phone numbers of one Vapi account."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.providers.changing import change
from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.extras import FateUnknownError, NotFoundAtProviderError
from campaigns.providers.http import Clock, HttpAnswer, HttpClient, utc_now
from campaigns.providers.numbers import NewNumber, PhoneNumber
from campaigns.providers.reading import ask, decoded, path_of, require_success
from campaigns.providers.vapi.errors import error_text
from campaigns.providers.vapi.listing import IncompleteListingError, Page, pages
from campaigns.providers.vapi.number_bodies import creation_body, number_of, secrets_of, update_body
from campaigns.providers.vapi.requests import encoded

FIRST_NUMBER_AT = datetime(2020, 1, 1, tzinfo=UTC)
"""Before Vapi existed."""
AHEAD = timedelta(days=1)
"""A number bought this second may bear a time of a clock that runs before ours."""
LOOK = "`ringfence numbers list` shows whether it happened; look before you ask again"


class VapiNumbers:
    """Implements `numbers.PhoneNumbers` over an `HttpClient` whose headers carry the account's key."""

    def __init__(self, http: HttpClient, *, now: Clock = utc_now) -> None:
        self._http = http
        self._now = now

    async def create(self, wish: NewNumber) -> PhoneNumber:
        """Buy or import one; sent once, for a second request could buy a second number."""
        body = encoded(creation_body(wish))
        return _number(await self._change("POST", "/phone-number", body=body, private=secrets_of(wish)))

    async def list_all(self) -> list[PhoneNumber]:
        """Every number, the newest first. Raises `ProviderUnavailableError`."""
        found: list[PhoneNumber] = []
        try:
            async for page in pages(self._page, created_from=FIRST_NUMBER_AT, created_to=self._now() + AHEAD):
                found.extend(number_of(each) for each in page)
        except IncompleteListingError:
            raise ProviderUnavailableError("the provider does not list all of its numbers") from None
        return found

    async def get(self, number_id: str) -> PhoneNumber:
        """One number. Raises `NotFoundAtProviderError`."""
        answer = await ask(self._http, "GET", path_of("phone-number", number_id))
        if answer.status == 404:
            raise NotFoundAtProviderError("404: the provider has no such number")
        number = _described(require_success(answer))
        if number is None:
            raise ProviderUnavailableError("the number's answer has no id")
        return number

    async def update(self, number_id: str, settings: Mapping[str, Any]) -> PhoneNumber:
        """Change what `settings` name."""
        body = encoded(update_body(settings))
        return _number(await self._change("PATCH", path_of("phone-number", number_id), body=body))

    async def delete(self, number_id: str) -> None:
        """Give the number up."""
        await self._change("DELETE", path_of("phone-number", number_id))

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def _change(
        self, method: str, target: str, *, body: bytes | None = None, private: list[str] | None = None
    ) -> HttpAnswer:
        try:
            return await change(self._http, method, target, said=error_text, body=body, private=private or [])
        except FateUnknownError as error:
            raise FateUnknownError(f"{error}; {LOOK}") from error

    async def _page(self, query: Mapping[str, str]) -> Page:
        page = decoded(require_success(await ask(self._http, "GET", "/phone-number", params=query)))
        if not isinstance(page, list) or not all(isinstance(each, Mapping) for each in page):
            raise ProviderUnavailableError("the list of numbers is no array of objects")
        return page


def _number(answer: HttpAnswer) -> PhoneNumber:
    """The number in the answer to a change. Raises `FateUnknownError`: done, but nobody can say to which number."""
    number = _described(answer)
    if number is None:
        raise FateUnknownError(f"{answer.status} without a number's id; {LOOK}")
    return number


def _described(answer: HttpAnswer) -> PhoneNumber | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    number = number_of(body) if isinstance(body, Mapping) else None
    return number if number is not None and number.id else None
