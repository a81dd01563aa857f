"""A task that is cancelled while it reads a stream, wherever the machine's load puts it."""

import asyncio
import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest


def cancel_while_reading(start: Callable[[], Any]) -> None:
    """Start a stream, cancel its reader once the first chunk is there, and let go of everything."""

    async def main() -> None:
        came = asyncio.Event()

        async def reading() -> None:
            stream = start()
            async for _ in (await stream) if inspect.isawaitable(stream) else stream:
                came.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(reading())
        waiting = asyncio.create_task(came.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    gc.collect()
