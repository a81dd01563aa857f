"""The public functions, over the one set of settings, recorder and hooks that a process has."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from outlay import process
from outlay.capture import Measure
from outlay.capture import track as _track
from outlay.capture.keywords import RecordKeywords
from outlay.capture.kinds import checked
from outlay.capture.texts import MAX_LENGTH, Texts
from outlay.core.cost import Cost
from outlay.core.errors import ResponseError, UsageError
from outlay.core.record import Record, Score
from outlay.core.usage import Quantity, Usage
from outlay.extract import read as _read

if TYPE_CHECKING:  # for an annotation alone: a program that only records does not load it
    from outlay.report import LedgerReader

F = TypeVar("F", bound=Callable[..., Any])


def instrument(*names: str, include_usage: bool | None = None) -> tuple[str, ...]:
    """Record every call of every supported SDK that is installed, or of those that are named.

    ``include_usage=False`` leaves OpenAI's chat streams as they are, without asking them for their usage.
    Without names an SDK that is not loaded yet is hooked when the program imports it. Calling it twice
    changes nothing. Gives the names of the SDKs that are hooked by now.

    Settings are read here, before the first call: what cannot be stops the program with one line, as a person
    is there to mend it, where calls would else be kept elsewhere, or a budget not, without a word.

    Raises:
        SettingsError: outlay.toml or the environment says what cannot be; or an SDK of that name is not
            supported, or too old.
        MissingExtraError: an SDK that was named is not installed.
    """
    here = process.current()
    asked = here.settings.include_usage if include_usage is None else include_usage
    return (
        here.hooks.instrument(*names, include_usage=asked) if names else here.hooks.watch(include_usage=asked)
    )


def uninstrument(*names: str) -> None:
    """Take the hooks out again, all or those that are named; the SDKs are then as they were.

    Raises:
        SettingsError: an SDK of that name is not supported.
    """
    process.current().hooks.uninstrument(*names)


def record(
    *, provider: str = "unknown", model: str | None = None, **fields: Unpack[RecordKeywords]
) -> Record:
    """Record one call by hand and give the Record; every field of Record is a keyword.

    ``at`` is when it started (now; without a zone UTC), tokens are inclusive counts (``input_tokens`` holds
    cached and written ones), ``latency_ms`` is in milliseconds, ``cost`` states what it cost, in ``currency``
    (US dollars); without it the price book is asked. ``operation`` is OpenTelemetry's name; without it that
    of ``api``, if that is one that outlay reads, or ``chat``.

    Raises:
        TypeError: an unknown keyword.
        UsageError: a count or cost that cannot be, or a value that is not of its field's kind.
        QueryError: an ``at`` that is no time.
    """
    named = provider or "unknown"  # a None from a program's own data would make a line that no ledger takes
    said = checked({"provider": named, "model": model, **fields})
    return process.current().recorder().record(**said)


def score(
    record_id: str,
    *,
    quality_score: float | None = None,
    user_rating: float | None = None,
    correct: bool | None = None,
) -> Score:
    """Judge a recorded call, now or later; the newest value of each field counts.

    The scales of ``quality_score`` and ``user_rating`` are yours; reports give means of them. ``record_id``
    is the ``id`` of the Record, and may be of a call that another process recorded.

    Raises:
        UsageError: none of the three is given, or one that is not of its kind; or the id is none.
    """
    said = checked(
        {
            "record_id": record_id or "",
            "quality_score": quality_score,
            "user_rating": user_rating,
            "correct": correct,
        }
    )
    return process.current().recorder().score(**said)


def flush(timeout: float | None = None) -> bool:
    """Return when all that was recorded is in the journal on disk; False after ``timeout`` seconds.

    True says that a crash of the process loses none of it. Reports take it in when they are asked for.
    """
    return process.current().flush(timeout)


@overload
def track(function: F, /) -> F: ...
@overload
def track(function: None = None, /, **attributes: Any) -> Callable[[F], F]: ...
def track(function: Callable[..., Any] | None = None, /, **attributes: Any) -> Any:
    """Decorate a function, coroutine, generator or async generator whose calls are to be recorded.

    The attributes are those of ``context``; ``provider``, ``api`` and ``model`` help where the function's own
    result has to be read, because no instrumented SDK was seen inside: a response, a list of them, or a list
    of a stream's events. What a generator yields is not read, for nothing tells a chunk from an answer there:
    pass it through ``measure(…).stream``.
    """
    decorator = _track(process.current().recorder_around_work, **attributes)
    return decorator if function is None else decorator(function)


def measure(
    *,
    provider: str = "unknown",
    model: str | None = None,
    api: str | None = None,
    streamed: bool = False,
    **attributes: Any,
) -> Measure:
    """Measure one call by hand: ``with outlay.measure(provider="acme", model="m1") as call: …``.

    Inside, hand over what came: ``call.response(response)`` or ``call.usage(input_tokens=…)``, or pass a
    stream through ``call.stream(chunks)``; ``call.retry(error)`` begins another attempt. ``api`` names the
    response's API where its shape does not tell; the attributes are those of ``context``.

    Raises:
        ResponseError: no API has that name.
        UsageError: provider or model is no text, or streamed neither True nor False.
    """
    said = checked({"provider": provider or "unknown", "model": model, "streamed": streamed})
    return Measure(process.current().recorder_around_work, api=api, **said, **attributes)


def store_prompts(redact: Callable[[str], str | None] | None = None, *, max_length: int = MAX_LENGTH) -> None:
    """Keep the texts of prompts and replies from now on, as the setting ``store_prompts`` does.

    ``redact`` is given each text and gives what may be kept of it, or None to keep nothing; where it fails,
    nothing is kept. Keys are taken out, and texts are cut to ``max_length`` characters. The words of errors
    are kept likewise, cut to 300.
    """
    recorder = process.current().recorder()
    recorder.texts = recorder.errors = Texts(redact, max_length)


def usage_of(response: Any, *, provider: str, api: str | None = None) -> Usage:
    """Read what a response used: an SDK object, a mapping, JSON or SSE text, or a list of stream events.

    Raises:
        ResponseError: it cannot be read at all, or provider or API is no text.
    """
    texts: dict[str, object] = {"provider": provider, "api": "" if api is None else api}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ResponseError(f"{name} must be text, not {value!r:.60}")
    return _read(response, provider=provider, api=api)


def cost_of(
    usage: Usage | Mapping[str, Quantity],
    *,
    provider: str | None = None,
    model: str | None = None,
    at: datetime | None = None,
    **terms: str,
) -> Cost:
    """Price a usage at the instant of its call (now), exactly and line by line; see ``Cost`` for its states.

    ``usage`` is what ``usage_of`` gives, or a mapping of counts. ``terms`` such as ``service_tier="flex"`` or
    ``batch="true"`` stand over those that the response named. An unknown price is no error: the cost's
    ``amount`` is then None, with a ``reason``.

    Raises:
        UsageError: counts that cannot be, or an argument that is of no kind that it could be.
    """
    from outlay.pricing import cost_of as price  # noqa: PLC0415 - `import outlay` itself stays light

    book = process.current().book()
    try:
        return price(usage, provider=provider, model=model, at=at, book=book, **terms)
    except (AttributeError, TypeError) as error:
        raise _said_of(error, at, {"provider": provider, "model": model, **terms}) from None


def _said_of(error: Exception, at: object, texts: Mapping[str, object]) -> Exception:
    """Say which argument was of the wrong kind, if one was; looked at only when something went wrong."""
    if at is not None and not isinstance(at, datetime):
        return UsageError(f"at must be a datetime, not {at!r:.60}")
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return UsageError(f"{name} must be text, not {value!r:.60}")
    return error


def open(url: str | None = None) -> "LedgerReader":  # noqa: A001 - the surface's name; the builtin is not used here
    """Open a ledger to ask it questions; without a URL the one that the settings name.

    A folder's path, ``memory:``, or the URL of a server. A server is asked with the first question, whose
    ``LedgerError`` says where it cannot be reached.

    Raises:
        SettingsError: the URL names no ledger, or outlay.toml cannot be read.
        MissingExtraError: the server's driver is not installed.
    """
    return process.current().open(url)
