"""A network that refuses, resets in the middle of a parcel, crawls, or swallows what is sent."""

import random
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests.torture.processes import ship_rest, until, writer
from tests.torture.proxy import Mood, Proxy
from tests.torture.tally import Tally, counted, kind_of

from outlay.ledger import open_ledger
from outlay.ledger.ship import Offsets

_MOODS: tuple[Mood, ...] = ("refuse", "reset", "slow", "swallow")
_MANY = 10**9


def broken(home: Path, url: str, rounds: int, chance: random.Random) -> Tally:
    """Change the network's mood under load, and look when it is good again."""
    host = parse_qs(urlsplit(url).query).get("host")
    proxy = Proxy(Path(host[0]) / ".s.PGSQL.5432" if host else _address(url))
    through = _through(url, proxy.port)
    recording = writer(home, "w", _MANY, through, pause=0.01)
    recording.wait_for_a_number()
    try:
        for n in range(rounds):
            proxy.mood, proxy.spared = _MOODS[n % len(_MOODS)], chance.randrange(200_000)
            time.sleep(chance.uniform(0.1, 1.0))
            proxy.cut()
            proxy.mood = "good"
            time.sleep(chance.uniform(0.1, 1.0))
        before = Offsets(home, through).read().shipped
        until(lambda: Offsets(home, through).read().shipped > before)
        recording.kill()
        ship_rest(home, through)
    finally:
        recording.kill()
        proxy.close()
    with closing(open_ledger(url, home=home)) as ledger:
        return counted(
            ledger,
            {"w": recording.number()},
            fault=f"network refused, reset, slow, swallowing, {kind_of(url)}",
            rounds=rounds,
            note=f"a TCP proxy before {kind_of(url)}",
        )


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "clickhouse":
        return url.replace(f":{parts.port}", f":{port}")
    schema = parse_qs(parts.query).get("schema")
    more = f"&schema={quote(schema[0])}" if schema else ""
    return f"postgresql://postgres@127.0.0.1:{port}/postgres?connect_timeout=3{more}"
