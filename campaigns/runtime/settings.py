"""Reading the settings: environment over `ringfence.toml` (working directory, then `RINGFENCE_HOME`; the first counts).

Secrets come from environment variables or files only, and no text of a settings value or error contains one.
"""

import hashlib
import os
import pwd
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from campaigns.definition.problems import Problem
from campaigns.runtime.settings_problems import SettingsError, problem_of, problems_of
from campaigns.services.roles import Role
from config.settings_model import AccountSettings, RetentionSettings, SettingsFile

__all__ = ["Account", "Settings", "SettingsError", "limit_group", "load_settings"]

FILE_NAME = "ringfence.toml"
DEFAULT_HOME = "~/.ringfence"
SIMULATOR_API_KEY = "simulator"
"""The key sent to a simulator when the account names none; it opens nothing."""
SIMULATOR_PUBLIC_KEY = "simulator-public"
"""The same for calls in a browser: any key but the private one."""
LIMIT_GROUP_LENGTH = 16
"""64 bits: far more than enough to tell a handful of credentials apart, far too few to find one by."""


@dataclass(frozen=True, slots=True)
class Account:
    """One set of credentials at a provider: what the file says of it, and its secrets if they are there."""

    name: str
    settings: AccountSettings
    api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    public_key: SecretStr | None = None

    def require_api_key(self) -> str:
        """The API key in clear; raises `SettingsError` that says where it was looked for."""
        if self.api_key is None:
            raise SettingsError([_missing_secret(self)])
        return self.api_key.get_secret_value()

    def require_public_key(self) -> str:
        """The public key in clear; raises `SettingsError` that says how to set it."""
        if self.public_key is None:
            raise SettingsError([_missing_public_key(self)])
        return self.public_key.get_secret_value()

    def require_webhook_secret(self) -> str | None:
        """The webhook secret in clear, None if none is named; raises `SettingsError` if the named place is empty.

        A secret that went missing must not quietly open the door to webhooks that nobody signed.
        """
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value()
        if self.settings.webhook_secret_env or self.settings.webhook_secret_file:
            raise SettingsError([_missing_webhook_secret(self)])
        return None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything this installation was told."""

    home: Path
    """Where data, logs and perhaps the settings file are."""
    operator: str
    """Who is acting; recorded on every write."""
    file: Path | None = None
    """The settings file that was read; None: there is none."""
    public_url: str | None = None
    """Where providers reach our webhooks; None: outcomes come by polling."""
    database_url: str | None = field(default=None, repr=False)
    """With its password, so never shown. None: the embedded Postgres."""
    redis_url: str | None = field(default=None, repr=False)
    """The same. None: the embedded Valkey."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    role: Role = Role.VIEWER
    """What the commands show of people."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    """How long conversations and webhooks are kept."""
    test_numbers: tuple[str, ...] = field(default=(), repr=False)
    """Phones of the operators' own, E.164, that test calls may ring."""

    def account(self, name: str) -> Account:
        """The account of that name; raises `SettingsError` that names those there are."""
        if name not in self.accounts:
            raise SettingsError([_unknown_account(name, known=sorted(self.accounts), file=self.file)])
        return self.accounts[name]


def load_settings(environment: Mapping[str, str], cwd: Path) -> Settings:
    """All settings; raises `SettingsError` with everything that is wrong at once."""
    home = Path(environment.get("RINGFENCE_HOME") or DEFAULT_HOME).expanduser().absolute()
    path = find_settings_file(cwd, home=home)
    told = _told(path, publicUrl=environment.get("RINGFENCE_PUBLIC_URL"), role=environment.get("RINGFENCE_ROLE"))
    accounts = {name: _account(name, settings, environment) for name, settings in told.accounts.items()}
    return Settings(
        home=home,
        operator=environment.get("RINGFENCE_OPERATOR") or system_user(),
        file=path,
        public_url=told.public_url,
        database_url=_text(environment, variable="DATABASE_URL", file=environment.get("DATABASE_URL_FILE")),
        redis_url=_text(environment, variable="REDIS_URL", file=environment.get("REDIS_URL_FILE")),
        accounts=accounts,
        role=Role(told.role),
        retention=told.retention,
        test_numbers=told.test_numbers,
    )


def find_settings_file(cwd: Path, *, home: Path) -> Path | None:
    """The first `ringfence.toml` there is, in the working directory or in `RINGFENCE_HOME`."""
    return next((path for path in (cwd / FILE_NAME, home / FILE_NAME) if path.is_file()), None)


