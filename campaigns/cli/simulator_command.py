"""`simulator`: the three providers' APIs on loopback, alone."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.output import notes
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.options import Options
from campaigns.simulator.server import run_simulator
from campaigns.simulator.switches import markdown

HELP = """Run Vapi, jambonz (Cognigy Voice Gateway) and Voxworks on loopback, with faults on demand.

    Prints one JSON line with its URL as soon as it listens, and runs until Ctrl-C (exit code 0).
    --switches lists everything that --set and a --config file can say; docs/simulator.md explains it.

    \b
    ringfence simulator --port 8977 --speed 100
    ringfence simulator --seed 7 --set faults.timeout_after_accept=0.01 --log calls.jsonl
    ringfence simulator --config switches.json --set jambonz.cognigy_properties=false
    """


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("simulator", help=HELP)(simulator)


def simulator(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="A JSON file with any switches.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Where to listen (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="0, the default, takes any free one.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed repeats the same outcomes.")] = None,
    speed: Annotated[float | None, typer.Option(help="100 plays a 90 s call in 0.9 s.")] = None,
    api_key: Annotated[str | None, typer.Option("--api-key", help="Refuse other keys with 401.")] = None,
    log_path: Annotated[
        str | None, typer.Option("--log", metavar="FILE", help="Append JSON lines: creates, statuses, webhooks.")
    ] = None,
    no_webhooks: Annotated[bool, typer.Option("--no-webhooks", help="Send none; outcomes come by polling.")] = False,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="One switch; may be given again.")
    ] = None,
    switches: Annotated[bool, typer.Option("--switches", help="Print a table of all switches, and end.")] = False,
) -> None:
    """See `HELP`."""
    if switches:
        sys.stdout.write(markdown())
        return
    options = Options(
        config=config,
        host=host,
        port=port,
        seed=seed,
        speed=speed,
        api_key=api_key,
        log_path=log_path,
        no_webhooks=no_webhooks,
        assignments=assignments or (),
    )
    _run(options)


def _run(options: Options) -> None:
    try:
        run_simulator(options.read())
    except ConfigError as error:
        raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT) from None
    except OSError as error:
        raise CommandError(
            f"the simulator cannot listen: {error.strerror}; choose another --port.", exit_code=ExitCode.UNREACHABLE
        ) from None
    notes().print("the simulator has stopped")
