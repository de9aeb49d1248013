"""What follows from a conversation, or from a call back: who is not called again, and who never."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from campaigns.calls.conversation import Conversation, word_of
from campaigns.definition.base import Block
from campaigns.definition.findings import flaw
from campaigns.definition.values import Disposition, Text

ALWAYS_OPT_OUT: Final = frozenset({"opt_out", "do_not_call"})
"""Dispositions that are an opt-out in every campaign, whatever its file says: it may be stricter, never looser."""


def _word(value: Any) -> str:
    word = word_of(value)
    if word is None:
        raise flaw("an answer is compared as one word", allowed="true, false or one word such as do_not_call")
    return word


_Word = Annotated[str, PlainValidator(_word), WithJsonSchema({"type": ["string", "boolean"]})]


def _no_number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Key = Annotated[Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"], BeforeValidator(_no_number)]


class StopWhen(Block):
    """What ends the calling of a customer before the attempts are spent."""

    dispositions: Annotated[tuple[Disposition, ...], Field(max_length=100)] = ()
    """What the conversation achieved, such as booked or callback_agreed."""
    inbound_call: bool = False
    """Whether a call from the customer to one of our lines does."""

    def ends_with(self, disposition: str | None) -> bool:
        """Whether a conversation with this disposition ends the calling of its customer."""
        return disposition is not None and disposition in {word_of(word) for word in self.dispositions}


class OptOut(Block):
    """What in a conversation takes consent back. The dispositions opt_out and do_not_call always do."""

    dispositions: Annotated[tuple[Disposition, ...], Field(max_length=100)] = ()
    """Further dispositions that do, such as never_again."""
    structured_data: Annotated[dict[Text, _Word], Field(max_length=50)] = Field(default_factory=dict)
    """Fields of the assistant's structured data and the answer that does, such as wantsNoCalls: true."""
    keys: Annotated[tuple[_Key, ...], Field(max_length=12)] = ()
    """Keys that do when the person presses one of them."""
    scope: Literal["all", "seller", "purpose", "campaign"] = "all"
    """What the opt-out covers: every call, those for this seller, of this purpose, or of this campaign only."""

    def heard_in(self, conversation: Conversation) -> str | None:
        """What in the conversation was the opt-out, for the record; None: nothing was."""
        opting_out = ALWAYS_OPT_OUT | {word_of(word) for word in self.dispositions}
        if conversation.disposition is not None and conversation.disposition in opting_out:
            return f"disposition {conversation.disposition}"
        for name, word in self.structured_data.items():
            if conversation.answers.get(name) == word:
                return f"{name}: {word}"
        pressed = next((key for key in conversation.keys if key in self.keys), None)
        return f"key {pressed}" if pressed is not None else None