def system_user() -> str:
    """The name of the operating system's user; a number in a container that has no name for it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def limit_group(account: Account) -> str:
    """What accounts that share one limit have in common: a short digest of provider, address and credential.

    It is the same in every process and tells nothing of the key. Raises `SettingsError` without a key.
    """
    parts = (account.settings.provider.value, account.settings.base_url, account.require_api_key())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:LIMIT_GROUP_LENGTH]


def _told(path: Path | None, **from_environment: str | None) -> SettingsFile:
    """What the file says, with the environment over it."""
    raw = _read_toml(path) if path else {}
    raw |= {key: value for key, value in from_environment.items() if value}
    try:
        return SettingsFile.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(problems_of(error, file=str(path or "environment"))) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([problem_of(str(path), found=str(error), allowed="a TOML file")]) from None
    except UnicodeDecodeError:
        raise SettingsError([problem_of(str(path), found="bytes that are not UTF-8", allowed="UTF-8 text")]) from None
    except OSError as error:
        found = f"the file cannot be read ({error.strerror})"
        raise SettingsError([problem_of(str(path), found=found, allowed="a file that we may read")]) from None


def _account(name: str, settings: AccountSettings, environment: Mapping[str, str]) -> Account:
    key = _secret(environment, variable=settings.api_key_env, file=settings.api_key_file)
    if key is None and settings.simulator:
        key = SecretStr(SIMULATOR_API_KEY)
    secret = _secret(environment, variable=settings.webhook_secret_env, file=settings.webhook_secret_file)
    public = _secret(environment, variable=settings.public_key_env, file=settings.public_key_file)
    if public is None and settings.simulator:
        public = SecretStr(SIMULATOR_PUBLIC_KEY)
    return Account(name=name, settings=settings, api_key=key, webhook_secret=secret, public_key=public)


def _secret(environment: Mapping[str, str], *, variable: str | None, file: Path | None) -> SecretStr | None:
    text = _text(environment, variable=variable, file=file)
    return SecretStr(text) if text else None


def _text(environment: Mapping[str, str], *, variable: str | None, file: Path | str | None) -> str | None:
    """A secret from a variable, else from a file, stripped of white space; None when it is in neither."""
    text = environment.get(variable, "").strip() if variable else ""
    if not text and file:
        text = _read_secret(Path(file))
    return text or None


def _read_secret(path: Path) -> str:
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except FileNotFoundError:  # commands that need no secret work without; `require_api_key` tells the others
        return ""
    except (OSError, UnicodeDecodeError):
        problem = problem_of(str(path), found="a secret's file that cannot be read", allowed="a text file we may read")
        raise SettingsError([problem]) from None


def _missing_secret(account: Account) -> Problem:
    variable, file = account.settings.api_key_env, account.settings.api_key_file
    return _missing(account, key="apiKey", variable=variable, file=file, what="the provider's API key")


def _missing_public_key(account: Account) -> Problem:
    named = account.settings.public_key_env
    return problem_of(
        FILE_NAME,
        path=f"accounts.{account.name}.publicKeyEnv",
        found=f"the environment variable {named} holds no key" if named else "nothing",
        allowed="the name of the environment variable that holds the account's public key",
    )


def _missing_webhook_secret(account: Account) -> Problem:
    variable, file = account.settings.webhook_secret_env, account.settings.webhook_secret_file
    return _missing(account, key="webhookSecret", variable=variable, file=file, what="the webhook secret")


def _missing(account: Account, *, key: str, variable: str | None, file: Path | None, what: str) -> Problem:
    place = f"the environment variable {variable}" if variable else f"the file {file}"
    return problem_of(
        FILE_NAME,
        path=f"accounts.{account.name}.{key}{'Env' if variable else 'File'}",
        found=f"{place} holds no {'key' if key == 'apiKey' else 'secret'}",
        allowed=f"{what}; put it into {place} and run this again",
    )


def _unknown_account(name: str, *, known: Sequence[str], file: Path | None) -> Problem:
    return problem_of(
        str(file or FILE_NAME),
        path=f"accounts.{name}",
        found=f"there is no account {name}" if file else f"there is no settings file, so no account {name}",
        allowed=", ".join(known) or f"an [accounts.{name}] section in {FILE_NAME}",
        name=name,
        known=known,
    )
