"""A real Celery worker process on a real Valkey and Postgres."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, text

from campaigns.definition import parse_definition
from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.programs import Programs
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import load_settings
from campaigns.services.ports import CallRef
from campaigns.services.submit import Submit
from tests.integration.workers.watching import eventually, running

SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
"""
NUMBER = "+12125550100"
CAMPAIGN = f"""
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {{id: a-1}}
lines: {{pool: [line-1]}}
customers: {{list: [{{number: "{NUMBER}", name: Ada}}]}}
consent: {{level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}}
window: {{earliestAt: 2030-12-01T08:00:00-05:00, latestAt: 2030-12-12T20:00:00-05:00}}
"""


@pytest.fixture
def programs(tmp_path: Path, database_url: str, valkey_url: str, valkey: redis.Redis) -> Programs:
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    settings = load_settings({"RINGFENCE_HOME": str(tmp_path)}, cwd=tmp_path)
    prepare_database(database_url, settings)
    return Programs(home=tmp_path, addresses=Addresses(database_url, valkey_url), environment=os.environ)


@pytest.fixture
def control_worker(programs: Programs) -> Iterator[ChildProcess]:
    yield from running(programs.control_worker())


@pytest.fixture
def dispatch_worker(programs: Programs) -> Iterator[ChildProcess]:
    yield from running(programs.dispatch_worker())


def run_state(database: Engine) -> str:
    with database.connect() as connection:
        return str(connection.execute(text("SELECT state FROM runs")).scalar_one())


def test_a_submitted_campaign_is_taken_up_and_expanded(
    control_worker: ChildProcess, database: Engine, valkey_url: str
) -> None:
    definition = parse_definition(CAMPAIGN.encode(), file="spring.yaml")
    Submit(database).run(definition, source_text=CAMPAIGN, customers_path=None, operator="test")
    publisher_at(valkey_url).request_launch()
    assert eventually(lambda: run_state(database) == "active"), control_worker.tail_log()
    log = control_worker.log_path.read_text()
    assert NUMBER not in log
    assert "Ada" not in log


def test_a_worker_asked_to_stop_ends_in_good_order(control_worker: ChildProcess) -> None:
    control_worker.stop()
    assert control_worker.poll() == 0
    assert "worker_stopped" in control_worker.tail_log()


def test_a_message_for_calls_that_are_gone_is_taken_and_harmless(
    dispatch_worker: ChildProcess, database: Engine, valkey: redis.Redis, valkey_url: str
) -> None:
    publisher = publisher_at(valkey_url)
    publisher.dispatch([CallRef(1, 1)], campaign_id=999)
    assert eventually(lambda: publisher.backlog() == 0)
    assert eventually(lambda: "dispatch_unknown_campaign" in dispatch_worker.tail_log())
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM attempts")).scalar_one() == 0


def test_a_worker_comes_back_after_its_broker_forgot_everything(
    dispatch_worker: ChildProcess, valkey: redis.Redis, valkey_url: str
) -> None:
    valkey.flushall()
    publisher = publisher_at(valkey_url)
    publisher.dispatch([CallRef(1, 1)], campaign_id=998)
    assert eventually(lambda: "campaign_id=998" in dispatch_worker.tail_log())
