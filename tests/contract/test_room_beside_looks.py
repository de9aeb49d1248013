"""Dials and looks of one process share its connections to a provider: looks must leave room for a dial."""

import asyncio
from pathlib import Path
from typing import Any

from campaigns.providers.contract import DialResult, Placed
from campaigns.providers.registry import build_provider
from campaigns.runtime.provider_access import access_to
from campaigns.runtime.settings import Account, load_settings
from campaigns.services.poll import FETCHES_AT_ONCE


def small_account(home: Path, base_url: str) -> Account:
    (home / "ringfence.toml").write_text(
        f"""
        [accounts.sim]
        provider = "vapi"
        baseUrl = "{base_url}"
        simulator = true
        concurrency = 1
        callsPerSecond = 1.0
        """
    )
    return load_settings({"RINGFENCE_HOME": str(home)}, cwd=home).accounts["sim"]


async def creates_and_tells_nothing(wire: Any) -> None:
    head = await wire.read_headers()
    if head.startswith(b"GET"):
        await wire.reader.read()
        return
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    await wire.reader.readexactly(int(lengths[0]))
    await wire.answer("201 Created", b'{"id": "call-1"}')


def test_a_poll_that_gets_no_answers_keeps_no_dial_from_a_connection(kit: Any, tmp_path: Path) -> None:
    async def run() -> DialResult:
        async with kit.a_raw_server(creates_and_tells_nothing) as server:
            provider = build_provider("vapi", access_to(small_account(tmp_path, server.base_url)))
            looks = [asyncio.create_task(provider.fetch(f"call-{index}")) for index in range(FETCHES_AT_ONCE)]
            await kit.wait_until(lambda: asyncio.sleep(0, b"GET" in server.received))
            placed = await provider.dial(kit.a_dial())
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
            await provider.aclose()
            return placed

    assert isinstance(asyncio.run(run()), Placed)
