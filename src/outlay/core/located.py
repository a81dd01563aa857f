"""Errors of the system, named by the file or folder that they are about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def located(place: Path) -> Iterator[None]:
    """Name the file or folder in an error of the system that names none, as one of a full disk does."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(place)) from error
