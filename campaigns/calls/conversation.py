"""What a conversation achieved, as its assistant reports it: single words, never what was said.

Every provider's reports come down to this, so that an opt-out or a disposition is read in one way whoever carried the
call. Text of several sentences, numbers of a phone's length and nested answers are left out when it is made.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_FIELDS = 50
"""Structured answers kept of one call; a longer form holds no opt-out that the first ones do not."""
_LONGEST = 63
_MOST_PARTS = 4
"""`do_not_call_again` is a word; what has more parts is a sentence."""
_MANY_DIGITS = re.compile(r"\d{5}")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""What Postgres holds in no text. A field so named is left out: it must not cost us the report that it is in."""
_WORD = re.compile(r"[a-z0-9][a-z0-9_.]*")
_GAPS = re.compile(r"[\s-]+")
_SAME: Final = {"yes": "true", "no": "false"}


@dataclass(frozen=True, slots=True)
class Conversation:
    """All three parts may be empty: then the report said nothing of the conversation."""

    disposition: str | None = None
    """One word, such as `booked` or `opt_out`, as `word_of` spells it."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Structured answers by the name of their field, each one word as `word_of` spells it."""
    keys: str = ""
    """Keys that the person pressed, in order."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of it."""
        return not (self.disposition or self.answers or self.keys)


SILENCE: Final = Conversation()


def word_of(value: object) -> str | None:
    """A report's value as one word in small letters, or None for anything longer or personal.

    `True`, "Yes" and "true" are the word `true`; "Do not call", "do-not-call" and "DO_NOT_CALL" are `do_not_call`. What
    has five digits in a row may be a phone number, a ZIP or a date and is none.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    word = _GAPS.sub("_", value.strip()).casefold()
    if _WORD.fullmatch(word) is None or _MANY_DIGITS.search(word) or word.count("_") >= _MOST_PARTS:
        return None
    return _SAME.get(word, word)


def answers_of(given: Mapping[str, object]) -> dict[str, str]:
    """Those of the structured answers that are one word."""
    words = {name: word for name, value in given.items() if _is_name(name) and (word := word_of(value))}
    return dict(list(words.items())[:MOST_FIELDS])


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST and _UNWRITABLE.search(name) is None


def joined(parts: Iterable[Conversation]) -> Conversation:
    """What several reports of one call say together; where they differ, the later one is right."""
    said = [part for part in parts if not part.is_empty]
    if not said:
        return SILENCE
    return Conversation(
        disposition=next((part.disposition for part in reversed(said) if part.disposition), None),
        answers={name: word for part in said for name, word in part.answers.items()},
        keys="".join(part.keys for part in said),
    )
