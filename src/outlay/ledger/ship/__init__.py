"""From a home's journals to a server's ledger: in batches, each entry once, whatever dies in between."""

from outlay.ledger.ship.courier import Courier
from outlay.ledger.ship.letters import Letter, Retried, discard, open_letters, retry
from outlay.ledger.ship.making import courier_of, remove_shipped, shipper_of, shipping_first
from outlay.ledger.ship.offsets import Offsets, Progress, taken_by_all, targets, unreadable
from outlay.ledger.ship.proof import verify_shipped
from outlay.ledger.ship.shipped import Shipped
from outlay.ledger.ship.shipper import Shipper
from outlay.ledger.ship.sink import ShippedSink

__all__ = [
    "Courier",
    "Letter",
    "Offsets",
    "Progress",
    "Retried",
    "Shipped",
    "ShippedSink",
    "Shipper",
    "courier_of",
    "discard",
    "open_letters",
    "remove_shipped",
    "retry",
    "shipper_of",
    "shipping_first",
    "taken_by_all",
    "targets",
    "unreadable",
    "verify_shipped",
]
