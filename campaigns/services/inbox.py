"""Webhooks: taken in by the web process, applied in batches by a worker. Twice, late or out of order does no harm."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from campaigns.providers.contract import NO_ARTIFACTS, CallReport, Receipt
from campaigns.services.account_notes import note_ends
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorded, Recorder
from campaigns.services.report_json import from_json, to_json
from campaigns.store import inbox as rows

log = logging.getLogger(__name__)

BATCH = 200
"""Receipts a transaction."""


class Intake:
    """The door: a receipt is committed, or the provider does not hear 2xx."""

    def __init__(self, engine: Engine, *, keeps_conversations: bool = True) -> None:
        """`keeps_conversations` False: what was said is not written down anywhere, not even until it is applied."""
        self._engine = engine
        self._keeps_conversations = keeps_conversations

    def accept(self, account: str, receipt: Receipt) -> bool:
        """Store the receipt; False when the same event had been stored before."""
        return self.accept_all([(account, receipt)]) == 1

    def accept_all(self, arrived: Sequence[tuple[str, Receipt]]) -> int:
        """Store receipts of accounts that came together, in one transaction; returns how many were new."""
        in_order = sorted(arrived, key=lambda each: (each[0], each[1].dedupe_key))  # two web processes, one lock order
        with self._engine.begin() as connection:
            return rows.put(connection, [self._row(account, receipt) for account, receipt in in_order])

    def _row(self, account: str, receipt: Receipt) -> rows.NewReceipt:
        if receipt.report is None or self._keeps_conversations:
            return _row(account, receipt, receipt.report)
        return _row(account, receipt, replace(receipt.report, artifacts=NO_ARTIFACTS))


def _row(account: str, receipt: Receipt, report: CallReport | None) -> rows.NewReceipt:
    return rows.NewReceipt(
        account=account,
        dedupe_key=receipt.dedupe_key,
        event_type=receipt.event_type,
        attempt_id=report.attempt_id if report else None,
        provider_call_id=report.provider_call_id if report else None,
        report=to_json(report) if report else None,
        caller=receipt.caller,
    )


class Inbox:
    """Apply what the door took in."""

    def __init__(self, engine: Engine, recorder: Recorder, publisher: Publisher) -> None:
        self._engine = engine
        self._recorder = recorder
        self._publisher = publisher

    def process(self) -> int:
        """Apply everything that is due, batch by batch; returns how many receipts were applied."""
        applied = 0
        while True:
            taken, done = self._batch()
            applied += done
            if taken < BATCH:
                return applied

    def _batch(self) -> tuple[int, int]:
        """Returns how many receipts were taken, and how many of them applied."""
        receipts: Sequence[rows.InboxRow] = ()
        try:
            with self._engine.begin() as connection:
                receipts = rows.lock_waiting(connection, most=BATCH)
                recorded, done = self._apply(connection, receipts)
        except OperationalError:
            raise
        except Exception:
            if not receipts:
                raise
            # One receipt spoils the batch: apply this very batch one by one, so that only that one is held up.
            log.exception("inbox_batch_failed receipts=%d", len(receipts))
            return len(receipts), sum(self._one(receipt.id) for receipt in receipts)
        self._ask_for_feeds(recorded)
        return len(receipts), done

    def _one(self, inbox_id: int) -> int:
        try:
            with self._engine.begin() as connection:
                recorded, done = self._apply(connection, rows.lock_one(connection, inbox_id))
        except OperationalError:
            raise
        except Exception:
            log.exception("receipt_set_aside inbox_id=%d", inbox_id)
            with self._engine.begin() as connection:
                rows.put_off(connection, [inbox_id])
            return 0
        self._ask_for_feeds(recorded)
        return done

    def _apply(self, connection: Connection, receipts: Sequence[rows.InboxRow]) -> tuple[Recorded, int]:
        attempts = rows.match(connection, receipts) if receipts else {}
        recorded = self._recorder.apply(connection, _facts(receipts, attempts))
        rows.done(connection, list(attempts))
        if unknown := [row.id for row in receipts if row.id not in attempts]:
            rows.put_off(connection, unknown)
        return recorded, len(attempts)

    def _ask_for_feeds(self, recorded: Recorded) -> None:
        note_ends(self._engine, recorded.ends)
        for limit_group in recorded.freed:
            self._publisher.request_feed(limit_group)


def _facts(receipts: Sequence[rows.InboxRow], attempts: Mapping[int, UUID]) -> list[Fact]:
    return [Fact(attempts[row.id], from_json(row.report)) for row in receipts if row.id in attempts]
