"""Keys and long texts are taken out of error messages before they are kept."""

import re

MAX_LENGTH = 300
_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|pplx|hf|api[-_]?key)[-_=:][A-Za-z0-9*_\-.]{8,}"
    r"|\bAIza[A-Za-z0-9_\-]{20,}|\bya29\.[A-Za-z0-9_\-]{10,}"
    r"|\b(?:Bearer|Basic)\s+\S{8,}|\bAKIA[A-Z0-9]{12,}|\beyJ[A-Za-z0-9_\-.]{20,}"
)


def redact(text: str) -> str:
    """Give the message without anything that looks like a key, cut to MAX_LENGTH characters."""
    clean = _KEY.sub("[key]", text.replace("\n", " "))
    return clean if len(clean) <= MAX_LENGTH else f"{clean[: MAX_LENGTH - 1]}…"
