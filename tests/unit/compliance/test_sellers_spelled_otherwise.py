"""A revocation for one seller holds however the seller's name was typed: nobody hears a difference that nobody sees."""

import unicodedata
from datetime import UTC, datetime

import pytest

from campaigns.compliance.facts import Purpose, Revocation
from campaigns.compliance.revocations import Subject, covers

SELLER = "Café Énergie, Inc."


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(unicodedata.normalize("NFD", SELLER), id="decomposed accents"),
        pytest.param("Café  Énergie, Inc.", id="two blanks"),
        pytest.param("Café\u00a0Énergie, Inc.", id="no-break space"),
    ],
)
def test_a_revocation_covers_the_seller_whatever_the_blanks_and_accents_are_made_of(typed: str) -> None:
    revocation = Revocation("seller", typed, datetime(2026, 11, 1, tzinfo=UTC))
    assert covers(revocation, Subject("spring", Purpose.TELEMARKETING, SELLER))
