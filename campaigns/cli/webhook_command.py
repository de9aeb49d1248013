"""`webhook`: what a provider's own settings need, so that calls to your numbers are reported here."""

import typer

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, NameArgument
from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.cli.session import open_session
from campaigns.services.control import UnknownCampaignError
from campaigns.services.webhook_target import WebhookAddresses, find_addresses


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
            found = find_addresses(session.engine, name, public_url=public_url)
        except UnknownCampaignError as error:
            raise unknown_campaign(error, name) from None
    if as_json:
        print_json(
            {
                "url": found.by_header.url,
                "headers": dict(found.by_header.headers),
                "url_with_token": found.by_url.url,
                "account_url": found.account_url,
            }
        )
    else:
        _tell(found)


def _tell(found: WebhookAddresses) -> None:
    console, hints = answers(), notes()
    console.print(plain(found.by_header.url), soft_wrap=True)
    for header, value in found.by_header.headers.items():
        console.print(plain(f"{header}: {value}"), soft_wrap=True)
    hints.print("where no header can be set, the token goes into the address:")
    console.print(plain(found.by_url.url), soft_wrap=True)
    hints.print("for all campaigns of the account, if it has a webhook secret (docs/webhooks.md):")
    console.print(plain(found.account_url), soft_wrap=True)
