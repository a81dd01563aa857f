"""Keys and long texts are taken out of error messages before they are kept."""

import re

MAX_LENGTH = 300
_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|pplx|hf|api[-_]?key)[-_=:][A-Za-z0-9*_\-.]{8,}"
    # Fireworks', Replicate's, Together's, Voyage's, Nvidia's, Jina's, GitHub's
    r"|\b(?:fw|fpk|r8|tgp|pa|nvapi|jina|gh[opsu]|github_pat)[-_](?=[A-Za-z_\-]{0,40}\d)[A-Za-z0-9_\-]{16,}"
    r"|\b(?:AIza|AQ\.)[A-Za-z0-9_\-]{20,}|\bya29\.[A-Za-z0-9_\-]{10,}"
    r"|\b(?:Bearer|Basic)\s+\S{8,}|\bA[KS]IA[A-Z0-9]{12,}|\bABSK[A-Za-z0-9+/=]{20,}"
    r"|\beyJ[A-Za-z0-9_\-.]{20,}|\b[0-9a-f]{32}\.[A-Za-z0-9]{8,}"  # the last is Z.ai's and Ollama's
    # without a sign of their own: Azure's, Mistral's, Cohere's, Together's
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}\b"
)
# What stands behind such a name, in a URL, a header or JSON, is a key whatever it looks like.
_NAMED = re.compile(
    r"""((?:api[-_ ]?key|[?&]key|token|secret|password|authorization)["']?\s*[:=]\s*["']?)"""
    r"""(?!\[key\])[^\s"'&,}]{8,}""",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Give the message without anything that looks like a key, cut to MAX_LENGTH characters."""
    clean = without_keys(text.replace("\n", " "))
    return clean if len(clean) <= MAX_LENGTH else f"{clean[: MAX_LENGTH - 1]}…"


def words_of(error: object) -> str:
    """Give an error's text without keys; its class where it cannot say what it is."""
    try:
        return redact(str(error))
    except Exception:  # noqa: BLE001 - an error that cannot say what it is is one all the same
        return type(error).__name__


def without_keys(text: str) -> str:
    """Give a text without anything that looks like a key."""
    return _NAMED.sub(r"\1[key]", _KEY.sub("[key]", text))
