"""The site: every page has its place in it, and no link of any page leads nowhere."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.commands import understood

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("**/*.md"))
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def _pages_of(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        ((_, place),) = entry.items()
        yield from [place] if isinstance(place, str) else _pages_of(place)


def test_every_page_has_its_place() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    placed = list(_pages_of(site["project"]["nav"]))
    by_index = {page for page in PAGES if page.parent.name == "commands" and page.name != "index.md"}
    assert sorted(placed) == sorted(str(page.relative_to(DOCS)) for page in set(PAGES) - by_index)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = page if not name else page.parent / name
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in _anchors(target), f"{page.name} links to {link}"


def _anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub and the site make them."""
    text = CODE.sub(lambda found: found[0].strip("`"), page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_the_code_that_the_billing_rules_name_is_there() -> None:
    text = (DOCS / "billing.md").read_text(encoding="utf-8")
    modules = set(re.findall(r"`(outlay\.[\w.]+)`", text))
    assert len(modules) > 20
    assert not [name for name in modules if not (ROOT / "src" / f"{name.replace('.', '/')}.py").exists()]


def test_every_file_of_the_tree_that_a_page_names_is_there() -> None:
    path = re.compile(r"`((?:src|tests|tools|benchmarks|docs|examples|\.ci)/[\w./-]+)`")
    pages = [*ROOT.glob("*.md"), *PAGES]
    named = {(page.name, name) for page in pages for name in path.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 100
    assert [each for each in sorted(named) if not (ROOT / each[1]).exists()] == [
        ("CONTRIBUTING.md", "src/outlay/instrumentation/name.py")  # which is to be made
    ]


HOWTO = (DOCS / "howto.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"`outlay ([^`]+)`", HOWTO)


@pytest.mark.parametrize("shown", SHOWN)
def test_every_command_that_a_task_names_is_one(shown: str) -> None:
    understood(shlex.split(shown.replace("FILE", str(ROOT / "README.md"))))
