"""What a ClickHouse table is sent: plain ids, and nothing that it would cut or that is no entry."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from outlay.core.errors import RefusedEntryError
from outlay.ledger.clickhouse import intake
from outlay.testing import call

ID = "01a0f4c2-c400-7cc7-9927-7b0c2f7281f8"


@pytest.mark.parametrize("spelled", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}"])
def test_an_id_is_sent_in_its_plain_spelling(spelled: str) -> None:
    record = call(id=spelled)
    sent = intake._with_plain_id(record)
    assert sent == replace(record, id=ID)
    assert (sent is record) is (spelled == ID)


def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(RefusedEntryError, match="'call-7' is no id of a record"):
        intake._with_plain_id(call(id="call-7"))


@pytest.mark.parametrize(
    ("cost", "sent"),
    [
        ("0.123456789012345678", "0.123456789012345678"),
        ("0.1234567890123456786", "0.123456789012345679"),  # the server would cut its last digit
        ("0.12345678901234567861", "0.123456789012345679"),
    ],
)
def test_a_cost_is_sent_with_the_places_that_its_column_has(cost: str, sent: str) -> None:
    assert orjson.loads(intake._record_line(call(cost=cost)))["cost"] == sent


@pytest.mark.parametrize("odd", [{"usage": None}, {"tags": 3}, {"at": "yesterday"}])
def test_a_record_of_the_wrong_things_is_refused_and_not_sent(odd: dict[str, Any]) -> None:
    with pytest.raises(RefusedEntryError, match="an entry cannot be kept: "):
        intake._record_line(replace(call(), **odd))
