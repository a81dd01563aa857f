"""Any document as JSON text that every reader takes."""

import json
from typing import Any

from outlay.report.plain import plain


def json_text(document: Any) -> str:
    """Write one document; money as plain decimal strings, signs as they are."""
    ready = plain(document)
    text = json.dumps(ready, ensure_ascii=False, indent=2, allow_nan=False)
    # Half of a surrogate pair, as cut texts have it, can only be written as an escape.
    return text if _encodes(text) else json.dumps(ready, indent=2, allow_nan=False)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
