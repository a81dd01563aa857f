"""The admin: a list with the totals of what its filters leave, and nothing that can be changed."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client, override_settings

from outlay.contrib.django import DjangoUsageTracker


@pytest.fixture
def client(sqlite: str) -> Any:
    from django.contrib.auth.models import User  # noqa: PLC0415 - needs the settings

    tracker = DjangoUsageTracker()
    for user, cost in (("ada", "0.0125"), ("ada", "0.25"), ("ben", "3")):
        tracker.record(
            llm_id=1,
            user_id=user,
            model="gpt-4o",
            prompt_tokens=1000,
            completion_tokens=1,
            cost=Decimal(cost),
        )
    tracker.record(llm_id=2, user_id="ben", model="imaginary-9", prompt_tokens=5, completion_tokens=0)
    boss, _ = User.objects.get_or_create(username="boss", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    with override_settings(ROOT_URLCONF="tests.support.django_admin_urls"):
        yield client


def totals(page: Any) -> Any:
    assert page.status_code == 200
    return page.context_data["totals"]


def test_row_048_the_list_shows_totals_of_what_the_filters_leave(client: Any) -> None:
    page = client.get("/admin/outlay/call/")
    found = totals(page)
    assert (found["calls"], found["tokens_in"], found["dollars"]) == (4, 3005, "$3.262500")
    assert [(row["model"], row["dollars"], row["unpriced"]) for row in found["models"]] == [
        ("gpt-4o", "$3.262500", 0),
        ("imaginary-9", "unknown", 1),
    ]
    assert "outlay-totals" in page.content.decode()
    assert "<th>$3.262500</th>" in page.content.decode()
    assert totals(client.get("/admin/outlay/call/", {"q": "ada"}))["dollars"] == "$0.262500"
    unknown = totals(client.get("/admin/outlay/call/", {"model": "imaginary-9"}))
    assert (unknown["calls"], unknown["dollars"]) == (1, "unknown")
    assert totals(client.get("/admin/outlay/call/", {"q": "nobody"}))["dollars"] == "$0.000000"


def test_nothing_can_be_added_changed_or_deleted(client: Any) -> None:
    from outlay.contrib.django.models import Call  # noqa: PLC0415 - needs the settings

    call = Call.objects.get(user="ada", cost=Decimal("0.25"))
    assert client.get("/admin/outlay/call/add/").status_code == 403
    assert client.post(f"/admin/outlay/call/{call.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/outlay/call/{call.pk}/change/", {"user": "eve"}).status_code == 403
    assert client.get(f"/admin/outlay/call/{call.pk}/change/").status_code == 200
    call.refresh_from_db()
    assert str(call).startswith("openai/gpt-4o 20")
