"""What outlay is made of stands in sbom.cdx.json, under which terms in NOTICES.md; neither lags behind."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from tools import notices, sbom

from outlay.pricing import tables

ROOT = Path(__file__).parents[2]
LOCKED = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
LISTED: dict[str, Any] = json.loads(sbom.KEPT.read_text("utf-8"))
MACHINE = {  # of which the list is made: Python 3.11 on Linux
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def _needed() -> dict[str, str]:
    """Follow the lock file from outlay with every extra; give names and versions."""
    packages = {each["name"]: each for each in LOCKED if _here(*each.get("resolution-markers", ()))}
    found: dict[str, str] = {}
    todo = [("outlay", ("", *packages["outlay"]["optional-dependencies"]))]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extras = todo.pop()
        found[name] = packages[name]["version"]
        for extra in {"", *extras} - {old for known, old in seen if known == name}:
            seen.add((name, extra))
            todo.extend(_lines(packages[name], extra))
    return {name: version for name, version in found.items() if name != "outlay"}


def _lines(package: dict[str, Any], extra: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    lines = (
        package.get("optional-dependencies", {}).get(extra, ()) if extra else package.get("dependencies", ())
    )
    for line in lines:
        if _here(*[line["marker"]] if "marker" in line else ()):
            yield line["name"], tuple(line.get("extra", ()))


def _here(*markers: str) -> bool:
    return not markers or any(Marker(each).evaluate(MACHINE) for each in markers)


def test_the_list_has_every_package_that_the_lock_file_brings_and_no_other() -> None:
    listed = {
        canonicalize_name(each["name"]): each["version"]
        for each in LISTED["components"]
        if each["type"] == "library"
    }
    assert listed == _needed(), "make sbom"


def test_the_list_has_what_prices_are_made_from_in_the_versions_of_the_tables() -> None:
    lists = {each["name"]: each["version"] for each in LISTED["components"] if each["type"] == "data"}
    assert tables.data_version().startswith("+".join(lists[name] for name in sbom.LISTS) + "+"), "make sbom"


def test_the_list_says_what_outlay_itself_needs() -> None:
    root = LISTED["metadata"]["component"]["bom-ref"]
    (needs,) = (each["dependsOn"] for each in LISTED["dependencies"] if each["ref"] == root)
    names = {canonicalize_name(ref.partition("==")[0]) for ref in needs if not ref.startswith("prices:")}
    assert names == sbom.asked_for(), "make sbom"
    known = {each["bom-ref"] for each in LISTED["components"]}
    assert set(needs) <= known


def test_notices_quote_the_licences_that_the_lists_packages_carry() -> None:
    if not _installed("litellm"):
        pytest.skip("litellm is in the group frameworks")
    assert notices.text() == notices.FILE.read_text("utf-8"), "make notices"


def test_a_list_under_another_licence_is_refused_and_not_quoted() -> None:
    with pytest.raises(ValueError, match="requests is not under the MIT licence"):
        notices.licence("requests")


def test_every_list_that_a_price_table_names_has_its_notice() -> None:
    named = {
        source["name"] if isinstance(source, dict) else source
        for file in (ROOT / "src" / "outlay" / "pricing" / "data").glob("*.json")
        for source in json.loads(file.read_text("utf-8"))["sources"]
    }
    assert {re.split(r"[ :]", name)[0] for name in named} <= set(notices.SOURCES), sorted(named)
    assert set(notices.SOURCES) == set(sbom.LISTS)


def _installed(package: str) -> bool:
    try:
        return bool(notices.licence(package))
    except ModuleNotFoundError:
        return False
