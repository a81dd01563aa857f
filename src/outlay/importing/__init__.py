"""Calls that others recorded, read into Records: logs, exports and tables."""

from outlay.importing.files import Fault, Line
from outlay.importing.made import Maker
from outlay.importing.reading import Import, entries_of
from outlay.importing.shapes import SHAPES, shape_of

__all__ = ["SHAPES", "Fault", "Import", "Line", "Maker", "entries_of", "shape_of"]
