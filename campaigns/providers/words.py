"""A provider's own words, made fit to be kept."""

MOST_CHARACTERS = 200
MOST_TRANSCRIPT = 1_000_000
"""Characters; an hour of talk is some 60,000."""


def writable(words: str) -> str:
    """At most 200 characters of it, as `writable_text`."""
    return writable_text(words, most=MOST_CHARACTERS)


def writable_text(words: str, *, most: int) -> str:
    """The first `most` characters, without what Postgres and UTF-8 cannot hold: NUL and lone surrogates become `?`.

    JSON carries both as escapes, so any provider's body may bring them in.
    """
    return words[:most].encode(errors="replace").decode().replace("\0", "?")
