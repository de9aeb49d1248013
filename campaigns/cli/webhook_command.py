"""`webhook`: what a provider's own settings need, so that calls to your numbers are reported here."""

import typer

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, NameArgument
from campaigns.cli.output import answers, plain, print_json
from campaigns.cli.session import open_session
from campaigns.services.control import UnknownCampaignError
from campaigns.services.webhook_target import find_target


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("webhook")(webhook)


def webhook(name: NameArgument, as_json: JsonOption = False) -> None:
    """Print a campaign's webhook address and secret header, for the server settings of your numbers."""
    with open_session() as session:
        public_url = session.settings.public_url
        if public_url is None:
            raise CommandError(
                "publicUrl is not set, so no provider can reach this installation; set it in ringfence.toml.",
                exit_code=ExitCode.REFUSED,
            )
        try:
            target = find_target(session.engine, name, public_url=public_url)
        except UnknownCampaignError as error:
            raise unknown_campaign(error, name) from None
    if as_json:
        print_json({"url": target.url, "headers": dict(target.headers)})
        return
    console = answers()
    console.print(plain(target.url), soft_wrap=True)
    for header, value in target.headers.items():
        console.print(plain(f"{header}: {value}"), soft_wrap=True)
