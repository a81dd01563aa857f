"""Our records as OpenTelemetry metrics, by the conventions of v1.41, the newest ones, or both."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from opentelemetry import metrics

from outlay import process
from outlay.capture.guard import guarded
from outlay.core.ports import Sink
from outlay.core.record import Entry, Record
from outlay.core.units import KINDS, TOKEN_UNITS, split_unit
from outlay.otel.vocabulary import provider_name

Conventions = Literal["v1.41", "newest", "both"]
TOKEN_BUCKETS = tuple(4.0**power for power in range(14))  # 1, 4, 16, … 67108864
SECONDS_BUCKETS = tuple(0.01 * 2**power for power in range(14))  # 0.01, 0.02, … 81.92


def export_metrics(
    meter_provider: Any = None,
    *,
    conventions: Conventions | None = None,
    tags: tuple[str, ...] = (),
) -> Callable[[], None]:
    """Emit metrics of every call that this process records from now on; gives a function that stops it.

    ``conventions`` is the setting ``otel_names`` unless it is given. ``tags`` are put on every metric as
    ``outlay.tag.NAME``; users and sessions never are, since a metric has few values by each attribute. The
    cost is ``outlay.cost`` by currency, in floating point as metrics are: for pictures, not for bills.

    Raises:
        ValueError: no such conventions.
    """
    here = process.current()
    chosen = conventions or here.settings.otel_names
    if chosen not in {"v1.41", "newest", "both"}:
        raise ValueError(f"conventions are v1.41, newest or both, not {chosen!r:.40}")
    meter = metrics.get_meter("outlay", meter_provider=meter_provider)
    told: list[Callable[[Record, dict[str, Any]], None]] = [_Costs(meter).tell]
    if chosen != "newest":
        told.append(_Old(meter).tell)
    if chosen != "v1.41":
        told.append(_Newest(meter).tell)
    emitting = _Emitting(here.recorder().sink, told, tags)
    here.recorder().sink = emitting
    return emitting.stop


class _Emitting:
    """A sink that measures each record that it hands on."""

    def __init__(
        self, sink: Sink, told: list[Callable[[Record, dict[str, Any]], None]], tags: tuple[str, ...]
    ) -> None:
        self._sink = sink
        self._told = told
        self._tags = tags

    def append(self, entry: Entry) -> None:
        """Hand an entry on."""
        if isinstance(entry, Record):
            self._tell(entry)
        self._sink.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all is kept."""
        return self._sink.flush(timeout)

    def stop(self) -> None:
        """Measure no more."""
        self._told = []

    @guarded
    def _tell(self, record: Record) -> None:
        attributes = _attributes(record, self._tags)
        for tell in self._told:
            tell(record, attributes)


def _attributes(record: Record, tags: tuple[str, ...]) -> dict[str, Any]:
    answered = record.status != "error" or bool(record.usage.items)
    said = {
        "gen_ai.operation.name": record.operation,
        "gen_ai.provider.name": provider_name(record.provider),
        "gen_ai.request.model": record.model_requested,
        "gen_ai.response.model": record.model if answered else None,  # a failed call's is the one asked for
        "error.type": (record.error_type or "_OTHER") if record.status == "error" else None,
        **{f"outlay.tag.{name}": record.tags.get(name) for name in tags},
    }
    return {name: value for name, value in said.items() if value is not None}


class _Costs:
    """What no convention has yet."""

    def __init__(self, meter: Any) -> None:
        self._cost = meter.create_counter("outlay.cost", unit="{money}", description="What calls cost.")
        self._calls = meter.create_counter(
            "outlay.calls", unit="{call}", description="Calls, by cost status."
        )

    def tell(self, record: Record, attributes: dict[str, Any]) -> None:
        state: dict[str, str] = {"outlay.cost.status": record.cost_status}
        if "extrapolated" in record.charge.flags:  # at a price of a later day
            state["outlay.cost.extrapolated"] = "true"
        if record.cost is not None and record.cost < 0:  # a counter takes none
            state["outlay.cost.negative"] = "true"
        self._calls.add(1, {**attributes, **state})
        if record.cost is not None and record.cost >= 0:
            money = {**attributes, "outlay.cost.currency": record.currency}
            self._cost.add(float(record.cost), money)


