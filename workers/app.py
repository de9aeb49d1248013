"""The Celery application: `celery -A workers.app worker|beat|flower`.

Importing it connects to nothing. The broker's address is asked for when Celery first needs its configuration.
"""

from typing import Any

from celery import Celery

from campaigns.runtime.addresses import find_addresses
from config.celery_settings import CELERY_SETTINGS
from workers.beat import TICKS, beat_schedule


def _configuration() -> dict[str, Any]:
    return CELERY_SETTINGS | {"broker_url": find_addresses().redis_url, "beat_schedule": beat_schedule(TICKS)}


app = Celery(
    "ringfence",
    include=["workers.tasks", "workers.lifecycle"],
    task_cls="workers.patience:PatientTask",
    set_as_current=False,
)
app.add_defaults(_configuration)
