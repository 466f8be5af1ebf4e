"""The list of a zip archive and its files: what is read, and what is refused and why. All archives are made here."""

import os
import shutil
import stat
import struct
import subprocess
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from zips import overlapping_bomb, patched, write_entries, write_zip, zip_folder

from cardioseg.archive.zip_contents import read_contents
from cardioseg.archive.zip_member import read_member
from cardioseg.errors import UnusableError

MIB = 1024**2


def refusals(archive: Path) -> dict[str, str]:
    return {path: member.refusal for path, member in read_contents(archive).members.items()}


@contextmanager
def traced_memory() -> Iterator[dict[str, int]]:
    """Bytes that are allocated at the end, and at most, within the block."""
    memory: dict[str, int] = {}
    tracemalloc.start()
    try:
        yield memory
    finally:
        memory["held"], memory["peak"] = tracemalloc.get_traced_memory()
        tracemalloc.stop()


def content_of(archive: Path, path: str) -> bytes:
    return read_member(archive, read_contents(archive).members[path])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_come_back_as_they_were(tmp_path: Path, method: int) -> None:
    files = {"a/0001.dcm": bytes(range(256)) * 9, "a/b/0002.dcm": b"", "c.txt": b"notes"}
    archive = write_zip(tmp_path / "a.zip", files, method)
    assert {path: content_of(archive, path) for path in read_contents(archive).members} == files


def test_an_archive_after_another_program_and_with_a_comment_is_read(tmp_path: Path) -> None:
    """Self-extracting archives have a program before them."""
    archive = write_zip(tmp_path / "a.zip", {"x": b"content"})
    with zipfile.ZipFile(archive, "a") as changed:
        changed.comment = b"exported by a viewer"
    archive.write_bytes(b"MZ a program" * 99 + archive.read_bytes())
    assert content_of(archive, "x") == b"content"


def test_sizes_after_the_file_are_read(tmp_path: Path) -> None:
    """Programs that write to a pipe state the sizes after each file and in the list only."""

    class Pipe:
        def __init__(self) -> None:
            self.content = b""

        def write(self, data: bytes) -> int:
            self.content += data
            return len(data)

        def flush(self) -> None: ...

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("x", b"content" * 99)
    (tmp_path / "a.zip").write_bytes(pipe.content)
    assert content_of(tmp_path / "a.zip", "x") == b"content" * 99


def test_large_archives_have_longer_headers(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, archive.open("x", "w", force_zip64=True) as file:
        file.write(b"content")
    assert content_of(tmp_path / "a.zip", "x") == b"content"


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP's zip is not installed")
def test_archives_of_info_zip(tmp_path: Path) -> None:
    """Its default, from a pipe, encrypted, with bzip2, with a link, and split into parts of 64 KiB."""
    folder = tmp_path / "Müller"
    folder.mkdir()
    content = Random(0).randbytes(99_999)  # noqa: S311
    (folder / "1.dcm").write_bytes(content)
    (folder / "2.dcm").symlink_to("1.dcm")
    options = {"plain": [], "link": ["-y"], "bzip2": ["-Z", "bzip2"], "encrypted": ["-P", "x"], "split": ["-s", "64k"]}
    for name, given in options.items():
        command = ["zip", "-qr", *given, f"{name}.zip", "Müller"]
        subprocess.run(command, cwd=tmp_path, check=True)
    assert content_of(tmp_path / "plain.zip", "Müller/2.dcm") == content
    assert refusals(tmp_path / "link.zip") == {"Müller/1.dcm": "", "Müller/2.dcm": "a symbolic link, not followed"}
    assert refusals(tmp_path / "bzip2.zip")["Müller/1.dcm"].startswith("compressed with bzip2")
    assert refusals(tmp_path / "encrypted.zip")["Müller/1.dcm"].startswith("encrypted")
    with pytest.raises(UnusableError, match="split"):
        read_contents(tmp_path / "split.zip")


def test_a_folder_has_its_files_first_then_its_folders(tmp_path: Path) -> None:
    names = ["b/2", "b/1", "a b/1", "a/z/1", "a/1", "a!", "z", "a/z!/1"]
    contents = read_contents(write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x")))
    assert contents.below("") == ["a!", "z", "a/1", "a/z/1", "a/z!/1", "a b/1", "b/1", "b/2"]
    assert contents.children("") == (["a", "a b", "b"], ["a!", "z"])
    assert contents.children("a") == (["z", "z!"], ["1"])
    assert contents.below("a") == ["a/1", "a/z/1", "a/z!/1"]
    assert [contents.has_folder(folder) for folder in ("a", "a/z", "a/1", "nowhere", "a ")] == [True, True] + [
        False
    ] * 3


def test_the_order_is_that_of_a_folder(tmp_path: Path) -> None:
    random = Random(0)  # noqa: S311
    for number in range(60):
        parts = [random.choice(["a", "a b", "a.b", "B", "é"]) for _ in range(random.randrange(1, 4))]
        file = tmp_path.joinpath("folder", *parts, f"{number}.dcm")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    assert read_contents(zip_folder(tmp_path / "folder", tmp_path / "a.zip")).below("") == walked(tmp_path / "folder")


def walked(root: Path) -> list[str]:
    paths = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        paths += [str((Path(folder) / name).relative_to(root)) for name in sorted(names)]
    return paths


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../up.dcm", "a/../../up.dcm", "C:/up.dcm", "c:up.dcm", "a/" * 600 + "x"]
)
def test_a_path_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    archive = write_zip(tmp_path / "a.zip", {name: b"x", "good.dcm": b"y"})
    refused = {path: why for path, why in refusals(archive).items() if why}
    assert len(refused) == 1
    for path in refused:
        assert not path.startswith("/")
        assert ":" not in path
        assert ".." not in path.split("/")
        assert len(path) <= 1000
    assert "is absolute, leads out of it or is too long: unpack the archive" in next(iter(refused.values()))
    with pytest.raises(UnusableError, match="leads out of it"):
        content_of(archive, next(iter(refused)))
    assert content_of(archive, "good.dcm") == b"y"


def test_a_backslash_separates_folders_if_windows_wrote_it(tmp_path: Path) -> None:
    windows, unix = zipfile.ZipInfo("x"), zipfile.ZipInfo("x")
    windows.filename, windows.create_system = "series\\0001.dcm", 0
    unix.filename, unix.create_system = "a\\b", 3
    assert list(refusals(write_entries(tmp_path / "a.zip", [(windows, b"x"), (unix, b"y")]))) == [
        "series/0001.dcm",
        "a\\b",
    ]
    for system in (0, 3):  # Windows would take backslashes of any program for folders
        windows.filename, windows.create_system = "..\\..\\up.dcm", system
        assert "leads out" in refusals(write_entries(tmp_path / "b.zip", [(windows, b"x")]))["up.dcm"]


def test_names_in_other_encodings_stay_distinct(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"XXXXXX/1": b"1", "YYYYYY/1": b"2"})
    content = archive.read_bytes().replace(b"XXXXXX", "Müll".encode() + b"a").replace(b"YYYYYY", b"M\x81ller")
    archive.write_bytes(content)  # UTF-8 without the flag, as macOS writes it; and code page 437
    assert list(refusals(archive)) == ["Mülla/1", "Müller/1"]
    assert content_of(archive, "Müller/1") == b"2"


