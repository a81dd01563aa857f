"""``outlay alerts``: rules looked at once, as from cron, and how they stand."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.near import NearGroup
from outlay.cli.options import data_options, state_of

if TYPE_CHECKING:  # loaded when a command runs: --help needs neither
    from outlay.alerts.check import Outcome
    from outlay.alerts.standing import Standing


@click.group(cls=NearGroup)
@data_options
def alerts() -> None:
    """Rules of outlay.toml: budgets, dear calls and errors."""


@alerts.command("check")
@click.option("--dry-run", is_flag=True, help="Tell nobody, and remember nothing.")
@data_options
@click.pass_context
def check(ctx: click.Context, *, dry_run: bool) -> int:
    """Look at every rule once; exit code 1 when one fired.

    What was newly crossed is printed and sent over every channel, once. What a channel did not take is sent
    again at later checks, after 1, 2, 4, … minutes; that is exit code 1 as well.
    """
    from outlay.alerts.setup import check_rules
    from outlay.cli.session import reader_of, settings_of, show, show_json
    from outlay.render.alerts import NO_RULES

    settings = settings_of(state_of(ctx))
    with reader_of(settings) as reader:
        outcome = check_rules(settings, reader, os.environ, datetime.now(UTC), dry=dry_run)
    if not settings.alerts.get("rules"):
        click.echo(f"outlay: {NO_RULES}", err=True)
    if state_of(ctx).json:
        show_json(_outcome(outcome, dry_run=dry_run))
    else:
        for each in outcome.fired:
            show(f"ALERT: {each.message}")
        for delivery, why in outcome.failed:
            click.echo(
                f"outlay: {delivery.channel} did not take an alert ({why}); it is sent again", err=True
            )
        for line in _waiting(outcome):
            click.echo(f"outlay: {line}", err=True)
    return 0 if outcome.is_quiet else 1


@alerts.command("list")
@data_options
@click.pass_context
def list_rules(ctx: click.Context) -> None:
    """The rules, and how they stand now."""
    from outlay.alerts.rules import rules_of
    from outlay.alerts.standing import standings
    from outlay.alerts.state import State
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.render.alerts import rules_text

    settings = settings_of(state_of(ctx))
    rules = rules_of(settings.alerts, settings.tz)
    with reader_of(settings) as reader:
        marks, now = State(settings.alert_folder).read(), datetime.now(UTC)
        found = [_standing(each, marks) for each in standings(rules, reader, now, grace=timedelta())]
    if state_of(ctx).json:
        show_json({"rules": [_rule(rule, found) for rule in rules]})
    else:
        show(rules_text([_rule(rule, found) for rule in rules], page_of_terminal()))


def _waiting(outcome: "Outcome") -> Iterator[str]:
    """Say what is sent again at a later look, a line for each channel."""
    for channel in dict.fromkeys(each.channel for each, _ in outcome.waiting):
        times = [at for each, at in outcome.waiting if each.channel == channel]
        first = min(times)[:19].replace("T", " ")
        what, they = "an alert still waits", "it is"
        if len(times) > 1:
            what, they = f"{len(times)} alerts still wait", "they are"
        yield f"{what} for {channel}; {they} sent again from {first} UTC on"


def _outcome(outcome: "Outcome", *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "fired": [
            {**_standing(each.standing, {}), "message": each.message, "count": each.count}
            for each in outcome.fired
        ],
        "sent": [{"channel": each.channel, "message": each.message} for each in outcome.sent],
        "failed": [
            {"channel": each.channel, "message": each.message, "error": why} for each, why in outcome.failed
        ],
        "waiting": [
            {"channel": each.channel, "message": each.message, "next": at} for each, at in outcome.waiting
        ],
    }


def _standing(standing: "Standing", marks: Any) -> dict[str, Any]:
    from outlay.core.money import text_of

    mark = marks.get(standing.key)
    return {
        "rule": standing.rule.name,
        "window": standing.window.label,
        "for": dict(standing.group),
        "value": text_of(standing.value),
        "limit": text_of(standing.rule.limit),
        "percent": text_of(standing.percent),
        "step": None if standing.step is None else text_of(standing.step),
        "calls": standing.calls,
        "unpriced_calls": standing.unpriced_calls,
        "partial_calls": standing.partial_calls,
        "told": mark.at if mark is not None and mark.taken else None,
        "waiting": [] if mark is None else sorted(mark.waiting),
    }


def _rule(rule: Any, found: list[dict[str, Any]]) -> dict[str, Any]:
    from outlay.core.money import text_of

    return {
        "name": rule.name,
        "kind": rule.kind,
        "limit": text_of(rule.limit),
        "currency": rule.currency,
        "window": rule.window,
        "tz": rule.tz,
        "per": list(rule.per),
        "where": {name: list(values) for name, values in rule.where},
        "steps": [text_of(step) for step in rule.steps],
        "stop": rule.stop,
        "standing": list(_of(rule.name, found)),
    }


def _of(name: str, found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in found:
        if each["rule"] == name:
            yield {key: value for key, value in each.items() if key != "rule"}
