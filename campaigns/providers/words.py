"""A provider's own words, made fit to be kept."""

MOST_CHARACTERS = 200


def writable(words: str) -> str:
    """At most 200 characters of it, without what Postgres and UTF-8 cannot hold: NUL and lone surrogates become `?`.

    JSON carries both as escapes, so any provider's body may bring them in.
    """
    return words[:MOST_CHARACTERS].encode(errors="replace").decode().replace("\0", "?")
