"""From what a row says to a Record: an id that depends on the row alone, a cost that is stated or priced."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from outlay.capture.clock import SystemClock
from outlay.capture.fields import COUNTS, usage_of_counts
from outlay.capture.recorder import UNKNOWN, Pricer, Recorder
from outlay.capture.redact import redact
from outlay.core.errors import UsageError
from outlay.core.ids import uuid7
from outlay.core.instants import HERE, instant
from outlay.core.record import Entry, Record
from outlay.core.usage import Usage
from outlay.importing.equal import Equal, apart, digest_of, key_of
from outlay.importing.files import Line

UUID_LENGTH = 36
UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_own_ids = re.compile(UUID7)
_DATE = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")  # no second of 1970
_FIRST, _LAST = 100_000_000, 10_000_000_000  # Unix seconds of 1973 to 2286; fewer count days, or say how long
_DAY, _LAST_DAY = 18_264, 109_575  # a spreadsheet's day numbers, 1950 to 2199; 1899-12-30 is 0
_NO_TIME = "no time; give --at DATE for rows without one, or name its column by --map at=COLUMN"
_NAMED = ("provider", "model", "model_requested")  # by what a call is priced
_IN_UTC = frozenset({"litellm", "langfuse", "helicone"})  # their databases know no other zone
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a row does not tell of the tokens of its call."""

    why: str
    side: str | None = None  # all of it, which costs nothing of some models; None: tokens that were used


@dataclass(frozen=True, slots=True)
class Call:
    """What a row says of one call: keywords of ``outlay.record``, and the source's own name for it."""

    at: object  # a datetime, text or Unix seconds; None where the row has no time
    fields: Fields
    identity: str | None = None  # None: the row's whole content is its identity
    lacking: Lacking | None = None


class _Nowhere:
    """A sink of no use: what is made is handed on by whoever asked for it."""

    def append(self, entry: Entry) -> None:
        """Take nothing."""

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is ever pending."""
        return True


class Maker:
    """Makes the Records of one file.

    ``zone`` is that of times without one; without it they are UTC where the tool that wrote them knows no
    other, and else this machine's. ``maker_of`` names the provider of a model where no row does. A row
    without any time takes that of the row before it; ``at`` stands in where there is none. The same row has
    the same id in every import; rows that are equal in every field are told apart by their order, so that
    two equal calls stay two.
    """

    def __init__(
        self,
        price: Pricer,
        *,
        zone: tzinfo | None,
        at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        provider: str | None = None,
        maker_of: Callable[[str], str | None] = lambda _model: None,
    ) -> None:
        self._recorder = Recorder(_Nowhere(), clock=SystemClock(), price=price, tags=tags)
        self._zone = zone
        self._last = at
        self.provider = provider
        self.tags = dict(tags or {})
        self._maker_of = maker_of
        self.rank: Callable[[Line, int], int] = _ranks()  # how many rows before are equal

    def record(self, source: str, call: Call, line: Line) -> Record:
        """Make the Record of a call.

        Raises:
            UsageError: a count, cost or name that cannot be, or no time at all.
            QueryError: the time is none.
        """
        entropy = self._entropy(source, call, line)  # first: a row counts, whatever comes of it
        fields, at = call.fields, self._time(call, source)
        for what in _NAMED:
            if isinstance(fields.get(what), list | dict):
                raise UsageError(f"{what} must be a text, not {fields[what]!r:.40}")
            if fields.get(what) is not None:
                fields[what] = str(fields[what])  # a number may name one
        if fields.get("error") is not None:
            fields["error"] = redact(str(fields["error"]))
        provider = self.provider_of(fields.pop("provider", None), fields.get("model"))
        if call.lacking is not None and self._costs(call.lacking, provider, fields.get("model"), at):
            counted = usage_of_counts({name: fields.pop(name, None) for name in COUNTS})
            fields["usage"] = replace(counted.flagged("partial"), reason=call.lacking.why)
        name = _own_id(call.identity) or uuid7(at, entropy)
        return self._recorder.record(provider=provider, at=at, id=name, **fields)

    def _costs(self, lacking: Lacking, provider: str, model: str | None, at: datetime) -> bool:
        """Whether what a row does not tell of may have cost something: an embedding has no answer."""
        if lacking.side is None:
            return True
        cost = self._recorder.price(Usage.of({lacking.side: 1}), provider, model, at)
        return cost.status != "free" and cost.amount != 0

    def provider_of(self, said: str | None, model: object) -> str:
        """Name the provider: as the row says, as all rows are said to have, or whose model it is."""
        return said or self.provider or (self._maker_of(model) if isinstance(model, str) else None) or UNKNOWN

    def zone_of(self, source: str) -> tzinfo:
        """Give the zone of times without one in rows of a shape."""
        return self._zone or (UTC if source in _IN_UTC else HERE)

    def _time(self, call: Call, source: str) -> datetime:
        if call.at is not None and call.at != "":
            self._last = instant(_seconds(call.at), self.zone_of(source))
            return self._last
        if self._last is None:
            raise UsageError(_NO_TIME)
        call.fields["extra"] = {**call.fields.get("extra", {}), "time_assumed": True}
        return self._last

    def _entropy(self, source: str, call: Call, line: Line) -> bytes:
        if call.identity is not None:
            return digest_of(f"{source}\n{call.identity}".encode("utf-8", "replace"))
        digest = digest_of(line.identity())
        key = key_of(digest)
        rank = self.rank(line, key)
        return apart(key, rank) if rank else digest

    def saw(self, at: datetime) -> None:
        """Learn the time of a row that was read elsewhere; the next one without a time takes it."""
        self._last = at


def _ranks() -> Callable[[Line, int], int]:
    equal = Equal()
    return lambda _line, key: equal.rank(key)


def _seconds(value: object) -> Any:
    """Bring Unix milliseconds, as text or number, to seconds; eight digits are a date, 20261101.

    Raises:
        UsageError: it is a truth, or a number that is neither.
    """
    text = str(value).strip()
    if _DATE.fullmatch(text):
        return text
    if isinstance(value, str) and text.replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, bool):
        raise UsageError(f"{value!r} is no time; write 2026-11-01 or 2026-11-01T12:00:00Z")
    if not isinstance(value, int | float):
        return value
    seconds = value / 1000 if abs(value) > 1e11 else value  # noqa: PLR2004 - seconds until the year 5138
    if _DAY <= seconds < _LAST_DAY:
        raise UsageError(
            f"{text!r:.40} is no time but a spreadsheet's day number; format its column as a date"
        )
    if not _FIRST <= seconds < _LAST:  # as 20261101120000 would be
        raise UsageError(f"{text!r:.40} is no time; write 2026-11-01T12:00:00Z or Unix seconds")
    return seconds


def _own_id(identity: str | None) -> str | None:
    """Give the identity itself where it is an id of outlay's own, as its tables have."""
    if identity is None or not _own_ids.fullmatch(identity):
        return None
    return identity
