"""Files: all writing goes through this module; it also checks files before they are read.

A file appears under its final name completely or not at all: it is written beside its destination, synced and renamed.
"""

import csv
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

from cardioseg import locks
from cardioseg.archive.member_paths import size_bytes
from cardioseg.errors import ResourceError, UnusableError, reason_of
from cardioseg.locks import is_being_written, turn

__all__ = [
    "append_line", "atomic_path", "is_being_written", "make_folder", "remove_partials", "require_size_below",
    "safe_name", "sha256", "sole_writer", "sweep_partials", "turn", "unique_names", "write_bytes", "write_csv",
    "write_json", "write_text",
]  # fmt: skip

_MARK = ".partial."
_RUN = secrets.token_hex(
    4
)  # distinguishes this process from an earlier one with the same number: in a container all have number 1
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(\..*)?")  # names that Windows keeps for devices
_OWN = re.compile(r"(?i)parts|(status|measures|segments|review)\.csv|run\.json|report\.html")  # of a folder of results
_NAME_LIMIT_BYTES = 100  # in UTF-8; file systems take 255 or fewer, and names get longer: numbers, endings, folders
_ENDED, _FLAGS, _PF_EXITING = "ZX", 5, 0x4  # in /proc/PID/stat, after the process's name
_being_written: set[Path] = set()


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yield a sibling path to write; rename it to `destination` if there was no error.

    The suffix is kept, because some writers choose the format by it.

    Raises:
        ResourceError: the file system refuses the write (space, permission, read-only).
    """
    partial = destination.with_name(f".{os.getpid()}-{_RUN}{_MARK}{destination.name}")
    _being_written.add(partial)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(destination)
        _sync_directory(destination.parent)
    except OSError as error:
        raise ResourceError(f"cannot write {destination}: {reason_of(error, str(error))}") from error
    finally:
        _remove(partial)


def remove_partials() -> None:
    """Remove the files that this process is writing, before it exits at once."""
    for partial in tuple(_being_written):
        _remove(partial)


def _remove(partial: Path) -> None:
    with suppress(OSError):
        partial.unlink(missing_ok=True)
    _being_written.discard(partial)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises:
        ResourceError: the file system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(f"cannot write into {folder}: {reason_of(error)}", "give another folder") from error


def append_line(path: Path, text: str) -> None:
    """Add a line to a file that one process writes. Unlike other writes, it may be incomplete if the process is killed.

    Raises:
        ResourceError: the file system refuses the write.
    """
    try:
        with path.open("ab") as file:
            file.write(text.encode(errors="backslashreplace") + b"\n")
    except OSError as error:
        raise ResourceError(f"cannot write {path}: {reason_of(error)}") from error


def write_bytes(destination: Path, content: bytes) -> None:
    """Write `content` atomically."""
    with atomic_path(destination) as partial:
        partial.write_bytes(content)


def write_text(destination: Path, text: str) -> None:
    """Write UTF-8 `text` atomically; surrogates, from undecodable bytes in file names, are written as escapes."""
    write_parts(destination, (text,))


def write_parts(destination: Path, parts: Iterable[str]) -> None:
    """Write a text atomically, part by part, so that it need not fit into memory."""
    with atomic_path(destination) as partial, partial.open("wb") as file:
        file.writelines(part.encode(errors="backslashreplace") for part in parts)


def write_json(destination: Path, document: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Write `document` as indented JSON, atomically; not-a-number is refused."""
    write_text(destination, json.dumps(document, indent=2, allow_nan=False) + "\n")


def write_csv(destination: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `rows` under `columns` atomically; a missing or None value is an empty cell.

    A carriage return, which the csv module leaves unquoted and then cannot read, becomes a space.
    """
    with (
        atomic_path(destination) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n", extrasaction="raise")
        writer.writeheader()
        writer.writerows({name: _in_one_line(value) for name, value in row.items()} for row in rows)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_size_below(path: Path, limit_bytes: int) -> None:
    """Raise UnusableError if the file is larger than `limit_bytes`."""
    if size_bytes(path) > limit_bytes:
        raise UnusableError(f"{path}: larger than {limit_bytes / 1e6:.0f} MB")


def safe_name(name: str) -> str:
    """A name that is a safe path component on every file system: letters, digits, `.`, `_` and `-`.

    None of the names that a folder of results needs for itself is a name of a case: `parts` becomes `case-parts`.
    Letters and digits of every script stay, composed (NFC): names that look alike are equal.
    """
    kept = "".join(sign if sign in "._-" or category(sign)[0] in "LMN" else " " for sign in normalize("NFC", name))
    harmless = re.sub(" +", "_", kept).strip("._-").encode()[:_NAME_LIMIT_BYTES].decode(errors="ignore").rstrip("._-")
    is_taken = _RESERVED.fullmatch(harmless) or _OWN.fullmatch(harmless)
    return f"case-{harmless}" if is_taken else harmless or "case"


def unique_names(names: Iterable[str]) -> list[str]:
    """The names in order, made safe; a name that clashes (in any letter case) gets `-2`, `-3`."""
    taken: set[str] = set()
    return [first_free(safe_name(name), taken) for name in names]


@contextmanager
def sole_writer(folder: Path, *, is_part: bool = False) -> Iterator[None]:
    """As `locks.sole_writer`; incomplete files of killed runs directly in the folder are removed first.

    Other parts of the run may be writing on other machines, where it is unknown which processes have ended; so with
    `is_part` nothing is removed.
    """
    with locks.sole_writer(folder, is_part=is_part):
        if not is_part:
            sweep_partials(folder, below=False)
        yield


def sweep_partials(folder: Path, *, below: bool = True) -> int:
    """Remove the incomplete files of ended processes from `folder`; returns their number.

    Args:
        folder: the folder.
        below: whether to include its subfolders.
    """
    partials = (folder.rglob if below else folder.glob)(f".*{_MARK}*")
    stale = [path for path in partials if path.is_file() and not _is_alive(path.name)]
    for path in stale:
        with suppress(OSError):  # the next write reports what is wrong with the folder
            path.unlink()
    return sum(not path.exists() for path in stale)


def _in_one_line(value: object) -> object:
    return value.replace("\r", " ") if isinstance(value, str) else value


def first_free(name: str, taken: set[str]) -> str:
    """`name`, with `-2`, `-3` if it is taken in any letter case; the result is added to `taken`."""
    number, candidate = 1, name
    while candidate.lower() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.lower())
    return candidate


def _is_alive(partial_name: str) -> bool:
    pid, _, run = partial_name[1:].split(_MARK, maxsplit=1)[0].partition("-")
    if not pid.isdecimal():
        return True
    if int(pid) == os.getpid():
        return run == _RUN
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return not _is_ending(int(pid))


def _is_ending(pid: int) -> bool:
    """Whether a process has ended but its exit code was not read yet, as far as /proc tells."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return Path("/proc/self/stat").exists()
    return state in _ENDED or bool(int(fields[_FLAGS]) & _PF_EXITING)


def _sync_directory(folder: Path) -> None:
    """Make the new name durable, if the file system can sync a folder; the file exists in any case."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
