"""Answers of the reassigned-numbers database: append-only, each on record once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """Whether a number was given up after `asked_since`, as told at `answered_at`."""

    number: str
    asked_since: date
    answer: str
    answered_at: datetime


def add_answers(connection: Connection, answers: Sequence[NewAnswer], *, source: str, operator: str) -> int:
    """Put them on record; returns how many were new."""
    added = connection.execute(
        text("""
            INSERT INTO reassigned_answers (number, asked_since, answer, answered_at, source, recorded_by)
            SELECT n.number, n.asked_since, n.answer, n.answered_at, :source, :operator
            FROM unnest(CAST(:numbers AS text[]), CAST(:dates AS date[]), CAST(:answers AS text[]),
                CAST(:instants AS timestamptz[])) AS n(number, asked_since, answer, answered_at)
            ON CONFLICT DO NOTHING
        """),
        {
            "source": source,
            "operator": operator,
            "numbers": [each.number for each in answers],
            "dates": [each.asked_since for each in answers],
            "answers": [each.answer for each in answers],
            "instants": [each.answered_at for each in answers],
        },
    )
    return added.rowcount
