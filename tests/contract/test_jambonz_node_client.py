"""jambonz's own client drives the simulated jambonz unmodified, and its description of a create is ours."""

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jambonz_client import ACCOUNT, APPLICATION, NUMBER

from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.jambonz import validation
from campaigns.simulator.server import Simulator

pytestmark = pytest.mark.timeout(240)  # the first run of a machine installs the packages

SOURCES = Path(__file__).parent / "jambonz_node"
INSTALL = ("npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--prefer-offline")
INSTALL_SECONDS, RUN_SECONDS = 180, 60
NO_NETWORK = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|E40[1347])\b")
"""npm's own words for: nothing to be had from here. Any other failure is one of ours."""
TYPES = {"string": {str}, "number": {int, float}, "boolean": {bool}, "object": {dict}, "array": {list}}


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest) -> Path:
    """A folder with the scripts and the packages they need, installed once a machine and lock file."""
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        pytest.skip(f"{' and '.join(missing)} not found on PATH; install Node.js 18 or newer to run these tests")
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(request.config.cache.mkdir("jambonz_node")) if request.config.cache else Path(tempfile.mkdtemp())
    installed = cache / lock
    if not installed.exists():
        _install(installed)
    for script in SOURCES.glob("*.cjs"):
        shutil.copy(script, installed)
    return installed


def _install(folder: Path) -> None:
    """Beside it first: a run that was broken off must leave nothing that looks finished."""
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, draft)
    try:
        done = subprocess.run(INSTALL, cwd=draft, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm found no packages within {INSTALL_SECONDS} s; run these tests where npm reaches its registry")
    if done.returncode and (told := NO_NETWORK.search(done.stderr)):
        pytest.skip(f"npm cannot reach its registry ({told[0]}); run these tests where it can")
    assert done.returncode == 0, done.stderr
    draft.rename(folder)


def run_node(folder: Path, script: str, *arguments: str) -> Any:
    """What a script prints."""
    command = ["node", script, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def driven(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client saw of one call's life, and what the simulator counted."""

    async def drive() -> tuple[dict[str, Any], dict[str, Any]]:
        settings = {"api_key": "k", "queued": [0, 0], "ring": [0, 0], "talk": [600, 600]}
        config = changed(SimulatorConfig(), {**settings, "scripted": {NUMBER: ["answered"]}})
        async with Simulator(config) as simulator:
            arguments = (simulator.base_url, ACCOUNT, "k", APPLICATION, NUMBER)
            seen = await asyncio.to_thread(run_node, folder, "drive.cjs", *arguments)
            return seen, simulator.simulation.ledger.snapshot()

    return asyncio.run(drive())


def test_jambonzs_own_client_creates_lists_retrieves_hangs_up_and_deletes(node: Path) -> None:
    seen, stats = driven(node)

    assert [call["call_sid"] for call in seen["listed"]] == [seen["sid"]]
    assert (seen["talking"]["call_sid"], seen["talking"]["sip_status"]) == (seen["sid"], 200)
    assert seen["over"]["call_termination_by"] == "jambonz"
    assert "not found" in seen["gone"]
    assert (stats["dials"], stats["by_attempt_max"], stats["by_outcome"]) == (1, 1, {"cancelled": 1})


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("rest:dial", validation.CREATE),
        ("target", validation.TO),
        ("amd", validation.AMD),
        ("amdTimers", validation.AMD_TIMERS),
    ],
)
def test_the_properties_of_a_create_are_those_that_jambonz_publishes(
    node: Path, name: str, ours: Mapping[str, tuple[type, ...]]
) -> None:
    published = run_node(node, "specification.cjs")[name]["properties"]

    assert {key: set(types) for key, types in ours.items()} == {key: _types(kind) for key, kind in published.items()}


def test_none_of_cognigys_own_properties_is_known_to_plain_jambonz(node: Path) -> None:
    published = run_node(node, "specification.cjs")["rest:dial"]["properties"]

    assert not set(validation.COGNIGY) & set(published)


def _types(kind: str | Mapping[str, Any]) -> set[type]:
    """Such as `object|string`, `#target` (an object of its own), or `{"type": "string", "enum": […]}`."""
    if isinstance(kind, Mapping):
        return _types(str(kind["type"]))
    parts = ("object" if part.startswith("#") else part for part in kind.split("|"))
    return set[type]().union(*(TYPES[part] for part in parts))
