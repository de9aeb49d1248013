"""The demo: a whole installation in a folder of its own, one campaign from file to last outcome, and the reckoning."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from campaigns.calls.clock import CampaignClock
from campaigns.cli.demo.customers import describe, write_customers
from campaigns.cli.demo.home import CAMPAIGN, WINDOW, DemoHome
from campaigns.cli.demo.places import read_area_codes
from campaigns.cli.demo.witness import Witness, ask_witness
from campaigns.definition import parse_definition
from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded.launch import LOOPBACK, free_port
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import Installation, InstallationError, has_logged, wait_for
from campaigns.runtime.interrupts import interrupts_deferred
from campaigns.runtime.law import AREA_CODES_FILE
from campaigns.runtime.local_http import answers
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.programs import Programs
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import Settings, load_settings
from campaigns.services.status import CampaignStatus, campaign_status
from campaigns.services.submit import Submit
from campaigns.services.suppress import suppress
from campaigns.store.engine import open_engine

LINES = ("line-east", "line-central", "line-mountain", "line-pacific")
LOOK_INTERVAL = timedelta(milliseconds=500)
HEAD_START = timedelta(milliseconds=1500)
"""The campaign's clock reaches `earliestAt` so long after the submit: reading the list must not eat its hours."""
PATIENCE = timedelta(seconds=30)
"""After `latestAt` everything has to be final within moments; longer means that something is broken."""
SIMULATOR_SPEED = 100
"""A real second plays this many of a simulated call: a talk of a minute takes 0.6 s."""
OPERATOR = "demo"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user chose."""

    customers: int
    starts_at: datetime
    speed: float
    seed: int
    keep: Path | None


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How it ended: our books and the provider's."""

    status: CampaignStatus
    witness: Witness
    seconds: float

    @property
    def is_good(self) -> bool:
        """Every row accounted for, every customer final, nobody dialed twice by a fault."""
        status = self.status
        return status.finished and status.customers == status.rejected + status.final and self.witness.double_dials == 0


@dataclass(frozen=True, slots=True)
class DemoWatcher:
    """What to tell whom while it runs."""

    say: Callable[[str], None]
    show: Callable[[CampaignStatus], None]


def run_demo(options: DemoOptions, watcher: DemoWatcher) -> DemoResult:
    """Run it to the end. Raises `InstallationError` when a part of it fails; leaves no process and no folder."""
    began = time.monotonic()
    with Installation(_folder(options)) as installation, contextlib.chdir(installation.home):
        if options.keep is None:
            installation.cleanup(lambda: shutil.rmtree(installation.home, ignore_errors=True))
        home = DemoHome(installation.home)
        watcher.say("starting Valkey and Postgres of our own on free ports")
        addresses = installation.start_servers(database_url=None, redis_url=None)
        simulator_url = _start_processes(installation, home, addresses, options)
        engine = open_engine(addresses.database_url, pool_size=2)
        installation.cleanup(engine.dispose)
        _submit(engine, home, addresses, options, watcher)
        status = _watch(engine, installation, options, watcher)
        return DemoResult(status=status, witness=ask_witness(simulator_url), seconds=time.monotonic() - began)


def _folder(options: DemoOptions) -> Path:
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        return options.keep.absolute()
    folder = Path(tempfile.mkdtemp(prefix="ringfence-demo-"))
    folder.chmod(0o711)  # run by root, the servers work as `nobody` and have to pass through
    return folder


def _start_processes(installation: Installation, home: DemoHome, addresses: Addresses, options: DemoOptions) -> str:
    """Everything but the servers; returns the simulator's address once all of it is ready."""
    web_port, simulator_port = free_port(), free_port()
    web_url, simulator_url = f"http://{LOOPBACK}:{web_port}", f"http://{LOOPBACK}:{simulator_port}"
    home.write_settings(web_url=web_url, simulator_url=simulator_url)
    settings = _settings(home)
    programs = Programs(home=home.folder, addresses=addresses, environment=_environment())
    simulator = installation.start(
        programs.simulator("--port", str(simulator_port), "--seed", str(options.seed), "--speed", str(SIMULATOR_SPEED))
    )
    web = installation.start(programs.web(host=LOOPBACK, port=web_port))
    workers = [installation.start(each) for each in (programs.dispatch_worker(), programs.control_worker())]
    prepare_database(addresses.database_url, settings)  # while they are starting: no task comes before the first tick
    installation.start(programs.beat())
    wait_for(simulator, lambda: answers(f"{simulator_url}/simulator/health"))
    wait_for(web, lambda: answers(f"{web_url}/ready"))
    for worker in workers:
        wait_for(worker, has_logged(worker, "worker_ready"))
    return simulator_url


def _submit(engine: Engine, home: DemoHome, addresses: Addresses, options: DemoOptions, watcher: DemoWatcher) -> None:
    """Write the list and the campaign file, put the do-not-call list in place, submit."""
    written = write_customers(
        home.customers,
        customers=options.customers,
        area_codes=read_area_codes(AREA_CODES_FILE),
        consented_before=options.starts_at,
        seed=options.seed,
    )
    suppress(engine, written.suppressed, list_name="internal", source="demo list", operator=OPERATOR)
    for line in describe(written):
        watcher.say(line)
    home.write_campaign(earliest_at=options.starts_at, lines=list(LINES))
    source = home.campaign.read_bytes()
    clock = CampaignClock(campaign_at=options.starts_at, machine_at=datetime.now(UTC) + HEAD_START, speed=options.speed)
    Submit(engine).run(
        parse_definition(source, file=home.campaign.name),
        source_text=source.decode(),
        customers_path=home.customers,
        operator=OPERATOR,
        clock=clock,
    )
    publisher_at(addresses.redis_url).request_launch()


def _watch(engine: Engine, installation: Installation, options: DemoOptions, watcher: DemoWatcher) -> CampaignStatus:
    """Look and show until everything is final. Raises `InstallationError` if a process ends or nothing ends."""
    deadline = time.monotonic() + (HEAD_START + WINDOW / options.speed + PATIENCE).total_seconds()
    with interrupts_deferred() as interrupted:
        while True:
            status = campaign_status(engine, CAMPAIGN)
            watcher.show(status)
            if status.finished or interrupted.arrived or time.monotonic() > deadline:
                return status
            for child in installation.ended():
                raise InstallationError(_ended(child))
            time.sleep(LOOK_INTERVAL.total_seconds())


def _ended(child: ChildProcess) -> str:
    return f"{child.name} ended by itself (exit {child.poll()}):\n{child.tail_log()}"


def _settings(home: DemoHome) -> Settings:
    return load_settings({"RINGFENCE_HOME": str(home.folder), "RINGFENCE_OPERATOR": OPERATOR}, cwd=home.folder)


def _environment() -> dict[str, str]:
    """Ours without what would point the demo's processes at somebody's real installation."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_FOR_THE_DEMO}


_NOT_FOR_THE_DEMO = frozenset({"RINGFENCE_PUBLIC_URL", "RINGFENCE_API_TOKENS", "DATABASE_URL_FILE", "REDIS_URL_FILE"})
