"""Record ids: UUIDv7 (RFC 9562), whose first 48 bits are the record's time in milliseconds."""

import os
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = (1 << 48) - 1
VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62
FIRST_TIMED = "00000000-0001-0000-0000-000000000000"
"""The least id that tells a time: those of the first millisecond of 1970 are made where nothing tells one."""
FREE = 0xFFF << 64 | (1 << 62) - 1  # the bits behind the time that are neither
# Not for secrets, only never the same twice: a generator of our own, which a program's random.seed() does not
# touch, seeded by the system, and anew in every forked child; asking the system each time takes far longer.
_noise = Random()  # noqa: S311 - see above
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_noise.seed)


def uuid7(at: datetime, entropy: bytes | None = None) -> str:
    """Make an id for a record of that instant.

    With ``entropy`` (ten bytes or more, such as a digest) the id depends on nothing else, so that the
    same foreign line read twice has the same id; without it, it is random. Its first bits stand in the id
    where they stood, so that an engine can make such ids from digests with a mask.
    """
    since = at - _EPOCH
    milliseconds = (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000
    noise = _noise.getrandbits(80) if entropy is None else int.from_bytes(entropy[:10])
    whole = (milliseconds & _TIME) << 80 | VERSION_AND_VARIANT | noise & FREE
    text = whole.to_bytes(16).hex("-", 2)
    return f"{text[:4]}{text[5:29]}{text[30:34]}{text[35:]}"


def time_of(record_id: str) -> datetime | None:
    """Read the instant, to the millisecond, that an id made by :func:`uuid7` tells.

    None where it tells none: it is no UUIDv7, or less than ``FIRST_TIMED``.
    """
    value = UUID(record_id).int
    milliseconds = value >> 80
    timed = milliseconds and value >> 76 & 0xF == 7  # noqa: PLR2004  # the version
    return _EPOCH + timedelta(milliseconds=milliseconds) if timed else None


def least_id(at: datetime) -> str:
    """Give the least id of an instant; none is older than 1970."""
    digits = f"{max(0, (at - _EPOCH) // timedelta(milliseconds=1)):012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"
