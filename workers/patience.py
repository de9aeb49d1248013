"""What the database cannot do at this moment, a tick asks for again: that is neither an error nor a traceback.

While Postgres is away a dozen ticks a second fail, and a lock that is held for a second is an ordinary thing.
"""

import logging
from typing import TYPE_CHECKING, Any

from celery import Task
from sqlalchemy.exc import DBAPIError

from campaigns.services.passing import passes

if TYPE_CHECKING:
    _Task = Task[..., Any]
else:
    _Task = Task

log = logging.getLogger(__name__)


class PatientTask(_Task):
    """Every task of ours. Errors that lie in the rows themselves do not pass, and are raised."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run; log what put the task off as one line."""
        try:
            return super().__call__(*arguments, **options)
        except Exception as error:
            if not passes(error):
                raise
            cause = error.orig if isinstance(error, DBAPIError) else error
            log.warning("task_put_off task=%s cause=%s", self.name, type(cause).__name__)
