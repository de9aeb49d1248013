"""Which account a command is about, and secrets that never stand on a command line."""

import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.runtime.settings import Account, Settings, load_settings

AccountOption = Annotated[
    str | None, typer.Option("--account", metavar="NAME", help="The account; may be left out if there is one only.")
]


def settings_here() -> Settings:
    """The settings, for commands that need no database."""
    return load_settings(os.environ, cwd=Path.cwd())


def chosen_account(settings: Settings, name: str | None) -> Account:
    """The account of that name, or the only one there is. Raises `SettingsError`, `CommandError`."""
    if name is not None:
        return settings.account(name)
    if len(settings.accounts) == 1:
        return next(iter(settings.accounts.values()))
    known = ", ".join(sorted(settings.accounts)) or "none; ringfence.toml names no account"
    raise CommandError(f"--account is missing: say which of them ({known}).", exit_code=ExitCode.BAD_INPUT)


def read_secret(variable: str | None, file: Path | None, *, option: str) -> SecretStr | None:
    """A secret by the name of its environment variable or file; None if neither was given.

    `option` is its name without the ending, such as --auth-token. Raises `CommandError` for an empty place.
    """
    if variable is not None and file is not None:
        raise CommandError(f"{option}-env and {option}-file: give one of them.", exit_code=ExitCode.BAD_INPUT)
    if variable is not None:
        return _secret(os.environ.get(variable, ""), f"{option}-env {variable}: this variable is empty or not set")
    if file is not None:
        return _secret(_text_of(file, option=option), f"{option}-file {file}: this file is empty")
    return None


def _secret(text: str, complaint: str) -> SecretStr:
    if not text.strip():
        raise CommandError(f"{complaint}; put the secret there and run this again.", exit_code=ExitCode.BAD_INPUT)
    return SecretStr(text.strip())


def _text_of(file: Path, *, option: str) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "its bytes are no text"
        raise CommandError(f"{option}-file {file}: it cannot be read ({why}).", exit_code=ExitCode.BAD_INPUT) from None
