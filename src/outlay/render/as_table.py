"""Tables for people: right-aligned numbers, as wide as the terminal, plain in a pipe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_GAP = 3  # between two columns
_NARROW = (2, 1)  # where names cannot be cut any further
_RULE = "\u2500"
_MORE = "\u2026"  # where a name was cut
_CODES = {"bold": 1, "yellow": 33, "cyan": 36, "bright_yellow": 93}
_NARROWEST = 12  # names are cut down to this before a whole column is left out
_BARELY = 6  # and to this where no column can be spared any more


@dataclass(frozen=True, slots=True)
class Page:
    """Where text is shown: how wide, and whether colours are understood."""

    width: int | None = None  # None: no edge, as in a pipe
    color: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its cells, and how readily it is left out where room is short."""

    heading: str
    cells: tuple[str, ...]
    text: bool = False  # names stand left and may be cut; numbers stand right and never are
    spare: int = 0  # 0: always shown; the highest goes first
    styles: tuple[str, ...] = ()  # of _CODES, one a cell, where colours are understood; none: plain
    enough: int = 0  # its cells' first places that may stand without the rest; 0: all of them or none

    @property
    def width(self) -> int:
        """The room that this column needs."""
        return max(_room(self.heading), *map(_room, self.cells), 1)

    @property
    def least(self) -> int:
        """The room without which it is of no use."""
        if self.enough:
            return min(self.width, max(self.enough, len(self.heading)))
        return min(self.width, max(_NARROWEST, len(self.heading))) if self.text else self.width


def table(columns: Sequence[Column], page: Page, *, total: bool = False) -> str:
    """Lay columns out as text; with ``total`` the last row is set off from the others by a rule.

    Below them stand the names of those for which the page has no room: every command that draws a table gives
    all of it as JSON.

    Drawn by hand: rich takes longer to load, and to draw three hundred rows, than most questions to answer.
    """
    shown = fitting(columns, page.width)
    lacking = _lacking(columns, shown, page)
    if not shown:
        return lacking
    if total and shown[0].text and not shown[0].cells[-1]:  # the column with the total's word was left out
        shown[0] = replace(shown[0], cells=(*shown[0].cells[:-1], columns[0].cells[-1]))
    wide = widths(shown, page.width)
    gap = _gap(wide, page.width)
    rule = _RULE * (sum(wide) + gap * (len(wide) - 1))
    drawn = [_drawn(column, width, page, total=total) for column, width in zip(shown, wide, strict=True)]
    heading, *rows = ((" " * gap).join(cells).rstrip() for cells in zip(*drawn, strict=True))
    below = [rule, rows.pop()] if total else []
    return "\n".join((heading, rule, *rows, *below, *([lacking] if lacking else [])))


def _lacking(columns: Sequence[Column], shown: Sequence[Column], page: Page) -> str:
    kept = {each.heading for each in shown}
    left_out = [each.heading for each in columns if each.heading not in kept]
    if not left_out:
        return ""
    text = wrapped(f"no room here for {', '.join(left_out)}; --json has all", page.width)
    return f"\x1b[2m{text}\x1b[0m" if page.color else text


def _gap(wide: Sequence[int], width: int | None) -> int:
    """Give the places between two columns: fewer where that brings them onto the page."""
    gaps = (_GAP, *_NARROW) if width is not None else ()
    return next((gap for gap in gaps if sum(wide) + gap * (len(wide) - 1) <= (width or 0)), _GAP)


def wrapped(text: str, width: int | None, indent: int = 0) -> str:
    """Break a text between words where the page ends; a word that is longer, an id or a path, stays whole."""
    if width is None or _room(text) <= width:
        return text
    bare = text.lstrip(" ")
    first, *words = bare.split(" ")
    lines = [" " * (len(text) - len(bare)) + first]
    for word in words:
        if _room(lines[-1]) + 1 + _room(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(" " * indent + word)
    return "\n".join(lines)


def _drawn(column: Column, width: int, page: Page, *, total: bool) -> list[str]:
    """Bring a column's heading and cells to one width."""
    cells = (column.heading, *column.cells)
    if column.enough:
        cells = tuple(cell[:width] for cell in cells)
    if not page.color:
        return [_padded(cell, width, "", left=column.text) for cell in cells]
    styles = ["bold", *(column.styles or ("",) * len(column.cells))]
    if total:
        styles[-1] = "bold"
    pairs = zip(cells, styles, strict=True)
    return [_padded(cell, width, style, left=column.text) for cell, style in pairs]


def _padded(text: str, width: int, style: str, *, left: bool) -> str:
    room = _room(text)
    if room > width:
        text, room = _cut(text, width), width
    blanks = " " * (width - room)
    if style and text:
        text = f"\x1b[{_CODES[style]}m{text}\x1b[0m"
    return text + blanks if left else blanks + text


def _room(text: str) -> int:
    """Give the places that a text takes; wide characters take two, marks above others none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - most texts need none of its tables

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    if text.isascii():
        return text[: width - 1] + _MORE
    from rich.cells import set_cell_size  # noqa: PLC0415 - likewise

    return set_cell_size(text, width - 1) + _MORE


def fitting(columns: Sequence[Column], width: int | None) -> list[Column]:
    """Leave out columns, the most readily spared first, until the rest has room."""
    shown = list(columns)
    while width is not None and sum(each.least + _GAP for each in shown) - _GAP > width:
        spared = max(shown, key=lambda each: each.spare)
        if not spared.spare:
            break
        shown.remove(spared)
    return shown


def widths(shown: Sequence[Column], width: int | None) -> list[int]:
    """Give every column the room it needs; where there is too little, the widest names are cut first.

    Before them go the ends that nobody needs, the longest first and whole: half a second says nothing.
    """
    wide = [each.width for each in shown]
    least = [each.least for each in shown]
    ends = [place for place, each in enumerate(shown) if each.enough]
    for place in sorted(ends, key=lambda place: least[place] - wide[place]):
        if width is not None and sum(wide) + _GAP * (len(wide) - 1) > width:
            wide[place] = least[place]
    barely = [min(size, _BARELY) if each.text else size for size, each in zip(least, shown, strict=True)]
    for floors in (least, barely):
        while width is not None and sum(wide) + _GAP * (len(wide) - 1) > width:
            excess = [size - floor for size, floor in zip(wide, floors, strict=True)]
            if not any(excess):
                break
            wide[max(range(len(wide)), key=lambda place: (excess[place] > 0, wide[place]))] -= 1
    return wide
