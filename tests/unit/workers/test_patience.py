"""Which errors of a task are told as errors."""

import os
import subprocess
import sys

import psycopg
import pytest
from celery import Celery
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workers.patience import PatientTask

app = Celery("test", task_cls=PatientTask, set_as_current=False)


@app.task(name="look", shared=False)  # shared, it would be in the product's app as well
def look(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("SELECT", {}, psycopg.errors.LockNotAvailable("held")), "LockNotAvailable"),
        (OperationalError("SELECT", {}, psycopg.errors.DiskFull("no space left")), "DiskFull"),
        (PoolTimeoutError(), "TimeoutError"),
    ],
)
def test_what_passes_is_one_line_without_a_word_of_the_statement(
    error: Exception, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    look(error)
    assert caplog.messages == [f"task_put_off task=look cause={cause}"]
    assert not any(record.exc_info for record in caplog.records)


def test_what_lies_in_a_row_is_raised() -> None:
    with pytest.raises(DataError):
        look(DataError("SELECT", {}, psycopg.errors.NumericValueOutOfRange("too large")))


def test_our_own_faults_are_raised() -> None:
    with pytest.raises(KeyError):
        look(KeyError("nowhere"))


def test_every_task_is_patient() -> None:
    """Asked in a process of its own: a task makes its application read the broker's address, once for all."""
    look = "from workers import patience, tasks; print(isinstance(tasks.rescue, patience.PatientTask))"
    nowhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    told = subprocess.run(
        [sys.executable, "-c", look], env=os.environ | nowhere, capture_output=True, text=True, check=True
    )
    assert told.stdout == "True\n"
