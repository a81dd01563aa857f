"""Threads and tasks that ask all SDKs at once, and what becomes of each call, by chance."""

import asyncio
import inspect
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.soak.clients import Client, clients
from tests.support.stub import Stub

_MODES = ("ok", "error", "flaky", "timeout", "left", "cancelled")
_WEIGHTS = (60, 10, 8, 4, 10, 8)
_ASKED_TO = {"timeout": "hold", "left": "hold", "cancelled": "hold"}
_NUMBERS = count(1)


@dataclass(slots=True)
class Plan:
    """One call: what the server is to do, how it is asked, how the caller goes on."""

    mode: str
    streamed: bool
    input: int
    output: int
    id: str

    @property
    def text(self) -> str:
        """What the server reads."""
        return f"outlay:{_ASKED_TO.get(self.mode, self.mode)}:{self.input}:{self.output}:{self.id} hello"


@dataclass(slots=True)
class Load:
    """A load of so many seconds, and what its callers saw."""

    server: Stub
    seconds: float
    threads: int
    tasks: int
    until: float = 0  # set when all clients are made
    left: int = 0  # tasks that were still there when all was closed
    seen: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Run it to its end: nothing is left open."""
        sync, later = (clients(self.server, asynchronous=each) for each in (False, True))
        self.until = time.monotonic() + self.seconds
        seeds = range(self.threads)
        threads = [threading.Thread(target=self._work, args=(sync, seed)) for seed in seeds]
        for thread in threads:
            thread.start()
        asyncio.run(self._work_tasks(later))
        for thread in threads:
            thread.join()
        for client in sync:
            for http in client.https:
                http.close()

    def _work(self, made: list[Client], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - only moments
        while time.monotonic() < self.until:
            client = chance.choice(made)
            plan = planned(client, chance, asynchronous=False)
            try:
                ask(client, plan)
            except Exception as error:  # noqa: BLE001 - what a caller would see
                self._saw(plan, client, error)
            else:
                self._saw(plan, client, None)

    async def _work_tasks(self, made: list[Client]) -> None:
        async with asyncio.TaskGroup() as group:
            for seed in range(self.tasks):
                group.create_task(self._work_later(made, 10_000 + seed))
        for client in made:
            for http in client.https:
                await http.aclose()
        await asyncio.sleep(0.1)  # streams that were let go of close themselves
        self.left = len(asyncio.all_tasks()) - 1

    async def _work_later(self, made: list[Client], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - likewise
        while time.monotonic() < self.until:
            client = chance.choice(made)
            plan = planned(client, chance, asynchronous=True)
            try:
                await ask_later(client, plan, self.server)
            except Exception as error:  # noqa: BLE001 - likewise
                self._saw(plan, client, error)
            else:
                self._saw(plan, client, None)

    def _saw(self, plan: Plan, client: Client, error: Exception | None) -> None:
        """Note a call, and any that went otherwise than it was planned to."""
        fails = plan.mode in {"error", "timeout"}
        with self._lock:
            self.seen[plan.mode] += 1
            if fails is (error is None):
                self.wrong[f"{client.maker.label} {plan.mode}: {error!r:.100}"] += 1


def planned(client: Client, chance: random.Random, *, asynchronous: bool) -> Plan:
    """Decide on a call that this client can make."""
    (mode,) = chance.choices(_MODES, _WEIGHTS)
    if mode == "flaky" and client.maker.patient is None:
        mode = "error"
    if mode == "timeout" and client.hastes is None:
        mode = "left"
    if mode == "cancelled" and not asynchronous:
        mode = "left"
    streamed = mode == "left" or (mode != "timeout" and chance.random() < 0.5)
    return Plan(mode, streamed, chance.randint(1, 5000), chance.randint(1, 500), f"n{next(_NUMBERS)}")


def client_for(client: Client, plan: Plan) -> Any:
    """Give the client that the plan needs."""
    if plan.mode == "timeout":
        return client.hastes
    return client.again if plan.mode == "flaky" else client.waits


def ask(client: Client, plan: Plan) -> None:
    """Make a call, and read or leave what comes."""
    result = client.maker.ask(client_for(client, plan), client.maker.model, plan.text, plan.streamed)
    if not plan.streamed:
        return
    chunks = iter(result)
    if plan.mode != "left":
        for _ in chunks:
            pass
        return
    next(chunks)
    (result if hasattr(result, "close") else chunks).close()


async def ask_later(client: Client, plan: Plan, server: Stub) -> None:
    """Make a call by a task that may be cancelled when the server has it, or has sent its first event."""
    came = asyncio.Event()
    task = asyncio.create_task(_ask_later(client, plan, came))
    if plan.mode == "cancelled":
        while not (came.is_set() if plan.streamed else plan.id in server.bill.arrived):
            if task.done():
                break  # before it came so far
            await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    else:
        await task


async def _ask_later(client: Client, plan: Plan, came: asyncio.Event) -> None:
    result = client.maker.ask(client_for(client, plan), client.maker.model, plan.text, plan.streamed)
    if inspect.isawaitable(result):
        result = await result
    if not plan.streamed:
        return
    chunks = aiter(result)
    await anext(chunks)
    came.set()
    if plan.mode == "left":
        closing = getattr(result, "aclose", None) or getattr(result, "close", None) or chunks.aclose
        await closing()
        return
    async for _ in chunks:
        pass
