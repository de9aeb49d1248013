"""Reading a campaign file and what it points at, for `validate` and `submit` alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.failures import with_problems
from campaigns.definition import CampaignDefinition, Problem, parse_definition
from campaigns.definition.assistant_checks import templates_of
from campaigns.definition.templates import CUSTOMER_PLACEHOLDERS, placeholders
from campaigns.files.customer_file import check_customers
from campaigns.files.customer_problems import CustomerFileError

LARGEST_BYTES = 20 * 1024 * 1024
"""Twice what a campaign file may have: enough to say that it is too long, too little to fill the memory."""


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign file without a mistake, customer list included."""

    path: Path
    source: bytes
    definition: CampaignDefinition

    @property
    def customers_path(self) -> Path | None:
        """The customer list beside the campaign file; None for inline customers."""
        name = self.definition.customers.file
        return None if name is None else self.path.parent / name


def read_campaign_file(path: Path) -> CampaignFile:
    """Read and check. Raises `DefinitionError` with every problem, `CommandError` if there is nothing to read."""
    source = _read(path)
    campaign = CampaignFile(path=path, source=source, definition=parse_definition(source, file=str(path)))
    problems = _customer_problems(campaign)
    if problems:
        raise with_problems("the campaign's customer list", problems)
    return campaign


def problem_of(error: CustomerFileError, *, folder: Path) -> Problem:
    """A mistake in the customer list in the shape of one in the campaign file."""
    return Problem(
        file=str(folder / error.file),
        line=error.line,
        column=None,
        path="customers.file",
        found=error.message,
        allowed="a customer list as the campaign file describes it",
        nearest=error.nearest,
        message=error.message,
    )


def _customer_problems(campaign: CampaignFile) -> list[Problem]:
    path = campaign.customers_path
    if path is None:
        return []
    mapped = campaign.definition.customers.headers()
    wanted = _list_placeholders(campaign.definition)
    required = [*mapped.values(), *(name for name in wanted if name not in mapped.values())]
    problems = [problem_of(error, folder=path.parent) for error in check_customers(path, required=required)]
    return [*problems, *_mapped_placeholders(campaign, wanted)]


def _list_placeholders(definition: CampaignDefinition) -> list[str]:
    """The columns of the list that the assistant's templates name; what every customer has is no column of the list."""
    templates = templates_of(definition.assistant).values()
    names = dict.fromkeys(name for template in templates for name in placeholders(template))
    return [name for name in names if name not in CUSTOMER_PLACEHOLDERS]


def _mapped_placeholders(campaign: CampaignFile, wanted: Sequence[str]) -> Iterator[Problem]:
    """A column that `customers.columns` maps goes by our name from then on: its header would have no value."""
    ours = {header: key for key, header in campaign.definition.customers.headers().items()}
    for name in wanted:
        if name in ours:
            usable = ours[name] in CUSTOMER_PLACEHOLDERS
            advice = f"write {{{ours[name]}}}" if usable else "leave it out of the assistant's templates"
            yield Problem(
                file=str(campaign.path),
                line=None,
                column=None,
                path=_place_of(campaign.definition, name),
                found=f"{{{name}}}",
                allowed=advice,
                nearest=ours[name] if usable else None,
                message=f"the column {name} is mapped as {ours[name]}; {advice}",
            )


def _place_of(definition: CampaignDefinition, name: str) -> str:
    """Where in the file a placeholder is asked for first."""
    templates = templates_of(definition.assistant).items()
    return next(f"assistant.{place}" for place, template in templates if name in placeholders(template))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES)
    except FileNotFoundError:
        reason = "there is no such file"
    except IsADirectoryError:
        reason = "this is a folder, not a file"
    except OSError as error:
        reason = f"the file cannot be read ({error.strerror})"
    raise CommandError(f"{path}: {reason}; give the path of a campaign file.", exit_code=ExitCode.BAD_INPUT)
