"""``outlay prices update``: newer tables of prices, fetched and verified; the last good ones stay."""

from datetime import UTC, datetime

import click

from outlay.cli.options import data_options, state_of

_SHOWN = 40
_NOWHERE = "say where from: --url URL, or prices_url in outlay.toml; or pip install --upgrade outlay"


@click.command("update")
@click.option("--url", metavar="URL", help="A bundle: http, https, file or a path; else prices_url.")
@click.option("--dry-run", is_flag=True, help="Verify and show what would change; write nothing.")
@click.option("--force", is_flag=True, help="Take an older bundle, and rates that moved a hundredfold.")
@data_options
@click.pass_context
def update(ctx: click.Context, /, *, url: str | None, dry_run: bool, force: bool) -> None:
    """Fetch newer tables of prices.

    They are verified whole: the format of every row, that nothing known is missing, and that no rate moved a
    hundredfold. When anything is wrong, or there is no network, all stays as it was. Calls that are already
    recorded keep their cost.
    """
    from outlay.cli.inputs import check_input
    from outlay.cli.prices_diff import change_json, changes_text
    from outlay.cli.session import page_of_terminal, settings_of, show, show_json
    from outlay.pricing import updates
    from outlay.pricing.sources import fetch

    settings = settings_of(state_of(ctx))
    where = url or settings.prices_url
    if where is None:
        raise click.UsageError(_NOWHERE, ctx)
    if url is not None:
        check_input(url, "name a bundle of prices, or its URL")
    found = updates.update(
        fetch(where), settings.price_updates, now=datetime.now(UTC), force=force, write=not dry_run
    )
    if state_of(ctx).json:
        show_json({"dry_run": dry_run, "written": found.new and not dry_run, "before": found.before,
                   "version": found.version, "made": found.made, "differing": found.differing,
                   "changes": [change_json(each) for each in found.changes]})  # fmt: skip
    elif not found.new:
        show(f"prices {found.version} are here already: the bundle is of {found.made:%Y-%m-%d}")
    else:
        done = "would be written (--dry-run)" if dry_run else "written; calls count by them from now on"
        show(changes_text(found.changes, _SHOWN, page_of_terminal()))
        differ = "1 rate differs" if found.differing == 1 else f"{found.differing:,} rates differ"
        show(f"{differ}, tariffs included")
        show(f"prices {found.version} of {found.made:%Y-%m-%d} in place of {found.before}: {done}")
