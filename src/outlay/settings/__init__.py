"""Settings: what the environment and the nearest outlay.toml say, as one frozen value."""

from outlay.settings.loading import find_file, load
from outlay.settings.values import VARIABLES, Settings

__all__ = ["VARIABLES", "Settings", "find_file", "load"]
