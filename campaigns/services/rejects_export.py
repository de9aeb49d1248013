"""Rejects of a campaign as a file that their owner can mend and submit again."""

from pathlib import Path

from sqlalchemy import Engine

from campaigns.files.reject_file import RejectFile
from campaigns.services.control import UnknownCampaignError
from campaigns.store.campaigns import campaign_names, find_campaign
from campaigns.store.status import rejects_of


def export_rejects(engine: Engine, name: str, path: Path) -> int:
    """Write the rejects of the campaign's newest run. Returns how many there are. Raises `UnknownCampaignError`."""
    with engine.connect() as connection:
        campaign = find_campaign(connection, name)
        if campaign is None:
            raise UnknownCampaignError(name, known=campaign_names(connection))
        count = 0
        with RejectFile(path) as file:
            for each in rejects_of(connection, campaign.latest_run_id):
                file.add(each.row_number, reason=each.reason, detail=each.detail, original=each.original)
                count += 1
    return count
