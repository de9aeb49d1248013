"""`ringfence up`: everything on this machine, in the foreground, until Ctrl-C."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import Installation, InstallationError, has_logged, wait_for
from campaigns.runtime.interrupts import interrupts_deferred
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.programs import Programs
from campaigns.runtime.settings import Settings

WATCH_INTERVAL = timedelta(milliseconds=500)
MOST_RESTARTS = 5
"""A process that keeps ending is not mended by starting it again."""


def run_up(settings: Settings, *, host: str, port: int, with_simulator: bool, say: Callable[[str], None]) -> None:
    """Start everything and watch over it; returns only by an exception (Ctrl-C is `KeyboardInterrupt`).

    Raises `InstallationError` if something cannot be started, or does not stay up.
    """
    with Installation(settings.home) as installation:
        installation.lock()
        addresses = installation.start_servers(database_url=settings.database_url, redis_url=settings.redis_url)
        say("servers are up")
        prepare_database(addresses.database_url, settings)
        addresses = replace(addresses, web_url=f"http://{host}:{port}")
        installation.publish(addresses)
        programs = Programs(home=settings.home, addresses=addresses, environment=os.environ)
        for child in (*_simulators(programs, settings, wanted=with_simulator), programs.web(host=host, port=port)):
            installation.start(child)
        workers = [installation.start(worker) for worker in (programs.dispatch_worker(), programs.control_worker())]
        installation.start(programs.beat())
        _wait_until_up(addresses, workers)
        say(f"ringfence is up: {addresses.web_url} · logs in {settings.home / 'logs'} · Ctrl-C stops it")
        _watch(installation, say=say)


def _wait_until_up(addresses: Addresses, workers: Iterable[ChildProcess]) -> None:
    for worker in workers:
        wait_for(worker, has_logged(worker, "worker_ready"))


def _watch(installation: Installation, *, say: Callable[[str], None]) -> None:
    """Start again what ends by itself, and give up when that does not help."""
    restarts = 0
    with interrupts_deferred() as interrupted:
        while not interrupted.arrived:
            for child in installation.ended():
                if restarts >= MOST_RESTARTS:
                    raise InstallationError(
                        f"{child.name} ends again and again (exit {child.poll()}):\n{child.tail_log()}"
                    )
                restarts += 1
                say(f"{child.name} ended (exit {child.poll()}); it is started again")
                child.start()
            time.sleep(WATCH_INTERVAL.total_seconds())


def _simulators(programs: Programs, settings: Settings, *, wanted: bool) -> Iterable[ChildProcess]:
    """One simulator for each address that a simulator account names."""
    if not wanted:
        return
    urls = {each.settings.base_url for each in settings.accounts.values() if each.settings.simulator}
    if not urls:
        raise InstallationError(
            'no account has simulator = true: add one with baseUrl = "http://127.0.0.1:8095", or leave --simulator out.'
        )
    for number, url in enumerate(sorted(urls)):
        parts = urlsplit(url)
        child = programs.simulator("--host", parts.hostname or "127.0.0.1", "--port", str(parts.port or 80))
        yield child if number == 0 else replace(child, name=f"{child.name}-{number + 1}")
