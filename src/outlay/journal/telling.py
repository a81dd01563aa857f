"""Warnings of outlay's own threads; a handler or filter of the program's that raises ends none of them."""

import logging
from contextlib import suppress

_log = logging.getLogger("outlay")


def warn(message: str, *facts: object) -> None:
    """Warn in the logger ``outlay``; whatever the program's logging does with it, the work goes on."""
    with suppress(Exception):
        _log.warning(message, *facts)
