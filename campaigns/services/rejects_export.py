"""Rejects as a file that their owner can mend and submit again."""

import csv
from pathlib import Path

from sqlalchemy import Engine

from campaigns.services.control import UnknownCampaignError
from campaigns.store.campaigns import campaign_names, find_campaign
from campaigns.store.status import rejects_of

HEADER = ("row", "reason", "detail", "original")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_rejects(engine: Engine, name: str, path: Path) -> int:
    """Write the rejects of the campaign's newest run as CSV. Returns how many there are.

    The file holds the original rows, so it is readable by its owner alone. Raises `UnknownCampaignError`.
    """
    with engine.connect() as connection:
        campaign = find_campaign(connection, name)
        if campaign is None:
            raise UnknownCampaignError(name, known=campaign_names(connection))
        path.touch(mode=0o600)
        count = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for reject in rejects_of(connection, campaign.latest_run_id):
                writer.writerow(
                    (reject.row_number, reject.reason, _harmless(reject.detail), _harmless(reject.original))
                )
                count += 1
    return count


def _harmless(text: str) -> str:
    """A spreadsheet must show what stands there, not run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
