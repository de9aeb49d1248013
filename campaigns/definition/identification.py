"""What the assistant says of itself: whose call it is, that it is a machine, and how to be left alone."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from campaigns.compliance.numbers import NUM_INVALID, NUM_N11, NUM_PREMIUM, is_fictional, number_class
from campaigns.definition.base import Block
from campaigns.definition.findings import flaw
from campaigns.definition.values import Text

_UNFIT = {
    NUM_INVALID: "no such number exists",
    NUM_N11: "this is a service number",
    NUM_PREMIUM: "a number that costs the caller is forbidden here (47 CFR 64.1200(b)(2))",
}


def _callback_number(value: Any) -> str:
    allowed = "an ordinary or toll-free number with + and country code, such as +18005550100"
    number = str(value).replace(" ", "").replace("-", "")
    problem = None if is_fictional(number) else number_class(number, fictional_allowed=True)
    if problem in _UNFIT:
        raise flaw(_UNFIT[problem], allowed=allowed)
    return number


CallbackNumber = Annotated[
    str, PlainValidator(_callback_number), WithJsonSchema({"type": ["string", "number"], "pattern": "^[+0-9 -]+$"})
]


class Identification(Block):
    """What the assistant's settings have it say in every call (47 CFR 64.1200(b)). Required of sales calls."""

    entity: Text | None = None
    """The registered name of the company responsible for the call, said at its beginning."""
    callback_number: CallbackNumber | None = None
    """The number said during or after the message, at which do-not-call requests are taken in business hours."""
    ai_notice: bool = False
    """Whether its first sentence says that an artificial voice speaks."""
    opt_out: Text | None = None
    """What the person says or presses to be left alone, offered within two seconds, such as "say stop or press 9"."""

    def missing(self) -> Iterator[tuple[str, str]]:
        """The keys that state nothing, with what each is to state."""
        if self.entity is None:
            yield "entity", "the registered name of the company responsible, said at the beginning"
        if self.callback_number is None:
            yield "callbackNumber", "the number that takes do-not-call requests"
        if not self.ai_notice:
            yield "aiNotice", "true: the first sentence says that an artificial voice speaks"
        if self.opt_out is None:
            yield "optOut", "what the person says or presses to be left alone"
