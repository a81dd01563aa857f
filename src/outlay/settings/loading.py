"""Reading the settings: variables first, then the nearest outlay.toml upwards."""

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from outlay.core.addresses import is_path
from outlay.core.errors import SettingsError
from outlay.core.inherited import FILE, RUN
from outlay.origin import default_tags
from outlay.settings.readers import READERS
from outlay.settings.tables import misplaced
from outlay.settings.values import PRICES_NAME, VARIABLES, Settings

FILE_NAME = "outlay.toml"


def load(environ: Mapping[str, str], cwd: Path) -> Settings:
    """Read the settings: OUTLAY_* variables first, then the nearest outlay.toml upwards of ``cwd``.

    A child of ``outlay run`` reads that of the run, if there was one, wherever it starts.

    Tags of both are put together. A relative path counts from the file that names it, or from ``cwd`` when it
    comes from the environment.

    Raises:
        SettingsError: a file that is no TOML, an unknown key, or a value that cannot be.
    """
    file = _handed_down(environ) or find_file(cwd)
    given = {} if file is None else _read_file(file)
    shared = given.get("tags", {})  # by all who use that file; each service adds its own
    for key, variable in VARIABLES.items():
        if text := environ.get(variable, "").strip():
            given[key] = _parse(key, text, variable, cwd)
    home = _home(given.get("ledger"), given.pop("home", None))
    if "prices" not in given and _is_file(home / PRICES_NAME):
        given["prices"] = home / PRICES_NAME
    tags = {**default_tags(environ), **shared, **given.get("tags", {})}
    given["tags"] = {name: text for name, text in tags.items() if text is not None}
    return Settings(home=home, file=file, run=environ.get(RUN) or None, **given)


def _handed_down(environ: Mapping[str, str]) -> Path | None:
    file = Path(environ.get(FILE, "")) if environ.get(RUN) else Path()
    return file if _is_file(file) else None


def find_file(cwd: Path) -> Path | None:
    """Give the nearest outlay.toml in this folder or one above it."""
    files = (up / FILE_NAME for up in (cwd.absolute() / FILE_NAME).parents)
    return next(filter(_is_file, files), None)


def _is_file(path: Path) -> bool:
    """Whether a file is there; in a folder that is closed to this user there is none for it."""
    try:
        return path.is_file()
    except OSError:
        return False


def _home(ledger: str | None, home: Path | None) -> Path:
    if ledger is not None and is_path(ledger):
        return Path(ledger)
    if home is not None:
        return home
    from outlay.home import default_home  # noqa: PLC0415 - only where no folder is named

    return default_home()


def _read_file(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most processes have no outlay.toml, and start sooner without it

    try:
        # Numerals stay as they were written: budgets are money.
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read as TOML: {error}") from None
    if said := misplaced(content, READERS):
        raise SettingsError(f"{file}: {said}")
    for key in content:
        if key not in READERS:
            raise SettingsError(f"{file}: unknown key {key!r:.60}; {_nearest(key)}")
    return {key: _parse(key, value, f"{file}: {key}", file.parent) for key, value in content.items()}


def _nearest(key: str) -> str:
    near = get_close_matches(key, READERS, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(READERS)}"


def _parse(key: str, value: object, where: str, base: Path) -> Any:
    try:
        return READERS[key](value, base)
    except SettingsError as error:  # of a ledger's URL: the value may hold a password
        raise SettingsError(f"{where}: {error}") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(f"{where} = {value!r:.80}: {error}") from None