class _Old:
    """The metrics of v1.41, which most collectors read."""

    def __init__(self, meter: Any) -> None:
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKEN_BUCKETS,
        )
        self._duration = _seconds(meter, "gen_ai.client.operation.duration", "GenAI operation duration.")
        self._first = _seconds(meter, "gen_ai.client.operation.time_to_first_chunk", "Time to first chunk.")

    def tell(self, record: Record, attributes: dict[str, Any]) -> None:
        if record.usage.items:  # nothing is said of a call whose usage is not known: 0 would be a figure
            for kind, tokens in (("input", record.input_tokens), ("output", record.output_tokens)):
                self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind})
        _tell_times(record, attributes, self._duration, self._first)


class _Newest:
    """The metrics of the conventions' new home: a counter for each kind, by modality."""

    _ENDS: ClassVar[Mapping[str, str]] = {
        "input": "input_tokens",
        "cache_read": "cache_read.input_tokens",
        "cache_write": "cache_write.input_tokens",
        "output": "output_tokens",
        "reasoning": "reasoning.output_tokens",
    }

    def __init__(self, meter: Any) -> None:
        self._counters = {
            kind: meter.create_counter(f"gen_ai.client.inference.usage.{end}", unit="{token}")
            for kind, end in self._ENDS.items()
        }
        self._sizes = {
            kind: meter.create_histogram(
                f"gen_ai.client.inference.operation.{kind}_tokens",
                unit="{token}",
                explicit_bucket_boundaries_advisory=TOKEN_BUCKETS,
            )
            for kind in ("input", "output")
        }
        self._duration = _seconds(meter, "gen_ai.client.inference.duration", "Inference duration.")
        self._first = _seconds(meter, "gen_ai.client.inference.time_to_first_chunk", "Time to first chunk.")

    def tell(self, record: Record, attributes: dict[str, Any]) -> None:
        for (kind, modality), tokens in _by_modality(record).items():
            self._counters[kind].add(tokens, {**attributes, "gen_ai.token.modality": modality})
        if record.usage.items:
            self._sizes["input"].record(record.input_tokens, attributes)
            self._sizes["output"].record(record.output_tokens, attributes)
        _tell_times(record, attributes, self._duration, self._first)


def _by_modality(record: Record) -> dict[tuple[str, str], int]:
    """Count tokens as the conventions do: input and output hold every kind of theirs."""
    counts: dict[tuple[str, str], int] = {}
    for kind, modality, tokens in _parts(record):
        counts[kind, modality] = counts.get((kind, modality), 0) + tokens
    return counts


def _parts(record: Record) -> Iterator[tuple[str, str, int]]:
    for unit, quantity in record.usage.items:
        side = TOKEN_UNITS.get(unit)
        if side is None:
            continue
        _, modality = split_unit(unit)
        known = modality if modality in {"audio", "image"} else "unknown" if modality else "text"
        yield side, known, int(quantity)
        kind = KINDS[unit]
        if kind not in {"input", "output"}:
            yield "cache_write" if kind.startswith("cache_write") else kind, known, int(quantity)


def _seconds(meter: Any, name: str, description: str) -> Any:
    return meter.create_histogram(
        name, unit="s", description=description, explicit_bucket_boundaries_advisory=SECONDS_BUCKETS
    )


def _tell_times(record: Record, attributes: dict[str, Any], duration: Any, first: Any) -> None:
    if record.latency_ms is not None:
        duration.record(record.latency_ms / 1000, attributes)
    if record.time_to_first_token_ms is not None:
        first.record(record.time_to_first_token_ms / 1000, attributes)
