"""Write sbom.cdx.json: what outlay with every extra is made of, and the lists that its prices come from.

python -m tools.sbom LISTED

LISTED is what cyclonedx-py says of an environment of the locked versions (``make sbom``). Of it stay names,
versions, licences and who needs whom.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "sbom.cdx.json"
BUILT_FROM = ROOT / "src" / "outlay" / "pricing" / "data" / "version.txt"
LISTS = ("genai-prices", "litellm")
"""What price tables are made from, in the order of their versions in that file; licences: NOTICES.md."""
_FIELDS = ("bom-ref", "licenses", "name", "purl", "type", "version")


def made_of(listed: dict[str, Any], versions: list[str]) -> dict[str, Any]:
    """Give the document that is kept, in an order of its own."""
    components = [
        {field: each[field] for field in _FIELDS if field in each}
        for each in listed["components"]
        if each["name"] != "outlay"
    ]
    metadata = listed["metadata"]
    return {
        "bomFormat": listed["bomFormat"],
        "specVersion": listed["specVersion"],
        "version": 1,
        "metadata": {"component": metadata["component"], "properties": metadata["properties"]},
        "components": sorted(
            [*components, *map(_list, LISTS, versions)], key=lambda each: each["bom-ref"].lower()
        ),
        "dependencies": [_needs(each, listed) for each in listed["dependencies"]],
    }


def asked_for() -> set[str]:
    """Name the packages that pyproject.toml asks for, by itself and by its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines} - {"outlay"}


def _needs(said: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    if said["ref"] != listed["metadata"]["component"]["bom-ref"]:
        return said
    names, wanted = (
        {each["bom-ref"]: each["name"].lower().replace("_", "-") for each in listed["components"]},
        asked_for(),
    )
    lists = [f"prices:{name}" for name in LISTS]
    return {**said, "dependsOn": sorted([*(ref for ref, name in names.items() if name in wanted), *lists])}


def price_lists() -> list[str]:
    """Give the versions of the lists that the price tables were made from."""
    return BUILT_FROM.read_text(encoding="utf-8").strip().split("+")[: len(LISTS)]


def _list(name: str, version: str) -> dict[str, Any]:
    licence = {"license": {"id": "MIT", "acknowledgement": "declared"}}
    return {
        "bom-ref": f"prices:{name}",
        "licenses": [licence],
        "name": name,
        "purl": f"pkg:pypi/{name}@{version}",
        "type": "data",
        "version": version,
    }


def main() -> int:
    """Write it."""
    listed = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    KEPT.write_text(
        f"{json.dumps(made_of(listed, price_lists()), indent=1, sort_keys=True)}\n", encoding="utf-8"
    )
    print(KEPT.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
