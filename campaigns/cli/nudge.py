"""Telling the workers that there is something new. Only a courtesy: a tick finds it within two seconds anyway."""

import logging

from campaigns.runtime.addresses import Addresses
from campaigns.services.ports import PublishError

log = logging.getLogger(__name__)


def nudge_launch(addresses: Addresses) -> None:
    """Ask for launches now; a broker that does not answer is no failure of the command."""
    from campaigns.runtime.publisher import publisher_at  # late: Celery takes half a second to import

    try:
        publisher_at(addresses.redis_url).request_launch()
    except PublishError as error:
        log.warning("nudge_lost subject=launch error=%s", error)
