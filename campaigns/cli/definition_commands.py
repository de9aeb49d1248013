"""`validate`, `schema`, `submit`: the campaign file."""

from typing import Annotated

import typer

from campaigns.cli.campaign_file import CampaignFile, problem_of, read_campaign_file
from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.failures import with_problems
from campaigns.cli.nudge import nudge_launch
from campaigns.cli.options import CampaignFileArgument, JsonOption
from campaigns.cli.output import notes, print_json
from campaigns.cli.session import open_session
from campaigns.definition import PendingKey, json_schema, pending_keys
from campaigns.definition.assistant import provider_of
from campaigns.definition.model import CampaignDefinition
from campaigns.files.customer_problems import CustomerFileError
from campaigns.providers.registry import capabilities_of
from campaigns.services.submit import (
    AssistantMisfitError,
    ChangedDefinitionError,
    PendingKeysError,
    Submit,
    SubmitRefusedError,
    Submitted,
    UnidentifiedError,
    UnknownAccountError,
    UnprovableRedialError,
)

ACCOUNTS_HINT = "accounts stand in ringfence.toml; `ringfence migrate`, or a new `ringfence up`, makes a new one known"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("validate")(validate)
    app.command("schema")(schema)
    app.command("submit")(submit)


def validate(file: CampaignFileArgument, as_json: JsonOption = False) -> None:
    """Show every mistake in a campaign file and its customer list, each with its line. Writes nothing."""
    campaign = read_campaign_file(file)
    pending = [*pending_keys(campaign.definition), *_unprovable_redial(campaign.definition)]
    if as_json:
        print_json(
            {"valid": True, "campaign": campaign.definition.campaign, "warnings": [_warning(key) for key in pending]}
        )
        return
    console = notes()
    for key in pending:
        console.print(f"[yellow]warning:[/] {key.path}: {key.why}; `submit` refuses it in this version", soft_wrap=True)
    console.print(f"{file}: no mistakes", soft_wrap=True)


def schema() -> None:
    """Print the JSON Schema of campaign files, so that editors can complete and check them."""
    print_json(json_schema())


def submit(
    file: CampaignFileArgument,
    identification_reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Why a sales campaign need not state its identification; kept on record."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Register a campaign and launch it, or set its first slot; the same file again changes nothing."""
    campaign = read_campaign_file(file)
    with open_session() as session:
        try:
            submitted = Submit(session.engine).run(
                campaign.definition,
                source_text=campaign.source.decode("utf-8"),
                customers_path=campaign.customers_path,
                operator=session.operator,
                identification_reason=identification_reason,
            )
        except CustomerFileError as error:
            raise with_problems("the customer list", [problem_of(error, folder=campaign.path.parent)]) from None
        except SubmitRefusedError as error:
            hints = [ACCOUNTS_HINT] if isinstance(error, UnknownAccountError) else []
            raise CommandError(str(error), exit_code=ExitCode.REFUSED, problems=_refusals(error), lines=hints) from None
        nudge_launch(session.addresses)
    _tell(campaign, submitted, as_json=as_json)


def _tell(campaign: CampaignFile, submitted: Submitted, *, as_json: bool) -> None:
    name = campaign.definition.campaign
    for key in submitted.unstated:
        notes().print(f"[yellow]warning:[/] {key.path} is not stated: {key.why}", soft_wrap=True)
    if as_json:
        print_json(
            {
                "campaign": name,
                "created": submitted.created,
                "run": submitted.run_id,
                "next_run_at": submitted.next_run_at.isoformat() if submitted.next_run_at else None,
                "warnings": [_warning(key) for key in submitted.unstated],
            }
        )
    elif not submitted.created:
        notes().print(f"{name}: this very file was submitted before; nothing was changed")
    elif submitted.next_run_at is not None:
        notes().print(f"{name}: submitted; its first run starts at {submitted.next_run_at.isoformat()}")
    else:
        notes().print(f"{name}: submitted; `ringfence status {name} --watch` shows how it goes")


def _unprovable_redial(definition: CampaignDefinition) -> list[PendingKey]:
    """The assistant's keys tell the provider, which the settings alone would have to be asked for."""
    provider = provider_of(definition.assistant)
    if definition.retries.ambiguous != "redial" or provider is None or capabilities_of(provider).lists_calls:
        return []
    return [PendingKey("retries.ambiguous", f"{provider} lists no calls, so no absence is ever proven; write hold")]


def _warning(key: PendingKey) -> dict[str, str]:
    return {"path": key.path, "message": key.why}


def _refusals(error: SubmitRefusedError) -> list[dict[str, object]]:
    match error:
        case PendingKeysError():
            return [problem(key.why, path=key.path, allowed="leave it out") for key in error.keys]
        case UnidentifiedError():
            return [problem(key.why, path=key.path, found="nothing", allowed=key.why) for key in error.keys]
        case ChangedDefinitionError():
            return [problem(str(error), found=change, allowed="another name") for change in error.differences]
        case AssistantMisfitError():
            return [problem(each.why, path=each.path, found=each.found, allowed=each.why) for each in error.misfits]
        case UnknownAccountError():
            item = problem(str(error), path="account", allowed=", ".join(error.known))
            return [item | {"nearest": error.nearest}]
        case UnprovableRedialError():
            return [problem(str(error), path="retries.ambiguous", found="redial", allowed="hold")]
    return [problem(str(error))]
