"""What a shipper keeps in memory of parcels that could not be handed over."""

import gc
from pathlib import Path

from tests.support.ports import free_port
from tests.support.spending import lines

from outlay.ledger.ship import shipper_of
from outlay.ledger.usual import Seen


def test_a_parcel_that_failed_does_not_stay_until_garbage_is_looked_for(tmp_path: Path) -> None:
    """ClickHouse's driver leaves circles of errors and frames behind, and those held a parcel each."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "0-0-0.jsonl").write_bytes(b"".join(lines(500)))
    shipper = shipper_of(tmp_path, f"clickhouse://a:b@127.0.0.1:{free_port()}/outlay?connect_timeout=1")
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            assert "cannot be reached" in (shipper.run().error or "")
        assert not [each for each in gc.get_objects() if issubclass(type(each), Seen)]  # asks no proxy
    finally:
        gc.enable()
