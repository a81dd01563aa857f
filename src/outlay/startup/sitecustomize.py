"""Python runs this at the start of every child of ``outlay run``, whose PYTHONPATH begins with this folder.

The child may be any Python, with outlay or without. Another ``sitecustomize``, which this one stands before,
runs after it as if this one were not there.
"""

import os
import sys
from importlib import import_module


def _take_up() -> None:
    try:
        from outlay.running import take_up  # noqa: PLC0415 - this Python may have no outlay
    except ImportError:
        return
    take_up()


def _run_the_other() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes long to load
    sys.path[:] = [path for path in sys.path if path != here]
    ours = sys.modules.pop("sitecustomize")
    try:
        import_module("sitecustomize")  # another one, since ours is out of the way
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)  # the import of this module is still under way


_take_up()
_run_the_other()
