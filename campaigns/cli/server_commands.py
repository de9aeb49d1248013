"""`up`, `migrate`: what runs, rather than what is asked."""

import os
from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption
from campaigns.cli.output import notes, print_json
from campaigns.runtime.addresses import find_addresses
from campaigns.runtime.installation import HomeInUseError, InstallationError
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.runtime.up import run_up

WEB_PORT = 8080


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("up")(up)
    app.command("migrate")(migrate)


def up(
    host: Annotated[str, typer.Option(help="Address the web process listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.", min=1, max=65535)] = WEB_PORT,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Also run the provider simulator of simulator accounts.")
    ] = False,
) -> None:
    """Run everything on this machine: services (embedded unless URLs are set), workers, beat, web."""
    settings = load_settings(os.environ, cwd=Path.cwd())
    console = notes()
    try:
        run_up(settings, host=host, port=port, with_simulator=simulator, say=lambda line: console.print(line))
    except HomeInUseError as error:
        raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None
    except InstallationError as error:
        raise CommandError(str(error), exit_code=ExitCode.UNREACHABLE) from None


def migrate(as_json: JsonOption = False) -> None:
    """Bring the database to this version: schema, the accounts of the settings, the rules in force."""
    settings = load_settings(os.environ, cwd=Path.cwd())
    prepare_database(find_addresses(settings).database_url, settings)
    if as_json:
        print_json({"migrated": True, "accounts": sorted(settings.accounts)})
    else:
        notes().print(f"the database is ready; accounts: {', '.join(sorted(settings.accounts)) or 'none'}")