def test_links_and_devices_are_not_followed(tmp_path: Path) -> None:
    link, device = zipfile.ZipInfo("link"), zipfile.ZipInfo("device")
    link.external_attr, device.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFCHR | 0o666) << 16
    archive = write_entries(tmp_path / "a.zip", [(link, b"/etc/passwd"), (device, b"")])
    assert refusals(archive) == {"link": "a symbolic link, not followed", "device": "not a regular file"}


def test_encrypted_nested_and_other_compressed_files_are_named(tmp_path: Path) -> None:
    encrypted = patched(write_zip(tmp_path / "a.zip", {"x": b"x"}), central={8: b"\1\0"}, local={6: b"\1\0"})
    assert refusals(encrypted) == {"x": "encrypted: unpack the archive with its password and give the folder"}
    nested = write_zip(tmp_path / "b.zip", {"inner.ZIP": b"PK"})
    assert refusals(nested)["inner.ZIP"].startswith("a zip archive in a zip archive: unpack the outer one")
    for method, name in ((zipfile.ZIP_LZMA, "LZMA"), (zipfile.ZIP_BZIP2, "bzip2")):
        assert f"compressed with {name}: unpack" in refusals(write_zip(tmp_path / "c.zip", {"x": b"x"}, method))["x"]
    for method, name in ((93, "zstd"), (9, "Deflate64"), (77, "an unknown method")):
        archive = patched(write_zip(tmp_path / "d.zip", {"x": b"x"}), central={10: struct.pack("<H", method)})
        assert f"compressed with {name}: unpack" in refusals(archive)["x"]


def test_two_files_of_one_name_are_refused_unless_they_are_equal(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = write_entries(tmp_path / "a.zip", [("x", b"one"), ("x", b"two"), ("y", b"same"), ("y", b"same")])
    assert "two different files of this name: unpack" in refusals(archive)["x"]
    assert content_of(archive, "y") == b"same"


def test_one_name_for_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match=r"one name is a file and a folder \(unpack"):
        read_contents(write_zip(tmp_path / "a.zip", {"a": b"", "a b": b"", "a/b": b""}))


def test_notes_of_macos_and_folders_are_left_out(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"a/": b"", "a/x": b"x", "__MACOSX/a/._x": b"note"})
    assert list(refusals(archive)) == ["a/x"]


def test_a_bomb_is_refused_file_by_file_and_as_a_whole(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"zeros": bytes(17 * MIB), "empty image": bytes(8 * MIB)})
    assert refusals(archive)["zeros"].endswith(
        "times as large unpacked: if you trust it, unpack the archive and give the folder"
    )
    assert content_of(archive, "empty image") == bytes(8 * MIB)
    start = time.perf_counter()
    with pytest.raises(
        UnusableError, match=r"times as large unpacked \(if you trust it, unpack it and give the folder\)"
    ):
        read_contents(overlapping_bomb(tmp_path / "b.zip", 20_000, bytes(8 * MIB)))  # 160 GB in 1 MB
    assert time.perf_counter() - start < 10


