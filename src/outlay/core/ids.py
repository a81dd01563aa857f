"""Record ids: UUIDv7 (RFC 9562), whose first 48 bits are the record's time in milliseconds."""

import random
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TIME = (1 << 48) - 1
_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def uuid7(at: datetime, entropy: bytes | None = None) -> str:
    """Make an id for a record of that instant.

    With ``entropy`` (ten bytes or more, such as a digest) the id depends on nothing else, so that the
    same foreign line read twice has the same id; without it, it is random.
    """
    milliseconds = (at - _EPOCH) // _MILLISECOND
    # Not for secrets, only never the same twice: seeded by the system, and anew in every forked child.
    noise = random.getrandbits(80) if entropy is None else int.from_bytes(entropy[:10])
    number = (
        (milliseconds & _TIME) << 80
        | _VERSION
        | ((noise >> 62) & _RANDOM_A) << 64
        | _VARIANT
        | (noise & _RANDOM_B)
    )
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def time_of(record_id: str) -> datetime:
    """Read the instant, to the millisecond, out of an id made by :func:`uuid7`."""
    return _EPOCH + timedelta(milliseconds=int(record_id.replace("-", "")[:12], 16))
