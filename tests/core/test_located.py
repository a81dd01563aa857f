"""Errors of the system are named by what they are about."""

from errno import ENOSPC
from pathlib import Path

import pytest

from outlay.core.located import located


def test_a_full_disk_is_named_by_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as error, located(tmp_path / "x.csv"):
        raise OSError(ENOSPC, "No space left on device")
    assert (error.value.filename, error.value.errno) == (str(tmp_path / "x.csv"), ENOSPC)


def test_an_error_that_names_its_file_or_is_none_of_the_system_stays(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing, located(tmp_path):
        (tmp_path / "gone").read_bytes()
    assert missing.value.filename == str(tmp_path / "gone")
    with pytest.raises(OSError, match=r"^told by words alone$"), located(tmp_path):
        raise OSError("told by words alone")
