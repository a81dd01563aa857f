"""Starting a Python program inside this process, as if Python itself had started it."""

import builtins
import importlib.util
import os
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from errno import EACCES
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType

from outlay.cli.inputs import InputError

INTERRUPTED = 130


class NoProgramError(InputError):
    """The program or module that was to be run is not there."""


def check_program(program: str) -> None:
    """Look for a file, folder or command before anything is done for it.

    Raises:
        NoProgramError: there is none, or it is no Python.
    """
    path = Path(program)
    if path.is_dir() and not (path / "__main__.py").exists():
        raise NoProgramError(
            f"{program} is a folder without __main__.py; name a Python file, or a module with -m"
        )
    if path.is_file() and not os.access(path, os.R_OK):
        raise NoProgramError(f"{program}: {os.strerror(EACCES)}; make it readable, or name another")
    if path.exists() and (path.is_dir() or _is_source(path) or _is_compiled(path)):
        return
    if path.exists() and not _PYTHON.fullmatch(path.name):
        raise _no_python(path)
    _command(program)


def _no_python(found: object) -> NoProgramError:
    return NoProgramError(f"{found} is no Python program; outlay run -m runs a module")


def check_module(module: str) -> None:
    """Look for a module's outermost package, without importing anything.

    Raises:
        NoProgramError: there is none.
    """
    first = module.partition(".")[0]
    here = bool(first) and any((Path.cwd() / name).exists() for name in (first, f"{first}.py"))
    named = first.isidentifier() and first != "__main__"  # which is our own command at this moment
    if not here and (not named or importlib.util.find_spec(first) is None):
        raise _no_module(module)


def _no_module(module: str) -> NoProgramError:
    return NoProgramError(f"no module {module!r:.200}; is it installed where outlay is, or in this folder?")


def start_file(program: str, args: Sequence[str]) -> int:
    """Run a file, a folder or archive with a __main__.py, or a Python command on PATH, such as gunicorn.

    Gives 0, or what an exception of its own means.

    Raises:
        NoProgramError: there is no such file, or it is no Python.
        SystemExit: the program's own.
    """
    path = Path(program)
    if not path.exists():
        path = _command(program)
        program = str(path)
    sys.argv = [program, *args]
    if path.is_dir() or not _is_source(path):
        return _guarded(lambda: runpy.run_path(program, run_name="__main__"))
    _first_on_path(str(path.resolve().parent))
    return _guarded(lambda: _run_source(program))


def start_module(module: str, args: Sequence[str]) -> int:
    """Run a module or package as ``python -m`` would.

    Raises:
        NoProgramError: there is no such module.
        SystemExit: the program's own.
    """
    _first_on_path(str(Path.cwd()))
    sys.argv = ["-m", *args]  # what Python shows to the packages around the module
    return _guarded(lambda: _run_module(module, args))


def _run_module(module: str, args: Sequence[str]) -> None:
    """Find a module, for which the packages around it are run, and run it."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # a package of the program's own misses another one
        found = None
    if found is None:
        raise _no_module(module)
    if (
        found.submodule_search_locations is not None
        and importlib.util.find_spec(f"{module}.__main__") is None
    ):
        raise NoProgramError(f"{module} is a package without __main__.py; name one of its modules")
    sys.argv = [found.origin or module, *args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


_PYTHON = re.compile(r"python[0-9.]*(w|t)?(\.exe)?")


def _command(name: str) -> Path:
    """Find a command that is a Python script: beside our own interpreter, which will run it, then on PATH."""
    if _PYTHON.fullmatch(Path(name).name):
        raise NoProgramError(f"outlay run is the Python that runs it: leave {name!r:.200} out")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    found = shutil.which(name, path=path) if Path(name).name == name else None
    if found is None:
        raise NoProgramError(f"no program {name!r:.200}; name a Python file, or a module with -m")
    with open(found, "rb") as file:  # noqa: PTH123 - its first lines
        first = file.read(500)
    # A shell script that hands itself to Python is what installers write where the path is long.
    if not (first.startswith(b"#!") and b"python" in b"".join(first.splitlines()[:2])):
        raise _no_python(found)
    return Path(found)


def _is_source(path: Path) -> bool:
    """Whether it is text."""
    with path.open("rb") as file:
        return b"\0" not in file.read(500)


def _is_compiled(path: Path) -> bool:
    """Whether it is bytecode, or a zip file with a program in it, though a line for the shell comes first."""
    import zipfile

    return path.suffix == ".pyc" or zipfile.is_zipfile(path)


def _first_on_path(folder: str) -> None:
    """Put the program's folder where Python puts it: in place of the folder of our own command."""
    if not sys.flags.safe_path:
        sys.path[:1] = [folder]


def _run_source(program: str) -> None:
    """Run source text as __main__, which stays in place for pickles, threads and exit handlers."""
    main = ModuleType("__main__")
    loader = SourceFileLoader("__main__", program)
    main.__dict__.update(__file__=program, __builtins__=builtins, __loader__=loader, __spec__=None)
    sys.modules["__main__"] = main
    code = compile(Path(program).read_bytes(), program, "exec", dont_inherit=True)
    exec(code, main.__dict__)  # noqa: S102 - running the program is what was asked for


def _guarded(start: Callable[[], object]) -> int:
    """Run; an exception that the program lets out is shown as Python shows it, without frames of ours."""
    try:
        start()
    except NoProgramError:
        raise
    except KeyboardInterrupt as error:
        _show(error)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the program's own, shown and turned into its exit code
        _show(error)
        return 1
    return 0


def _show(error: BaseException) -> None:
    trace = _of_program(error.__traceback__)
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the frames above the program: this file's, runpy's and those that look for a module."""
    ours = (__file__, runpy.__file__, "<frozen runpy>", importlib.util.__file__, "<frozen importlib.util>")
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return trace
