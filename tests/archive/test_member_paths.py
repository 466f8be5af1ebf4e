"""Paths into archives behave like other paths: opened, listed, and noticed when the archive changes."""

import os
from pathlib import Path

import pytest
from zips import write_zip

from cardioseg.archive.member_paths import (
    archive_of,
    entries,
    exists,
    files_below,
    is_archive,
    is_file,
    is_folder,
    open_file,
    plain_name,
    size_bytes,
    stamp_of,
    state_on_disk,
)
from cardioseg.errors import UnusableError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "a.zip", {"series/1.dcm": b"one" * 99, "notes.txt": b"notes"})


def test_a_file_in_an_archive(archive: Path) -> None:
    path = archive / "series" / "1.dcm"
    assert (is_file(path), is_folder(path), exists(path), size_bytes(path)) == (True, False, True, 297)
    with open_file(path) as file:
        assert file.read() == b"one" * 99
        assert stamp_of(file) == (297, archive.stat().st_mtime_ns, archive.stat().st_ctime_ns)
    assert state_on_disk(path) == archive.stat()
    assert archive_of(path) == archive


def test_an_archive_and_its_folders_are_folders(archive: Path) -> None:
    assert (is_archive(archive), is_folder(archive), is_file(archive), exists(archive)) == (True,) * 4
    assert (is_folder(archive / "series"), exists(archive / "series"), is_file(archive / "series")) == (
        True,
        True,
        False,
    )
    assert entries(archive) == ([archive / "series"], [archive / "notes.txt"])
    assert files_below(archive) == [archive / "notes.txt", archive / "series" / "1.dcm"]
    assert files_below(archive / "series") == [archive / "series" / "1.dcm"]
    assert entries(archive.parent) == ([archive], [])


def test_what_is_not_there(archive: Path, tmp_path: Path) -> None:
    for path in (archive / "nowhere", archive / "series" / "2.dcm", tmp_path / "nowhere", archive / "notes.txt" / "x"):
        assert not exists(path)
        assert not is_folder(path)
        with pytest.raises(OSError, match=r"No such file|Not a directory"):
            open_file(path)
        with pytest.raises(OSError, match=r"No such file|Not a directory"):
            state_on_disk(path)


def test_other_files_are_as_before(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "text.zip").write_text("no archive: a page that asks for a password, for instance")
    (tmp_path / "contours.cvi42wsx.zip").write_bytes(write_zip(tmp_path / "a.zip", {"x": b"x"}).read_bytes())
    (tmp_path / "link").symlink_to(tmp_path)
    assert [is_archive(path) for path in sorted(tmp_path.iterdir())] == [True, False, False, False, True, False]
    assert entries(tmp_path)[0] == [tmp_path / "a.zip", tmp_path / "folder.zip", tmp_path / "text.zip"]
    assert (archive_of(tmp_path / "x"), archive_of(tmp_path / "folder.zip" / "x"), files_below(tmp_path)) == (
        None,
        None,
        [],
    )
    with open_file(tmp_path / "x") as file:
        assert stamp_of(file) == (1, (tmp_path / "x").stat().st_mtime_ns, (tmp_path / "x").stat().st_ctime_ns)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)


def test_a_changed_archive_is_read_again(archive: Path) -> None:
    assert is_file(archive / "notes.txt")
    write_zip(archive, {"other.txt": b"other"})
    os.utime(archive, ns=(1, 1))
    assert files_below(archive) == [archive / "other.txt"]


def test_a_damaged_archive_says_so_once_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and no more")
    path = tmp_path / "a.zip"
    assert (is_folder(path), is_file(path / "x"), is_folder(path / "x"), exists(path / "x")) == (
        True,
        False,
        False,
        False,
    )
    for _ in range(2):
        with pytest.raises(UnusableError, match=r"a\.zip: a zip archive that is incomplete"):
            files_below(path)


def test_a_refused_file_names_itself(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"inner.zip": b"PK"}) / "inner.zip"
    assert is_file(path)
    with pytest.raises(UnusableError, match=r"a\.zip/inner\.zip: a zip archive in a zip archive"):
        open_file(path)


def test_names_without_the_suffix() -> None:
    assert [plain_name(name) for name in ("1234.zip", "a.ZIP", "a.b", ".zip", "zip")] == [
        "1234",
        "a",
        "a.b",
        ".zip",
        "zip",
    ]


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may read everything")
def test_an_archive_that_may_not_be_read(archive: Path) -> None:  # pragma: no cover
    archive.chmod(0)
    assert not is_archive(archive)
