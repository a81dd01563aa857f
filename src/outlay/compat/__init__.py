"""The names under which others' documents import these interfaces: creative_services, aicore, dd_llm.

``install()`` makes them importable where no package of that name is installed; nothing else is changed.
"""

from outlay.compat.finder import install, uninstall

__all__ = ["install", "uninstall"]
