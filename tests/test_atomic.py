"""A file is written whole or not at all: killed, without room, through links, with its mode."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from errno import EINVAL, EIO, ENOSPC
from pathlib import Path

import pytest
from tests.support.command import HUMBLE

from outlay.atomic import PRIVATE, sync_folder, write_file

WRITING = (
    "import sys; from pathlib import Path; from outlay.atomic import write_file;"
    "write_file(Path(sys.argv[1]), b'new')"
)
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals of POSIX")
pytestmark = posix


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    return path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def beside(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir() if each != path]


def child(program: str, *args: object, wrap: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    command = [*wrap, sys.executable, "-c", program, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_is_replaced_and_one_that_is_not_there_is_made(file: Path) -> None:
    write_file(file, b"new")
    assert file.read_bytes() == b"new"
    made = file.with_name("made")
    write_file(made, b"")
    assert made.read_bytes() == b""
    assert beside(file) == ["made"]


def test_pieces_are_written_as_they_come_or_not_at_all(file: Path) -> None:
    def pieces(*, broken: bool) -> Iterator[bytes]:
        yield b"ne"
        assert (file.read_bytes(), len(beside(file))) == (b"old", 1)
        if broken:
            raise LookupError("of the maker")
        yield b"w"

    with pytest.raises(LookupError, match="of the maker"):
        write_file(file, pieces(broken=True))
    assert (file.read_bytes(), beside(file)) == (b"old", [])
    write_file(file, pieces(broken=False))
    assert (file.read_bytes(), beside(file)) == (b"new", [])


def test_who_has_the_file_open_goes_on_reading_the_old_content(file: Path) -> None:
    with file.open("rb") as reader:
        write_file(file, b"n" * 100_000)
        assert reader.read() == b"old"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755, 0o444])
def test_a_file_keeps_its_mode_whatever_the_umask_is(file: Path, mode: int) -> None:
    file.chmod(mode)
    os.umask(0o077)
    write_file(file, b"new", mode=0o600)
    assert (file.read_bytes(), mode_of(file)) == (b"new", mode)


def test_a_new_file_has_the_mode_that_was_asked_for_less_the_umask(tmp_path: Path) -> None:
    write_file(tmp_path / "usual", b"")
    write_file(tmp_path / "private", b"", mode=PRIVATE)
    os.umask(0o027)
    write_file(tmp_path / "careful", b"")
    assert [mode_of(tmp_path / name) for name in ("usual", "private", "careful")] == [0o644, 0o600, 0o640]


def test_what_is_being_written_is_never_open_to_more_people_than_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def look(_descriptor: int) -> None:
        seen.extend(mode_of(file.parent / name) for name in beside(file))

    file.chmod(0o600)
    monkeypatch.setattr(os, "fsync", look)
    write_file(file, b"secret")
    assert seen == [0o600]


@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
def test_a_link_stays_a_link_and_what_it_points_to_is_written(tmp_path: Path, *, there: bool) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "linked").mkdir()
    real, link = tmp_path / "kept" / "real", tmp_path / "linked" / "link"
    if there:
        real.write_bytes(b"old")
        real.chmod(0o600)
    link.symlink_to("../kept/real")
    write_file(link, b"new")
    assert (str(link.readlink()), real.read_bytes()) == ("../kept/real", b"new")
    assert mode_of(real) == (0o600 if there else 0o644)
    assert (beside(real), beside(link)) == ([], [])


def test_a_pipe_or_device_is_written_to_and_stays_one() -> None:
    program = (
        "import sys; from pathlib import Path; from outlay.atomic import write_file;"
        "[write_file(Path(name), b'told') for name in ('/dev/stdout', '/dev/null')]"
    )
    done = child(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "told", "")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_disk_that_fails_leaves_the_old_content_and_nothing_beside_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    file.chmod(0o666)  # more than the umask allows
    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_file(file, b"new")
    assert (error.value.errno, error.value.filename) == (ENOSPC, str(file))
    assert (file.read_bytes(), beside(file)) == (b"old", [])


def test_a_write_that_is_interrupted_leaves_the_old_content_and_nothing_beside_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(file, b"new")
    assert (file.read_bytes(), beside(file)) == (b"old", [])


def test_a_disk_without_room_leaves_the_old_content(file: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from outlay.atomic import write_file;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000));"
        "write_file(Path(sys.argv[1]), b'n' * 50_000)"
    )
    done = child(program, file)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{file}'"
    assert (file.read_bytes(), beside(file)) == (b"old", [])


@pytest.mark.parametrize(("step", "kept"), [("fsync", b"old"), ("replace", b"old"), ("sync_folder", b"new")])
def test_a_writer_that_is_killed_leaves_one_content_or_the_other(file: Path, step: str, kept: bytes) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from outlay import atomic;"
        "where = {'fsync': os, 'replace': Path, 'sync_folder': atomic}[sys.argv[2]];"
        "setattr(where, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL));"
        "atomic.write_file(Path(sys.argv[1]), b'new')"
    )
    assert child(program, file, step).returncode == -9
    assert file.read_bytes() == kept
    assert len(beside(file)) == (kept == b"old")


def test_what_a_killed_writer_left_is_taken_away_an_hour_later_and_nothing_else(file: Path) -> None:
    left, young = (file.with_name(f".outlay-{digit * 16}.new") for digit in "ab")
    alike = [file.with_name(name) for name in (".outlay-abc.new", f".{file.name}.new", "outlay.new")]
    for each in (left, young, *alike):
        each.write_bytes(b"half")
    hour = file.stat().st_mtime - 3601
    for each in (left, *alike):
        os.utime(each, (hour, hour))
    write_file(file, b"new")
    assert sorted(beside(file)) == sorted(each.name for each in (young, *alike))


def test_a_folder_that_may_not_be_written_is_an_error_named_by_the_file(file: Path) -> None:
    file.parent.chmod(0o555)
    try:
        done = child(WRITING, file, wrap=HUMBLE)
    finally:
        file.parent.chmod(0o755)
    assert done.stderr.splitlines()[-1] == f"PermissionError: [Errno 13] Permission denied: '{file}'"
    assert (file.read_bytes(), beside(file)) == (b"old", [])


def test_a_folder_that_takes_files_and_cannot_be_listed_takes_this_one_too(file: Path) -> None:
    file.parent.chmod(0o300)
    try:
        done = child(WRITING, file, wrap=HUMBLE)
    finally:
        file.parent.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert (file.read_bytes(), beside(file)) == (b"new", [])


def test_a_folder_that_is_not_there_or_in_the_file_s_place_is_an_error_named_by_the_file(
    tmp_path: Path,
) -> None:
    missing = tmp_path / "none" / "state.json"
    with pytest.raises(FileNotFoundError) as error:
        write_file(missing, b"new")
    assert error.value.filename == str(missing)
    with pytest.raises(IsADirectoryError) as is_folder:
        write_file(tmp_path, b"new")
    assert is_folder.value.filename == str(tmp_path)


def test_content_and_name_are_synced_in_that_order(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def note(descriptor: int) -> None:
        kind = os.fstat(descriptor).st_mode
        synced.append(("folder" if stat.S_ISDIR(kind) else "file", file.read_bytes()))

    monkeypatch.setattr(os, "fsync", note)
    write_file(file, b"new")
    assert synced == [("file", b"old"), ("folder", b"new")]


def test_a_folder_that_cannot_be_synced_is_no_error_but_a_failing_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    code = EINVAL  # as network disks say
    sync_folder(tmp_path)
    code = EIO
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)
    monkeypatch.setattr(os, "name", "nt")
    sync_folder(tmp_path)
