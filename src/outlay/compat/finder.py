"""A finder that stands behind all others, so that a package that is really installed always wins."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "creative_services": "outlay.compat.creative_services",
        "creative_services.adapters": "outlay.compat.creative_services_adapters",
        "creative_services.core": "outlay.compat.creative_services",
        "creative_services.core.llm_client": "outlay.compat.creative_services",
        "creative_services.core.llm_registry": "outlay.compat.creative_services",
        "creative_services.core.usage_tracker": "outlay.compat.creative_services",
        "aicore": "outlay.compat.aicore",
        "aicore.llm": "outlay.compat.aicore",
        "aicore.llm.config": "outlay.compat.aicore",
        "aicore.llm.usage": "outlay.compat.aicore",
        "aicore.observability": "outlay.observability",
        "aicore.observability.collector": "outlay.observability",
        "dd_llm": "outlay.compat.dd_llm",
    }
)
"""Every name that is made importable, with the module whose public names it shows."""


class Shown(Loader):
    """Makes a module that shows the public names of one of ours."""

    def __init__(self, source: str) -> None:
        self._source = source

    def exec_module(self, module: ModuleType) -> None:
        """Put the names in."""
        source = import_module(self._source)
        names = source.__all__
        module.__doc__ = source.__doc__
        module.__dict__.update({name: getattr(source, name) for name in names}, __all__=list(names))


class Finder(MetaPathFinder):
    """Finds the names of ``MODULES``, and those below only where the name above is ours too."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        """Give the spec of one of our names, else None."""
        source = MODULES.get(fullname)
        above, _, _ = fullname.rpartition(".")
        if source is None or (above and not _is_ours(above)):
            return None
        return ModuleSpec(fullname, Shown(source), origin=f"shown by {source}", is_package=True)


def _is_ours(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and isinstance(spec.loader, Shown)


def install() -> None:
    """Make the names importable where no package of that name is installed; a second time changes nothing."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())


def uninstall() -> None:
    """Take the names out again, those that were imported meanwhile too."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    for name in [name for name in MODULES if _is_ours(name)]:
        sys.modules.pop(name)
