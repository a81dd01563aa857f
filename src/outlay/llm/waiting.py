"""Calls from coroutines: each waits in a thread of its own, so that none waits for another.

A loop's usual pool has few threads, four more than the machine has cores; calls to a model do nothing but
wait, and those beyond that number would stand in line. Beside seconds of waiting a thread costs nothing.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_own_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a new thread, within this context, and give what it gives."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="outlay-llm")
    call = partial(function, *args, **kwargs)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, call)
    finally:
        pool.shutdown(wait=False)
