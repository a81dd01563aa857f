"""Writes the packaged tables as one file for `outlay prices update`; run after `make prices`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from outlay.pricing.tables import DATA
from outlay.pricing.updates import bundle

if __name__ == "__main__":
    if len(sys.argv) != len(("tool", "file")):
        sys.exit("usage: bundle_prices.py FILE")
    Path(sys.argv[1]).write_bytes(bundle(DATA, datetime.now(UTC)))
