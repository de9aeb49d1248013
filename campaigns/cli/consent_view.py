"""What the `consent` commands print."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.services.callers import INBOUND_CALL
from campaigns.services.consent import ImportedConsents, OneNumber
from campaigns.services.opt_out import CALL_CHANNEL
from campaigns.services.revoke import Revoked
from campaigns.store.revocations import RevocationOnRecord


def tell_import(imported: ImportedConsents, *, file: Path, as_json: bool) -> None:
    """How an import went, with the first rejects."""
    if as_json:
        counts = {"rows": imported.rows, "recorded": imported.recorded, "known": imported.known}
        print_json(
            {
                "file": file.name,
                "sha256": imported.sha256,
                **counts,
                "rejected": imported.rejected,
                "rejects": [
                    {"row": each.row_number, "reason": each.reason, "message": each.message}
                    for each in imported.rejects
                ],
                "unread_columns": imported.unread_columns,
            }
        )
        return
    console = notes()
    for each in imported.rejects:
        console.print(f"[yellow]row {each.row_number}:[/] {plain(each.message)}", soft_wrap=True)
    if imported.rejected > len(imported.rejects):
        console.print(f"and {imported.rejected - len(imported.rejects)} more; `--rejects FILE` writes them all")
    if imported.unread_columns:
        headers = plain(", ".join(imported.unread_columns))
        console.print(f"[yellow]not read:[/] {headers}; `--column KEY=HEADER` reads a column", soft_wrap=True)
    console.print(f"{imported.recorded} consents recorded, {imported.known} known before, {imported.rejected} rejected")


def tell_revoked(revoked: Revoked, *, as_json: bool) -> None:
    """What a revocation did, with both instants."""
    if as_json:
        print_json(asdict(revoked))
        return
    what = revoked.scope if revoked.scope_value is None else f"{revoked.scope} {revoked.scope_value}"
    console = notes()
    console.print(f"revocation {revoked.revocation_id} ({plain(what)}): {revoked.calls_blocked} waiting calls blocked")
    if revoked.asked_back:
        console.print(f"{revoked.asked_back} calls may wait at a provider; they are cancelled there if nobody was rung")
    console.print(
        f"received {revoked.received_at.isoformat()}; since {revoked.returned_at.isoformat()} no request can leave"
    )


def show_number(number: str, found: OneNumber, *, as_json: bool) -> None:
    """Consents, revocations and calls asked back of one number."""
    if as_json:
        print_json(
            {
                "number": number,
                "consents": [{**asdict(each), "ended_by": found.ended_by(each)} for each in found.consents],
                "revocations": [asdict(each) for each in found.revocations],
                "asked_back": [asdict(each) for each in found.asked_back],
            }
        )
        return
    console = answers()
    for line in _lines(found):
        console.print(plain(line), soft_wrap=True)


def _lines(found: OneNumber) -> Iterator[str]:
    if not found.consents:
        yield "no consent is on record"
    for consent in found.consents:
        ended = found.ended_by(consent)
        until = f", until {consent.expires_at.isoformat()}" if consent.expires_at else ""
        yield (
            f"consent {consent.id}: {consent.level} for {consent.seller}, {consent.purpose or 'any purpose'}, "
            f"obtained {consent.obtained_at.isoformat()}{until}"
            + (f"; taken back by revocation {ended}" if ended is not None else "")
        )
        origin = {"source": consent.source, "campaign": consent.campaign, "row": consent.row_number}
        known: dict[str, Any] = {**origin, "sha256": consent.source_digest, **consent.evidence}
        yield "  " + ", ".join(f"{key}: {value}" for key, value in known.items() if value is not None)
    for each in found.revocations:
        what = each.scope if each.scope_value is None else f"{each.scope} {each.scope_value}"
        words = f' "{each.words}"' if each.words else ""
        yield (
            f"revocation {each.id}: {what}, by {each.channel}{words}, effective {each.effective_at.isoformat()}, "
            + _since(each)
        )
    for cancel in found.asked_back:
        state = (
            cancel.settled_as or f"still tried, {cancel.tries} times so far ({cancel.last_error or 'no answer yet'})"
        )
        yield f"call asked back from its provider, attempt {cancel.attempt_id}: {state}"


def _since(revocation: RevocationOnRecord) -> str:
    if revocation.returned_at is not None:
        return f"no request since {revocation.returned_at.isoformat()}"
    spoken = revocation.channel in (CALL_CHANNEL, INBOUND_CALL)
    return "with its call" if spoken else "its command was interrupted; run it again to know that it is done"
