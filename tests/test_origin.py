"""Which service, commit and host a process is, as platforms tell it by the environment."""

from pathlib import Path

import pytest

from outlay.origin import default_tags
from outlay.settings import load


@pytest.mark.parametrize(
    ("environ", "tags"),
    [
        ({}, {}),
        ({"OTEL_SERVICE_NAME": "web", "OUTLAY_SERVICE": " "}, {"service": "web"}),
        ({"OTEL_SERVICE_NAME": "web", "OUTLAY_SERVICE": "ask"}, {"service": "ask"}),
        ({"K_SERVICE": "run", "GITHUB_SHA": "abc"}, {"service": "run", "git_commit": "abc"}),
        ({"HOSTNAME": "pod-1", "DD_ENV": "prod"}, {"host": "pod-1", "environment": "prod"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a%20b, host.name=h,odd,deployment.environment=prod"},
            {"service": "a b", "host": "h", "environment": "prod"},
        ),
    ],
)
def test_what_the_environment_names_is_a_tag(environ: dict[str, str], tags: dict[str, str]) -> None:
    assert default_tags(environ) == tags


def test_tags_of_ones_own_win(tmp_path: Path) -> None:
    environ = {"OTEL_SERVICE_NAME": "web", "HOSTNAME": "h", "OUTLAY_TAGS": "service=own,team=search"}
    assert load(environ, tmp_path).tags == {"service": "own", "team": "search", "host": "h"}
