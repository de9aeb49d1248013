"""What the name of a do-not-call list says of it."""

import re

_STATE_LIST = re.compile(r"US-[A-Z]{2}")


def is_state_list(list_name: str) -> bool:
    """Whether this is a state's own do-not-call list, such as `US-FL`, which binds sales calls alone."""
    return bool(_STATE_LIST.fullmatch(list_name))
