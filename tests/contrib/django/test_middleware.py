"""Django's middleware behind its own sessions: whom a call is for is asked of the database."""

import asyncio
from typing import Any

import pytest
from django.test import AsyncClient, Client, override_settings
from tests.support import django_site
from tests.support.wire import Kept

OWN = {
    "MIDDLEWARE": [*django_site.MIDDLEWARE, "outlay.contrib.django.middleware.attribution"],
    "OUTLAY_ATTRIBUTES": lambda request: {"user": request.user.pk},
}


@pytest.fixture
def user(sqlite: str) -> Any:
    from django.contrib.auth.models import User  # noqa: PLC0415 - needs the settings

    return User.objects.get_or_create(username="ada")[0]


def test_the_user_of_a_session_is_whom_a_call_is_for(user: Any, kept: Kept) -> None:
    with override_settings(**OWN):
        client = Client()
        client.force_login(user)
        assert client.get("/plain").content == b"done"
    assert kept.only.user == str(user.pk)


@pytest.mark.parametrize("path", ["/plain", "/async", "/async_stream"])
def test_the_user_of_a_session_is_whom_an_asynchronous_projects_call_is_for(
    user: Any, kept: Kept, path: str
) -> None:
    async def body() -> bytes:
        response = await client.get(path)
        if response.streaming:
            return b"".join([piece async for piece in response.streaming_content])
        content: bytes = response.content
        return content

    with override_settings(**OWN):
        client = AsyncClient()
        client.force_login(user)
        assert asyncio.run(body()) == b"done"
    assert {record.user for record in kept.records} == {str(user.pk)}
