"""The tags of a block's calls as maps; many calls have the same."""

from outlay.core.ports import Workbench
from outlay.importing.bulk.expressions import quoted
from outlay.importing.bulk.told import MORE, NAME_END, TAG_END, tags_of

# A map for each set of tags, made once, from the text that ``tag_text`` makes.
_PAIR = ", ".join(f"'{key}': split_part(tag, {quoted(NAME_END)}, {at})" for at, key in ((1, "k"), (2, "v")))
_MAP = f"""CASE WHEN said IS NOT NULL THEN map_from_entries(list_transform(
    string_split(said, {quoted(TAG_END)}), lambda tag: {{{_PAIR}}})) END"""


def make_tags(bench: Workbench) -> None:
    """Make ``foreign_tags``, the map of each set of tags that is told, once."""
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE foreign_tags AS
        SELECT said, CASE WHEN NOT contains(said, {quoted(MORE)}) THEN {_MAP} END AS tags
        FROM (SELECT DISTINCT tags AS said FROM foreign_told)"""  # noqa: S608  # our own names
    )
    found = bench.all(f"SELECT said FROM foreign_tags WHERE contains(said, {quoted(MORE)})")  # noqa: S608  # likewise
    if found:
        pairs = [tags_of(said) for (said,) in found]
        bench.run(
            """UPDATE foreign_tags SET tags = made.tags FROM (
            SELECT said, map_from_entries(list_zip(names, texts)) AS tags FROM (
            SELECT unnest(CAST(? AS VARCHAR[])) AS said, unnest(CAST(? AS VARCHAR[][])) AS names,
            unnest(CAST(? AS VARCHAR[][])) AS texts)) AS made WHERE made.said = foreign_tags.said""",
            [
                [said for (said,) in found],
                [list(each) for each in pairs],
                [list(each.values()) for each in pairs],
            ],
        )
