"""Write NOTICES.md: the licence of each list that prices are made from, as its package has it.

python -m tools.notices
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

FILE = Path(__file__).parents[1] / "NOTICES.md"
_HEAD = """# Notices

outlay itself is under the MIT licence (LICENSE). The price data in `src/outlay/pricing/data` are made from
the sources below by `tools/build_prices.py`; every row names its source. Prices themselves are facts that
the providers publish; the collections are used under their licences, whose texts follow (`make notices`).
"""
SOURCES = {
    "genai-prices": (
        "Model names, rates, context tiers, tariffs and dates. <https://github.com/pydantic/genai-prices>"
    ),
    "litellm": (
        "Entries of `model_prices_and_context_window.json` for models and dimensions that the first source\n"
        "lacks; nothing from the folder `enterprise/`. <https://github.com/BerriAI/litellm>"
    ),
}
"""The lists, and what is taken from each."""


def text() -> str:
    """Give the whole page."""
    parts = (f"## {name}\n\n{taken}\n\n{_quoted(licence(name))}" for name, taken in SOURCES.items())
    return "\n".join([_HEAD, *parts])


def licence(package: str) -> str:
    """Give the licence that an installed package carries; of several that under which its list is: MIT's.

    Raises:
        PackageNotFoundError: it is not installed.
        ValueError: it carries none, or one of another kind, which somebody has to read.
    """
    files = distribution(package).files or ()
    told = "\n---\n".join(
        Path(str(file.locate())).read_text(encoding="utf-8") for file in files if file.name == "LICENSE"
    )
    for part in told.split("\n---\n"):
        if "MIT License" in part.strip().partition("\n")[0]:
            return part.strip()
    raise ValueError(f"{package} is not under the MIT licence any more: read what it carries")


def _quoted(lines: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in lines.splitlines())


def main() -> int:
    """Write it."""
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
