"""What one pass of a shipper over the journals did, and what passes did together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shipped:
    """What one pass over the journals did."""

    entries: int = 0  # handed over, known ones included
    new: int = 0  # calls that the ledger did not have
    dead: int = 0  # lines set aside
    size: int = 0  # bytes
    error: str | None = None  # why it ended early
    busy: bool = False  # another process has the turn

    def __add__(self, other: "Shipped") -> "Shipped":
        return Shipped(
            self.entries + other.entries,
            self.new + other.new,
            self.dead + other.dead,
            self.size + other.size,
            other.error,
            other.busy,
        )
