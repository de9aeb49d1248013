"""The `calls` group: single calls. Each of its commands stands in a file of its own and registers here."""

import typer

calls = typer.Typer(help="Single calls: create one through the gate, look at them, end them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group; what its files registered in it comes along."""
    app.add_typer(calls, name="calls")
