"""What an audit against the provider found, as numbers."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One account, one span of time: what its provider and our record say of each other.

    Calls of the provider: `calls` = `matched` + `foreign` + strays of this span. Attempts of ours: each is at the
    provider, or counted in `held`, `missing` or `unproven`.
    """

    account: str
    since: datetime
    until: datetime
    """Calls and attempts of the last minutes are in motion, and left to the next audit."""
    proven_until: datetime
    """Up to here every list could be had in full."""
    lists_calls: bool
    """False: the provider lists nothing; each attempt's call was asked after, and strays cannot be seen."""
    calls: int = 0
    matched: int = 0
    """Calls that belong to exactly one attempt."""
    foreign: int = 0
    """Calls to our numbers, and outgoing ones on lines that no campaign of ours uses."""
    found: int = 0
    """Attempts of unknown fate whose call turned up in this audit."""
    absent: int = 0
    """Attempts of unknown fate that are not at the provider at this look."""
    held: int = 0
    """Attempts whose fate is still unknown: a person decides."""
    strays: int = 0
    """Calls that no attempt explains and no person has resolved, of this account, whenever they were found."""
    new_strays: int = 0
    missing: int = 0
    """Attempts whose call the provider does not know."""
    shared: int = 0
    """Calls that more than one attempt claims."""
    unproven: int = 0
    """Attempts about which the provider gave no answer this time."""
    gaps: int = 0
    """Stretches of time whose list could not be had in full."""

    @property
    def explained(self) -> bool:
        """Whether nothing is left that a person has to look at."""
        return not (self.held or self.strays or self.missing or self.shared or self.unproven or self.gaps)

    @property
    def proves_all(self) -> bool:
        """Whether every call of the provider's is accounted for, too; impossible where nothing can be listed."""
        return self.lists_calls and self.explained

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self) | {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "proven_until": self.proven_until.isoformat(),
            "explained": self.explained,
        }
