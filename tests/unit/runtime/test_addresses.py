import json
import os
import stat
from pathlib import Path

import pytest

from campaigns.runtime.addresses import (
    SERVICES_FILE,
    Addresses,
    NoServicesError,
    find_addresses,
    running_services,
    write_services,
)
from campaigns.runtime.settings import Settings

HERE = Addresses(database_url="postgresql://here/db", redis_url="redis://here/0", web_url="http://127.0.0.1:8080")


def settings(home: Path, **urls: str) -> Settings:
    return Settings(home=home, operator="test", **urls)


def test_configured_urls_win_over_a_running_instance(tmp_path: Path) -> None:
    write_services(tmp_path, HERE)
    found = find_addresses(settings(tmp_path, database_url="postgresql://there/db", redis_url="redis://there/0"))
    assert (found.database_url, found.redis_url) == ("postgresql://there/db", "redis://there/0")


def test_a_running_instance_of_the_same_home_is_found(tmp_path: Path) -> None:
    write_services(tmp_path, HERE)
    assert find_addresses(settings(tmp_path)) == HERE


def test_only_the_owner_may_read_the_addresses_with_their_passwords(tmp_path: Path) -> None:
    path = write_services(tmp_path, HERE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_any_service_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoServicesError, match=r"DATABASE_URL and REDIS_URL: not set.*ringfence up"):
        find_addresses(settings(tmp_path))


def test_an_instance_that_has_ended_is_not_running(tmp_path: Path) -> None:
    path = write_services(tmp_path, HERE)
    record = json.loads(path.read_text())
    record["pid"] = 2**22 + 1  # above any pid that Linux gives
    path.write_text(json.dumps(record))
    assert running_services(tmp_path) is None


@pytest.mark.parametrize("torn", ["", "{", '{"pid": "x"}', '{"pid": OUR_PID, "surprise": 1}'])
def test_a_torn_file_is_no_running_instance(tmp_path: Path, torn: str) -> None:
    path = tmp_path / SERVICES_FILE
    path.parent.mkdir()
    path.write_text(torn.replace("OUR_PID", str(os.getpid())))
    assert running_services(tmp_path) is None
