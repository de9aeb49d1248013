"""The `ringfence` command: collects the commands, and turns every way to fail into one sentence and an exit code."""

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from campaigns.cli import (
    attention_commands,
    audit_commands,
    calls_act_commands,
    calls_create_command,
    calls_group,
    calls_view_commands,
    calls_web_command,
    consent_commands,
    control_commands,
    definition_commands,
    demo_command,
    explain_commands,
    export_command,
    numbers_change_commands,
    numbers_commands,
    numbers_group,
    reassigned_commands,
    reconcile_command,
    rules_commands,
    rulings_commands,
    server_commands,
    simulator_command,
    status_command,
    suppress_commands,
    test_call_command,
    webhook_command,
)
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.failures import explain
from campaigns.cli.output import print_error
from campaigns.runtime.interrupts import ignore_interrupts, raise_on_interrupts

app = typer.Typer(
    name="ringfence",
    help="Scheduled voice-call campaigns that never call a person twice by a fault, and never without a permit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (
    demo_command,
    server_commands,
    simulator_command,
    definition_commands,
    status_command,
    control_commands,
    consent_commands,
    webhook_command,
    suppress_commands,
    audit_commands,
    attention_commands,
    reconcile_command,
    explain_commands,
    export_command,
    rules_commands,
    rulings_commands,
    reassigned_commands,
    test_call_command,
    calls_create_command,
    calls_view_commands,
    calls_act_commands,
    calls_web_command,
    calls_group,
    numbers_commands,
    numbers_change_commands,
    numbers_group,
):
    group.register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    raise_on_interrupts()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    ignore_interrupts()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    as_json = "--json" in arguments
    try:
        _require_text(arguments)
        code = get_command(app).main(args=arguments, prog_name="ringfence", standalone_mode=False)
        return int(code or ExitCode.DONE)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except TyperException as error:
        return _end(CommandError(error.format_message(), exit_code=ExitCode.BAD_INPUT), as_json=as_json)
    except CommandError as error:
        return _end(error, as_json=as_json)
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise  # a fault of ours: its traceback is what a bug report needs
        return _end(explained, as_json=as_json)


def _require_text(arguments: list[str]) -> None:
    """Bytes that are no UTF-8 arrive as lone surrogates, which neither the database nor a terminal can take."""
    for place, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise CommandError(
                f"argument {place}: this text is not UTF-8; write it in UTF-8, or rename the file that it names.",
                exit_code=ExitCode.BAD_INPUT,
            ) from None


def _end(error: CommandError, *, as_json: bool) -> int:
    print_error(error, as_json=as_json)
    return error.exit_code
