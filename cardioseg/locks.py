"""Locks: who may write where. They are the operating system's, and end with the process that holds them.

Windows has no locks that parts of a run can share and that this project has tested; there, commands that write refuse.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cardioseg.errors import ResourceError, reason_of

if sys.platform != "win32":
    import fcntl

    _WAITING, _ALONE, _SHARED = fcntl.LOCK_EX, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB

_LOCK = ".lock"


@contextmanager
def sole_writer(folder: Path, *, is_part: bool = False) -> Iterator[None]:
    """Keep other runs out of `folder`, which need not exist yet, while this run writes into it.

    The operating system ends the lock with the process in any case; a file `.lock` that a killed process leaves has no
    effect. A folder that stays empty is removed.

    Args:
        folder: the folder to write into.
        is_part: let other parts of the same run write, too.

    Raises:
        ResourceError: another run writes there, or the file system refuses (permission, read-only, a file in the way),
            or the system is Windows.
    """
    _check_system()
    created = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder / _LOCK, _SHARED if is_part else _ALONE)
    except BlockingIOError as error:
        raise ResourceError(f"another run is writing into {folder}", "wait for it, or give another folder") from error
    except OSError as error:
        raise ResourceError(f"cannot write into {folder}: {reason_of(error)}", "give another folder") from error
    try:
        yield
    finally:
        _unlock(folder / _LOCK, lock)
        with suppress(OSError):  # it is not empty
            for path in created:
                path.rmdir()


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait for the lock file `path`, in an existing folder, and hold it; it is removed afterwards.

    Raises:
        ResourceError: the file system refuses, or the system is Windows.
    """
    _check_system()
    try:
        lock = _lock(path, _WAITING)
    except OSError as error:
        raise ResourceError(f"cannot write {path}: {reason_of(error)}") from error
    try:
        yield
    finally:
        _unlock(path, lock)


def is_being_written(folder: Path) -> bool:
    """Whether a run writes into `folder`, if its file system supports locks."""
    if sys.platform == "win32":
        return False  # no run can
    try:
        lock = _lock(folder / _LOCK, _ALONE)
    except BlockingIOError:
        return True
    except OSError:
        return False
    _unlock(folder / _LOCK, lock)
    return False


def _check_system() -> None:
    if sys.platform == "win32":
        message = "cardioseg cannot write on Windows: nothing there would stop two runs from writing into one folder"
        raise ResourceError(message, "run it in WSL 2 or in Docker")


def _lock(path: Path, mode: int) -> int:
    """A descriptor of the file, locked if the file system supports locks.

    Raises:
        BlockingIOError: another process has locked it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            fcntl.flock(descriptor, mode)
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


def _unlock(path: Path, lock: int) -> None:
    """Release the lock, and remove the file unless other processes hold it, too."""
    try:
        fcntl.flock(lock, _ALONE)
        is_shared = False
    except OSError as error:
        is_shared = isinstance(error, BlockingIOError)
    if not is_shared:
        with suppress(OSError):
            path.unlink()
    os.close(lock)
