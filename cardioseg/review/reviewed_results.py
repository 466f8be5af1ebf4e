"""Reviewed results: the cases of a results folder, as the page lists and opens them. Few are in memory at once."""

import os
import re
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from cardioseg.errors import NoInputError, UnusableError, reason_of
from cardioseg.files import sweep_partials, turn
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.run_tables import read_measures, read_reviews, read_status
from cardioseg.review.correction import FinishedReview
from cardioseg.review.opened_case import OpenedCase, open_case
from cardioseg.review.saved_review import are_tables_due, save, write_tables

_LISTED = (
    *("flag_count", "flags", "review", "lv_ef_percent", "lv_edv_ml", "lv_esv_ml", "lv_mass_g", "lv_volume_ml"),
    *("rv_ef_percent", "rv_edv_ml", "rv_esv_ml", "rv_volume_ml"),
)
_MEMORY_BYTES = 120 * 1024**2  # of opened cases; the last one stays whatever its size
_FLAGS = re.compile(r"^\d+ flags?: [^;]*(; |$)")  # a status begins with them; the list has a column for them
_AS_ASKED = "the page was started with --read-only"
_NOT_ALLOWED = "you may not write into the results folder"
_HINT = "give the folder that `cardioseg predict` wrote"


class ReviewedResults:
    """The cases below a results folder.

    Args:
        folder: written by `predict`.
        is_read_only: whether nothing is to be written.

    Raises:
        NoInputError: it holds no tables of `predict`.
    """

    def __init__(self, folder: ResultsFolder, *, is_read_only: bool = False) -> None:
        if not folder.path.is_dir():
            raise NoInputError(f"{folder.path}: there is no such folder", _HINT)
        if not folder.status.is_file() or not folder.measures.is_file():
            raise NoInputError(f"{folder.path} holds no finished results", _HINT)
        self._folder = folder
        self._opened: OrderedDict[str, OpenedCase] = OrderedDict()
        self._lock, self._saving, self._writing = Lock(), Lock(), Lock()
        self.why_read_only = _AS_ASKED if is_read_only else _refusal(folder)
        if not self.why_read_only and are_tables_due(folder):  # a save may have been killed
            sweep_partials(folder.path)
        self.write_due_tables()

    def document(self) -> dict[str, Any]:
        """The name of the folder and a row for each case, done or failed.

        Raises:
            UnusableError: the tables cannot be read, or are being written.
        """
        try:
            return {"folder": self._folder.path.resolve().name, "cases": self._rows()}
        except (OSError, KeyError, UnicodeDecodeError):
            hint = "`cardioseg predict` may be writing them; try again in a moment"
            raise UnusableError("the tables of the results cannot be read", hint) from None

    def _rows(self) -> list[dict[str, Any]]:
        """Name, status, reason, flags and the main measures of each case."""
        measured = {row["case_id"]: row for row in read_measures(self._folder)}
        initials = {row["case_id"]: row["initials"] for row in read_reviews(self._folder)}
        committed = {case.case_id for case in self._folder.cases()}
        rows = []
        for status in read_status(self._folder):
            case_id, known = status["case_id"], measured.get(status["case_id"], {})
            rows.append(
                {"case_id": case_id, "status": status["status"], "reason": _FLAGS.sub("", status["reason"])}
                | {name: known.get(name) for name in _LISTED}
                | {"initials": initials.get(case_id, ""), "can_be_opened": case_id in committed}
            )
        return rows

    def case(self, case_id: str) -> OpenedCase:
        """A case, which is read if it is not in memory or was changed since.

        Raises:
            NoInputError: there is no such case.
            UnusableError: it cannot be read.
        """
        folder = self._case_folder(case_id)
        with self._lock:
            version = _version(folder)
            opened = self._opened.get(case_id)
            if opened is None or opened.version != version:
                self._opened.pop(case_id, None)
                self._opened[case_id] = _opened(folder, version)
            self._opened.move_to_end(case_id)
            while len(self._opened) > 1 and sum(case.size_bytes for case in self._opened.values()) > _MEMORY_BYTES:
                self._opened.popitem(last=False)
            return self._opened[case_id]

    def save(self, case_id: str, review: FinishedReview) -> dict[str, Any]:
        """Write a reviewed case; returns its new version. `write_due_tables` must follow.

        Raises:
            NoInputError: there is no such case.
            ResourceError: the file system refuses a write.
            UnusableError: nothing is to be written, or the case was changed meanwhile.
            UsageError: the correction does not fit the mask.
        """
        if self.why_read_only:
            raise UnusableError("nothing was saved", self.why_read_only)
        with self._saving, turn(self._folder.lock(self._case_folder(case_id).case_id)):
            opened = self.case(case_id)
            save(self._folder, opened, review)
        return {"version": _version(opened.folder)}

    def write_due_tables(self) -> dict[str, str]:
        """Write the tables, which takes long in a large folder, if cases were saved since they were written.

        Returns:
            Why they are written later, under `later`; empty if they are written.

        Raises:
            ResourceError: the file system refuses a write.
        """
        with self._writing:  # who waited here finds that nothing is left to do
            while not self.why_read_only and are_tables_due(self._folder):
                if later := write_tables(self._folder):
                    return {"later": later}
        return {"later": ""}

    def _case_folder(self, case_id: str) -> CaseFolder:
        """The folder of a case: only a name that the folder itself lists is ever made a path."""
        folder = next((case for case in self._folder.cases() if case.case_id == case_id), None)
        if folder is None:
            hint = "a run of `cardioseg predict` may be writing it; reload the list of cases"
            raise NoInputError("there is no such case", hint)
        root = self._folder.path.resolve()
        files = [Path(folder.path), *folder.path.iterdir()]
        if not all(file.resolve().is_relative_to(root) for file in files):
            raise UnusableError(f"{case_id} is not opened: a link in it leads out of the results folder")
        return folder


def _refusal(folder: ResultsFolder) -> str:
    """Why nothing can be written here; empty if it can."""
    return "" if os.access(folder.path, os.W_OK) else _NOT_ALLOWED


def _opened(folder: CaseFolder, version: str) -> OpenedCase:
    try:
        return open_case(folder, version)
    except OSError as error:
        raise UnusableError(f"{folder.case_id} cannot be read: {reason_of(error)}") from None


def _version(folder: CaseFolder) -> str:
    """Changes when a file of the case is written, or one is added or removed."""
    try:
        stats = sorted((file.name, file.stat()) for file in folder.path.iterdir())
    except OSError:  # it is being replaced
        return ""
    lines = (f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}" for name, stat in stats)
    return sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()[:16]
