"""`test-call`: hear the assistant with the variables of a real row, on a phone of your own."""

from typing import Annotated

import typer

from campaigns.cli.calls_create_command import checked_number
from campaigns.cli.campaign_file import CampaignFile, problem_of, read_campaign_file
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.failures import with_problems
from campaigns.cli.follow_calls import stay
from campaigns.cli.options import CampaignFileArgument, JsonOption
from campaigns.cli.session import Session, open_session
from campaigns.cli.single_call_times import DEFAULT_WITHIN, when_soon
from campaigns.definition.problems import DefinitionError
from campaigns.files.customer_problems import CustomerFileError
from campaigns.services.own_number_call import (
    IDENTIFICATION_REASON,
    RowUnusableError,
    consent_since,
    document_for,
    read_list_row,
)
from campaigns.services.single_call import TEST, SingleCall, SubmittedCall
from campaigns.services.submit import SubmitRefusedError
from config.settings_model import MOST_TEST_NUMBERS


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("test-call")(call_own_number)


def call_own_number(
    file: CampaignFileArgument,
    row: Annotated[int, typer.Option(min=1, help="Row of the customer list, from 1, the header not counted.")],
    to: Annotated[str, typer.Option(metavar="MY_NUMBER", help="A number of testNumbers in ringfence.toml.")],
    within: Annotated[str, typer.Option(metavar="DURATION", help="For how long from now on it may be tried.")] = (
        DEFAULT_WITHIN
    ),
    rehearse_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Simulator accounts only: as if it were then.")
    ] = None,
    withdraw_after: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Cancel it if no worker is there for so long.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is over.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Hear a campaign's assistant with the variables of row N, on a phone of your own.

    The call goes through the gate: the hours of your number's zone, suppressions, revocations, the gap between calls
    and `stop --all` hold. The row's own number is never dialed, and its person's caps are not touched.

    Which numbers may be called so stands in ringfence.toml: testNumbers = ["+12025550123"], at most ten, all your own.

    Example: ringfence test-call spring.yaml --row 3 --to +12025550123
    """
    campaign = read_campaign_file(file)
    number = checked_number(to)
    with open_session() as session:
        _require_own(session, number)
        try:
            submitted = _submitted(session, campaign, row, number, within=within, rehearse_at=rehearse_at)
        except CustomerFileError as error:
            raise with_problems("the customer list", [problem_of(error, folder=campaign.path.parent)]) from None
        except RowUnusableError as error:
            raise CommandError(f"--row: {error}.", exit_code=ExitCode.BAD_INPUT) from None
        except SubmitRefusedError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.REFUSED) from None
        stay(session, submitted, withdraw_after=withdraw_after, to_the_end=wait, as_json=as_json)


def _submitted(
    session: Session, campaign: CampaignFile, row: int, number: str, *, within: str, rehearse_at: str | None
) -> SubmittedCall:
    definition = campaign.definition
    singles = SingleCall(session.engine, operator=session.operator)
    singles.require_open(definition.account)
    when = when_soon(singles, within=within, rehearse_at=rehearse_at)
    since = consent_since(session.engine, number, seller=definition.seller)
    # A rehearsal may play in a time before today's consent; nobody is called there.
    consent_at = since and min(since, when.earliest_at)
    document = document_for(
        definition, read_list_row(definition, campaign.customers_path, row), number=number, consent_at=consent_at
    )
    try:
        return singles.submit(
            document,
            when,
            prefix=TEST,
            identification_reason=IDENTIFICATION_REASON,
            remark=f"row {row} of {definition.campaign}",
        )
    except DefinitionError as error:
        # The file itself was sound, so it is the row's values that do not fit.
        found = error.problems[0]
        raise RowUnusableError(f"row {row} does not fit: {found.path}: {found.message}") from None


def _require_own(session: Session, number: str) -> None:
    """Raises `CommandError`: this number is not on the short list."""
    if number in session.settings.test_numbers:
        return
    place = session.settings.file or "ringfence.toml"
    raise CommandError(
        f"--to: this number is not among testNumbers in {place}; if it is a phone of your own, add it there, as in "
        f'testNumbers = ["+12025550123"] (at most {MOST_TEST_NUMBERS}, above the first [section]), and run this again.',
        exit_code=ExitCode.REFUSED,
    )
