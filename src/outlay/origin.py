"""Tags that every call of a process gets from its environment: which service, which commit, which host."""

from collections.abc import Mapping
from urllib.parse import unquote

# By tag, the variables that platforms set, the most deliberate first.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "service": ("OUTLAY_SERVICE", "OTEL_SERVICE_NAME", "DD_SERVICE", "K_SERVICE", "AWS_LAMBDA_FUNCTION_NAME"),
    "environment": ("OUTLAY_ENVIRONMENT", "DD_ENV"),
    "git_commit": (
        "OUTLAY_GIT_COMMIT",
        "DD_GIT_COMMIT_SHA",
        "GIT_COMMIT",
        "GITHUB_SHA",
        "CI_COMMIT_SHA",
        "HEROKU_SLUG_COMMIT",
        "RENDER_GIT_COMMIT",
        "RAILWAY_GIT_COMMIT_SHA",
        "VERCEL_GIT_COMMIT_SHA",
    ),
    "host": ("OUTLAY_HOST", "HOSTNAME"),
}
# By tag, OpenTelemetry's names in OTEL_RESOURCE_ATTRIBUTES.
RESOURCE: Mapping[str, tuple[str, ...]] = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "git_commit": ("vcs.ref.head.revision",),
    "host": ("host.name",),
}


def default_tags(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the tags that the environment names; what it does not name is no tag. Nothing else is asked."""
    resource = _resource(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    found = {
        tag: _first(environ, names) or _first(resource, RESOURCE[tag]) for tag, names in VARIABLES.items()
    }
    return {tag: value for tag, value in found.items() if value}


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := values.get(name, "").strip())), None)


def _resource(text: str) -> dict[str, str]:
    """Read ``name=value,name=value``, percent-encoded as OpenTelemetry says; what is no pair is left out."""
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip(): unquote(value.strip()) for name, sign, value in pairs if sign}
