"""`consent import`, `add`, `show`, `revoke`: who agreed to what, and who took it back."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from campaigns.cli.consent_view import show_number, tell_import, tell_revoked
from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption, instant_option
from campaigns.cli.output import notes, print_json
from campaigns.cli.session import open_session, wait
from campaigns.compliance.revocations import RevocationScope
from campaigns.customers.consent_row import KEYS, NO_REGION_IN_LISTS
from campaigns.customers.phone import NO_REGION, PhoneProblem, normalize
from campaigns.files.customer_problems import CustomerFileError
from campaigns.services.consent import (
    OWN_HEADERS,
    ConsentRefusedError,
    ImportConsents,
    Layout,
    add_consent,
    on_record,
)
from campaigns.services.revoke import RevocationRefusedError, Revoke

consent = typer.Typer(help="Records of consent, and revocations.", no_args_is_help=True)

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="The phone number, such as +12025550123.")]
RegionOption = Annotated[
    str | None, typer.Option("--default-region", help="Country of numbers without a + sign, such as US.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    consent.command("import")(import_file)
    for command in (add, show, revoke):
        consent.command(command.__name__)(command)
    app.add_typer(consent, name="consent")


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSONL; docs/consent.md has the columns.")],
    column: Annotated[
        list[str] | None, typer.Option(help="Another header, such as --column number=phone; can be given again.")
    ] = None,
    seller: Annotated[str | None, typer.Option(help="Whom the consents name, for rows without a seller.")] = None,
    source: Annotated[str | None, typer.Option(help="How they were given, for rows without a source.")] = None,
    default_region: RegionOption = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows that are no consent here, as CSV.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put a list of consents on record; rows that prove nothing are named. The same list again adds nothing."""
    defaults = {key: text for key, text in (("seller", seller), ("source", source)) if text}
    layout = Layout(_columns(column or []), defaults, _region(default_region))
    with open_session() as session:
        try:
            imported = ImportConsents(session.engine, layout, operator=session.operator).run(file, rejects_path=rejects)
        except CustomerFileError as error:
            raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT) from None
    tell_import(imported, file=file, as_json=as_json)
    if imported.rejected:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def add(
    number: NumberArgument,
    level: Annotated[str, typer.Option(help="pewc (written) or pec (express).")],
    obtained_at: Annotated[str, typer.Option(help="When, with its offset, such as 2026-09-01T12:00:00-05:00.")],
    source: Annotated[str, typer.Option(help="How it was given: the form, recording or contract that proves it.")],
    seller: Annotated[str, typer.Option(help="Whom it names.")],
    purpose: Annotated[str, typer.Option(help="What for; every purpose of its level when left out.")] = "",
    expires_at: Annotated[str, typer.Option(help="When it ends, if it does.")] = "",
    evidence_sha256: Annotated[str, typer.Option("--evidence-sha256", help="SHA-256 of the proof itself.")] = "",
    default_region: RegionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put one consent on record."""
    values = {
        "number": number,
        "level": level,
        "obtainedAt": obtained_at,
        "source": source,
        "seller": seller,
        "purpose": purpose,
        "expiresAt": expires_at,
        "evidenceSha256": evidence_sha256,
    }
    region = _region(default_region)
    with open_session() as session:
        try:
            added = add_consent(session.engine, values, default_region=region, operator=session.operator)
        except ConsentRefusedError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.BAD_INPUT) from None
    if as_json:
        print_json({"added": added})
    else:
        notes().print("on record" if added else "this very consent was on record before; nothing was changed")


def show(number: NumberArgument, default_region: RegionOption = None, as_json: JsonOption = False) -> None:
    """Everything on record of one number: consents with their evidence, revocations with both instants."""
    e164 = _number(number, default_region)
    with open_session() as session:
        show_number(e164, on_record(session.engine, e164), as_json=as_json)


def revoke(
    number: NumberArgument,
    scope: Annotated[str, typer.Option(help="all, seller, purpose or campaign.")] = "all",
    value: Annotated[str | None, typer.Option(help="Which seller, purpose or campaign.")] = None,
    channel: Annotated[str, typer.Option(help="How the person said so: letter, e-mail, text, visit …")] = "operator",
    words: Annotated[str | None, typer.Option(help="What they said or pressed.")] = None,
    received_at: Annotated[
        str | None, typer.Option(help="When, if earlier than now, such as 2026-11-01T12:00:00-05:00.")
    ] = None,
    default_region: RegionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take consent back. When this returns, about a second later, no request to the number can leave any more."""
    e164, instant = _number(number, default_region), instant_option(received_at, option="--received-at")
    if scope not in get_args(RevocationScope):
        known = ", ".join(get_args(RevocationScope))
        raise CommandError(f"--scope {scope}: choose one of {known}.", exit_code=ExitCode.BAD_INPUT)
    with open_session() as session:
        try:
            revoked = Revoke(session.engine, operator=session.operator, wait=wait).run(
                e164,
                scope=cast("RevocationScope", scope),
                value=value,
                channel=channel,
                words=words,
                received_at=instant,
            )
        except RevocationRefusedError as error:
            raise CommandError(f"{error}; nothing was changed.", exit_code=ExitCode.BAD_INPUT) from None
    tell_revoked(revoked, as_json=as_json)


def _columns(given: list[str]) -> dict[str, str]:
    columns = dict(OWN_HEADERS)
    for each in given:
        key, _, header = each.partition("=")
        if key not in columns or not header:
            raise CommandError(
                f"--column {each}: write it as KEY=HEADER, KEY being one of {', '.join(KEYS)}.",
                exit_code=ExitCode.BAD_INPUT,
            )
        columns[key] = header
    return columns


def _region(text: str | None) -> str | None:
    from phonenumbers import SUPPORTED_REGIONS  # late: the metadata of all regions takes a fifth of a second

    if text is not None and text not in SUPPORTED_REGIONS:
        raise CommandError(
            f"--default-region {text}: give a country's two letters, such as US.", exit_code=ExitCode.BAD_INPUT
        )
    return text


def _number(text: str, default_region: str | None) -> str:
    number = normalize(text, default_region=_region(default_region))
    if isinstance(number, PhoneProblem):
        message = NO_REGION_IN_LISTS if number == NO_REGION else number.message
        allowed = "a number such as +12025550123"
        item = problem(message, path="NUMBER", found="a value that is not shown", allowed=allowed)
        raise CommandError(f"{message}.", exit_code=ExitCode.BAD_INPUT, problems=[item])
    return number
