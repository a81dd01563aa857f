"""``outlay demo``: a few calls, recorded for real, and what they cost."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from outlay.cli.options import data_options, state_of

TIERS = ("mock-fast", "mock-balanced", "mock-premium")
_DEFAULT = "mock-balanced"
_PROMPTS = (
    "What is gradient descent?",
    "Explain the attention mechanism in one paragraph.",
    "Name three uses of embeddings.",
    "What does temperature change in sampling?",
    "Summarise the difference between RAM and disk.",
    "Write a haiku about a cache that missed.",
)


@click.command
@click.option("--calls", type=click.IntRange(min=1), default=6, show_default=True, help="How many calls.")
@click.option("--multi", is_flag=True, help="Take mock-fast, mock-balanced and mock-premium in turn.")
@click.option(
    "--provider",
    metavar="P",
    help=f"Who answers; openai and others need your key, and bill it.  [default: {_DEFAULT}]",
)
@click.option("--model", metavar="M", help="The model, for a provider that has several.")
@click.option("--show-calls", is_flag=True, help="Show every call.")
@click.option("--seed", type=int, help="Make two runs print the same.")
@click.option("--no-sleep", is_flag=True, help="Do not wait as long as real calls would take.")
@data_options
@click.pass_context
def demo(ctx: click.Context, /, *, calls: int, **choices: Any) -> int:
    """Record a few mock calls and show what they cost.

    The calls go into the ledger like any others, in a session of their own.
    """
    from outlay import process
    from outlay.cli.session import settings_of, show, show_json
    from outlay.cli.tally import Tally
    from outlay.render.summary import summary_text

    adapters = list(_adapters(ctx, choices))
    state = state_of(ctx)
    here = process.use(settings_of(state))
    recorder = here.recorder()
    tally = recorder.sink = Tally(recorder.sink)
    session = f"demo-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(calls):
        _say(f"Call {number + 1}/{calls}", aside=state.json)
        record = _call(recorder, adapters[number % len(adapters)], number, session)
        if choices["show_calls"]:
            _say(_line(record), aside=state.json)
    kept = here.flush()
    summary = tally.summary()
    if state.json:
        show_json(summary.to_dict())
    else:
        show(f"\n{summary_text(summary)}")
    return 0 if summary.total.succeeded and kept else 1


def _adapters(ctx: click.Context, choices: dict[str, Any]) -> Iterator[Any]:
    from outlay.core.errors import MissingExtraError, SettingsError
    from outlay.llm import get_adapter

    provider, model, multi = choices["provider"], choices["model"], choices["multi"]
    if multi and (provider or model):
        raise click.UsageError(
            "--multi takes the three mock providers; leave --provider and --model out", ctx
        )
    name = provider or (model if model in TIERS else _DEFAULT)
    if model is not None and model != name and name in TIERS:
        raise click.UsageError(f"provider {name} has no model {model!r:.60}; name another --provider", ctx)
    options: dict[str, Any] = {"seed": choices["seed"], "sleep": not choices["no_sleep"]}
    for each in TIERS if multi else (name,):
        try:
            yield get_adapter(each, **(options if each in TIERS else {"model": model}))
        except (MissingExtraError, SettingsError) as error:
            raise click.UsageError(str(error), ctx) from None


def _call(recorder: Any, adapter: Any, number: int, session: str) -> Any:
    """Send one prompt and record it; what failed is recorded too."""
    prompt, at = _PROMPTS[number % len(_PROMPTS)], datetime.now(UTC)
    result = adapter.call(prompt=prompt)
    counts = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    used = {name: getattr(result, name) for name in counts} if result.success else {}
    return recorder.record(
        provider=result.provider,
        model=result.model,
        at=at,
        latency_ms=result.latency_ms,
        success=result.success,
        error=result.error,
        error_type=result.error_type,
        session=session,
        query_type="demo",
        prompt_length=len(prompt),
        **used,
    )


def _line(record: Any) -> str:
    from outlay.render.cells import dollars, milliseconds, name

    worked = "ok" if record.success else f"failed: {name(record.error_type)}"
    return (
        f"  [{name(record.provider)}] {record.input_tokens} in / {record.output_tokens} out  "
        f"{milliseconds(record.latency_ms)}  {dollars(record.cost, record.currency)}  {worked}"
    )


def _say(line: str, *, aside: bool) -> None:
    """Show progress; beside a JSON document it stands on standard error."""
    click.echo(line, err=aside)
    (sys.stderr if aside else sys.stdout).flush()
