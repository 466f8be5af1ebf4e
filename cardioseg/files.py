"""Files: the one door through which everything is written, and the checks on what is read.

A file appears under its final name complete or not at all: it is written beside its destination, synced and renamed.
"""

import csv
import errno
import hashlib
import io
import json
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cardioseg.errors import ResourceError, UnusableError

if sys.platform != "win32":
    import fcntl

_MARK = ".partial."
_LOCK = ".lock"
_RUN = secrets.token_hex(4)  # tells this process from an earlier one of its number: in a container all are number 1
_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices
_NAME_LIMIT = 100
_OUT_OF = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "disk quota exceeded",
    errno.EROFS: "read-only file system",
}


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yield a sibling path to write; publish it as `destination` only if all went well.

    The suffix survives, so that writers which choose a format by suffix work.

    Raises:
        ResourceError: the file system refuses the write (space, permission, read-only).
    """
    partial = destination.with_name(f".{os.getpid()}-{_RUN}{_MARK}{destination.name}")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(destination)
        _sync_directory(destination.parent)
    except OSError as error:
        raise ResourceError(f"cannot write {destination}: {_why(error)}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keep every other run out of `folder`, which need not exist yet, while this one writes into it.

    The lock is the operating system's and ends with the process, however that ends; the file `.lock` that a killed one
    leaves means nothing. A folder that nothing was written into is not left behind.

    Raises:
        ResourceError: another run writes there, or the file system refuses (permission, read-only, a file in the way).
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder / _LOCK)
    except BlockingIOError as error:
        raise ResourceError(f"another run is writing into {folder}", "wait for it, or give another folder") from error
    except OSError as error:
        raise ResourceError(f"cannot write into {folder}: {_why(error)}", "give another folder") from error
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / _LOCK).unlink()
        os.close(lock)
        with suppress(OSError):  # it is not empty
            for path in made:
                path.rmdir()


def write_bytes(destination: Path, content: bytes) -> None:
    """Write `content` atomically."""
    with atomic_path(destination) as partial:
        partial.write_bytes(content)


def write_text(destination: Path, text: str) -> None:
    """Write UTF-8 `text` atomically; what stands for a file name's undecodable bytes is written as an escape."""
    write_bytes(destination, text.encode(errors="backslashreplace"))


def write_json(destination: Path, document: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Write `document` as indented JSON, atomically; not-a-number is refused."""
    write_text(destination, json.dumps(document, indent=2, allow_nan=False) + "\n")


def write_csv(destination: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `rows` under `columns` atomically; a missing or None value is an empty cell.

    A carriage return, which the csv module leaves unquoted and then cannot read, becomes a space.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    write_text(destination, text.getvalue().replace("\r", " "))


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_size_below(path: Path, limit_bytes: int) -> None:
    """Raise UnusableError if the file is larger than `limit_bytes`."""
    if path.stat().st_size > limit_bytes:
        raise UnusableError(f"{path}: larger than {limit_bytes / 1e6:.0f} MB")


def safe_name(name: str) -> str:
    """A name that is one harmless path component on every file system: letters, digits, `.`, `_` and `-`."""
    harmless = _NOT_PORTABLE.sub("_", name).strip("._-")[:_NAME_LIMIT].rstrip("._-")
    return f"case-{harmless}" if _RESERVED.fullmatch(harmless) else harmless or "case"


def unique_names(names: Iterable[str]) -> list[str]:
    """The names in order, made safe; a name that clashes (in any letter case) gets `-2`, `-3`."""
    taken: set[str] = set()
    return [_first_free(safe_name(name), taken) for name in names]


def sweep_partials(folder: Path) -> int:
    """Remove what writers that are no longer alive left half-written below `folder`; returns how many."""
    stale = [path for path in folder.rglob(f".*{_MARK}*") if path.is_file() and not _is_alive(path.name)]
    for path in stale:
        with suppress(OSError):  # the write that comes next says what is wrong with the folder
            path.unlink()
    return sum(not path.exists() for path in stale)


def _lock(path: Path) -> int:
    """A descriptor of the file, locked where the system and the file system know locks.

    Raises:
        BlockingIOError: another process has locked it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise
        except FileNotFoundError:  # its last holder has removed it since it was opened
            pass
        except OSError:
            return descriptor
        os.close(descriptor)


def _first_free(name: str, taken: set[str]) -> str:
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
    return True


def _sync_directory(folder: Path) -> None:
    """Make the new name last, where the file system can sync a folder; the file itself is there either way."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _why(error: OSError) -> str:
    return _OUT_OF.get(error.errno or 0) or (error.strerror or str(error) or type(error).__name__).lower()
