"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, last, on stdout.")]
CampaignFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign file (YAML).")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]