def test_what_a_file_unpacks_to_is_bounded_by_what_the_list_says(tmp_path: Path) -> None:
    """A list that states 100 bytes for 60 MB is found out after 101 bytes."""
    archive = write_zip(tmp_path / "a.zip", {"x": bytes(60 * MIB)})
    patched(archive, central={24: struct.pack("<L", 100)}, local={22: struct.pack("<L", 100)})
    member = read_contents(archive).members["x"]
    assert "damaged in its archive" in member.refusal  # far more packed than unpacked bytes
    small = write_zip(tmp_path / "b.zip", {"x": bytes(MIB)})
    patched(small, central={24: struct.pack("<L", 100)})
    with traced_memory() as memory, pytest.raises(UnusableError, match="damaged in its archive"):
        content_of(small, "x")
    assert memory["peak"] < MIB / 2


def test_a_file_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    size = struct.pack("<L", 600 * MIB)
    archive = patched(write_zip(tmp_path / "a.zip", {"x": b"x"}, zipfile.ZIP_STORED), central={20: size, 24: size})
    assert refusals(archive)["x"].startswith("larger than 512 MiB: unpack")


def test_damage_is_found(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"x": b"content" * 99}, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[60] ^= 1
    archive.write_bytes(content)
    with pytest.raises(UnusableError, match=r"damaged in its archive \(copy or download the archive again\)"):
        content_of(archive, "x")
    patched(archive, central={42: struct.pack("<L", 9)})  # where the file begins
    with pytest.raises(UnusableError, match="damaged in its archive"):
        content_of(archive, "x")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_named(tmp_path: Path, share: float) -> None:
    whole = write_zip(tmp_path / "a.zip", {f"{number}.dcm": bytes(999) for number in range(99)}).read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnusableError, match="incomplete, damaged or one part of several"):
        read_contents(tmp_path / "b.zip")


def test_the_last_part_of_a_split_archive_is_named(tmp_path: Path) -> None:
    archive = patched(write_zip(tmp_path / "a.zip", {"x": b"x"}), central={34: b"\2\0"})
    with pytest.raises(UnusableError, match=r"the last part of a split zip archive \(unpack"):
        read_contents(archive)


def test_a_list_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with archive.open("wb") as file:
        file.truncate(40 * MIB)  # sparse
        file.seek(0, 2)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 40 * MIB, 0, 0))
    with traced_memory() as memory, pytest.raises(UnusableError, match=r"too many files \(unpack it"):
        read_contents(archive)
    assert memory["peak"] < MIB


def test_a_hundred_thousand_files_take_seconds_and_bounded_memory(tmp_path: Path) -> None:
    start = time.process_time()
    contents = read_contents(overlapping_bomb(tmp_path / "a.zip", 100_000, b""))
    assert len(contents.below("")) == 100_000
    assert contents.children("")[1][-1] == "00099999"
    assert time.process_time() - start < 20  # some 2 s
    part = overlapping_bomb(tmp_path / "b.zip", 10_000, b"")
    with traced_memory() as memory:
        contents = read_contents(part)
    assert memory["held"] < 8 * MIB
    assert memory["peak"] < 25 * MIB


def mutated(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    kind = random.randrange(4)
    if kind == 0:
        return bytes(changed[: random.randrange(len(changed))])
    if kind == 1:
        at = random.randrange(len(changed))
        del changed[at : at + random.randrange(1, 40)]
    heads = [at for magic in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for at in _places(content, magic)]
    for _ in range(random.randrange(1, 6)):
        near = random.choice(heads) + random.randrange(50) if kind == 2 else random.randrange(len(changed))
        if near < len(changed):
            changed[near] = random.choice([0, 1, 255, random.randrange(256)])
    return bytes(changed)


def _places(content: bytes, magic: bytes) -> list[int]:
    return [at for at in range(len(content)) if content.startswith(magic, at)]


def test_two_thousand_mutants_give_the_content_or_a_clear_error(tmp_path: Path) -> None:
    files = {"a/1.dcm": bytes(range(200)), "a/2.dcm": bytes(300), "b/é.txt": b"notes", "link": b"a"}
    original = write_zip(tmp_path / "a.zip", files).read_bytes()
    random, read, refused = Random(1), 0, 0  # noqa: S311
    for number in range(2000):
        archive = tmp_path / "mutant.zip"
        archive.write_bytes(mutated(original, random))
        start = time.process_time()
        try:
            contents = read_contents(archive)
        except UnusableError:
            refused += 1
            continue
        for path, member in contents.members.items():
            try:
                content = read_member(archive, member)
            except UnusableError:
                refused += 1
            else:
                read += 1
                assert zlib.crc32(content) == member.checksum, (number, path)
        assert time.process_time() - start < 1, number
    assert min(read, refused) > 500
