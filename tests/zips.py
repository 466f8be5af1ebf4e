"""Zip archives for tests: ordinary ones, and ones that no honest program writes."""

import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def zip_folder(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return write_zip(path, files, method)


def write_entries(path: Path, entries: Iterable[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    """Entries as they are given, also several of one name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return path


def patched(path: Path, *, central: Mapping[int, bytes], local: Mapping[int, bytes] | None = None) -> Path:
    """Overwrite fields (offset -> bytes) of every header in the list, and of every header before a file."""
    content = bytearray(path.read_bytes())
    for magic, fields in ((b"PK\x01\x02", central), (b"PK\x03\x04", local or {})):
        at = content.find(magic)
        while at >= 0:
            for offset, value in fields.items():
                content[at + offset : at + offset + len(value)] = value
            at = content.find(magic, at + 4)
    path.write_bytes(content)
    return path


def overlapping_bomb(path: Path, files: int, unpacked: bytes) -> Path:
    """Many entries that share the same packed bytes."""
    write_zip(path, {"a": unpacked})
    content = path.read_bytes()
    first = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[first:end]
    entries = b"".join(entry[:28] + struct.pack("<H", 8) + entry[30:46] + b"%08d" % number for number in range(files))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, files % 65536, files % 65536, len(entries), first, 0)
    path.write_bytes(content[:first] + entries + tail)
    return path
