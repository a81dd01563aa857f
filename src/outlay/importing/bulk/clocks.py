"""Instants as a file usually writes them, as SQL that reads those faster than a pattern of all there are."""

import re
from dataclasses import dataclass

from outlay.importing.bulk.expressions import quoted

_KNOWN = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}([T ])[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,6}))?(Z?)")


@dataclass(frozen=True, slots=True)
class Usual:
    """How instants are written of which a sample is one."""

    clock: str  # an expression; NULL for a text that is written otherwise
    is_local: bool  # whether no zone is told


def as_written(text: str, sample: str | None) -> Usual | None:
    """Say how to read an expression's texts that are written as a sample; None where that is no usual way."""
    found = None if sample is None else _KNOWN.fullmatch(sample)
    if found is None:
        return None
    between, places, zone = found.groups()
    shape = f"20__-__-__{between}__:__:__{'.' + '_' * len(places) if places else ''}{zone}"
    pattern = f"%Y-%m-%d{between}%H:%M:%S{'.%f' if places else ''}{zone}"
    checks = [f"{text} LIKE {quoted(shape)}"]
    # The engine passes over blanks beside a blank, and at the end.
    if between == " ":
        checks += [f"{text}[10] BETWEEN '0' AND '9'", f"{text}[12] IN ('0', '1', '2')"]
    if not zone:
        checks.append(f"{text}[-1] BETWEEN '0' AND '9'")
    read = f"try_strptime({text}, {quoted(pattern)})"
    return Usual(f"CASE WHEN {' AND '.join(checks)} THEN {read} END", is_local=not zone)
