"""Who may see what of people: a courtesy among those who share an installation, not a wall.

Whoever holds the database's password can read the tables; what is on record about looks is what was asked through
these commands. The database's own roles are the wall.
"""

from enum import StrEnum


class Role(StrEnum):
    """From least to most."""

    VIEWER = "viewer"
    """Numbers, states, outcomes, costs; nobody's name, no conversation."""
    OPERATOR = "operator"
    """Also numbers and names in full, summaries and what each part of a call cost."""
    COMPLIANCE = "compliance"
    """Also transcripts and recordings."""

    @property
    def sees_people(self) -> bool:
        """Numbers and names in full."""
        return self is not Role.VIEWER


def masked_number(number: str) -> str:
    """All that a viewer sees of a number: its last two digits."""
    return f"…{number[-2:]}"
