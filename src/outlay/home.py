"""Where calls are kept when nobody says it: a folder in the user's data directory."""

from pathlib import Path

from outlay.core.errors import SettingsError


def default_home() -> Path:
    """Give the folder that counts where none is named.

    Raises:
        SettingsError: this user has none: no HOME is set, and the machine does not know the user.
    """
    from platformdirs import user_data_path  # noqa: PLC0415 - most programs name a folder, or ask once

    try:
        return user_data_path("outlay", appauthor=False)
    except RuntimeError:
        what = "this user has no home folder, as in some containers"
        raise SettingsError(f"{what}; set OUTLAY_HOME to a folder that can be written") from None


def working_folder() -> Path:
    """Give the folder that the process works in; the topmost one where that has been removed meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")
