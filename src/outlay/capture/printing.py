"""A line for people on standard output, whatever signs that can show."""

import sys


def show_line(text: str) -> None:
    """Print a line; where the output is not UTF-8, a sign that it has not is shown as its escape."""
    try:
        print(text)  # noqa: T201 - printing is its purpose
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        print(text.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - likewise
