"""Scenes at a simulated Cognigy account."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

FROZEN = 0.001
"""So slow that a call stays where it is."""

Scene = Callable[[Any], Awaitable[Any]]


def play(kit: Any, scene: Scene, **settings: Any) -> Any:
    async def run() -> Any:
        async with kit.a_house("cognigy", **settings) as house:
            return await scene(house)

    return asyncio.run(run())


def a_dial(kit: Any, number: str | None = None, *, more: dict[str, Any] | None = None, **options: Any) -> Any:
    dial = kit.a_dial(number or kit.number, kind="cognigy", **options)
    return replace(dial, assistant={**dial.assistant, **(more or {})})
