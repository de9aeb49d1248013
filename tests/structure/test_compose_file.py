"""docker-compose.yml: valid by the specification, and everything it names is there. No engine is needed."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from campaigns.runtime.programs import HTTP_PROTOCOL

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
CELERY_COMMANDS = {"worker", "beat", "flower"}


def test_the_file_is_valid_by_the_specification() -> None:
    tool = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [tool, "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_all_that_an_installation_needs_is_there() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "worker", "beat", "web", "flower", "simulator"}
    assert SERVICES["flower"]["profiles"] == ["flower"]
    assert SERVICES["simulator"]["profiles"] == ["simulator"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_exists_and_can_say_that_it_is_ready(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_volume_and_config_a_service_mounts_is_defined(name: str) -> None:
    volumes = {mount.partition(":")[0] for mount in SERVICES[name].get("volumes", [])}
    configs = {mount["source"] for mount in SERVICES[name].get("configs", [])}

    assert {volume for volume in volumes if not volume.startswith(".")} <= set(COMPOSE["volumes"])
    assert configs <= set(COMPOSE["configs"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_port_is_open_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_names_something_real(name: str) -> None:
    program, *rest = SERVICES[name]["command"]
    if program == "ringfence":
        assert rest[0] in ringfence_commands()
    elif program == "celery":
        assert rest[:2] == ["-A", "workers.app"]
        assert CELERY_COMMANDS & set(rest)
        assert importlib.import_module("workers.app").app
    else:
        assert program == "uvicorn"
        named = [part for part in rest if ":" in part]
        assert HTTP_PROTOCOL in named  # any other sets no bound to headers, or takes longer
        for module, _, thing in (part.partition(":") for part in named):
            assert callable(getattr(importlib.import_module(module), thing))


def ringfence_commands() -> set[str]:
    from typer.main import get_command

    from campaigns.cli.main import app

    return set(getattr(get_command(app), "commands", {}))


def test_every_file_the_compose_file_and_the_image_name_exists() -> None:
    flower_conf = next(part for part in SERVICES["flower"]["command"] if part.startswith("--conf="))
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    default_settings = COMPOSE["configs"]["settings"]["file"].partition(":-")[2].rstrip("}")

    names = [flower_conf.removeprefix("--conf="), default_settings, *" ".join(copied).split()]
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_settings_of_the_compose_file_are_valid_and_point_at_its_simulator() -> None:
    from campaigns.runtime.settings import load_settings

    path = ROOT / COMPOSE["configs"]["settings"]["file"].partition(":-")[2].rstrip("}")
    port = SERVICES["simulator"]["command"][-1]
    raw = tomllib.loads(path.read_text(encoding="utf-8"))

    assert raw["accounts"]["simulator"]["baseUrl"] == f"http://127.0.0.1:{port}"
    assert SERVICES["simulator"]["network_mode"] == "service:worker"
    assert load_settings({}, path.parent).account("simulator").settings.simulator


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_rights_they_do_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_image_runs_as_a_user_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]

    assert users
    assert users[-1] not in ("0", "ro" + "ot")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_password_comes_from_outside_the_file(name: str) -> None:
    variables: dict[str, str] = SERVICES[name].get("environment", {})
    secrets = {key: value for key, value in variables.items() if re.search("PASSWORD|SECRET|TOKEN|KEY|AUTH", key)}
    addresses = [value for key, value in variables.items() if key.endswith("_URL")]

    assert all(value.startswith("${") for value in secrets.values())
    assert all(":${" in address for address in addresses)
