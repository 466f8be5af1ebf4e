"""Reviewed results: the cases of a results folder, as the page lists and opens them. Few are in memory at once."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.run_tables import read_measures, read_status
from cardioseg.review.opened_case import OpenedCase, open_case

_LISTED = ("flag_count", "flags", "lv_ef_percent", "lv_edv_ml", "lv_mass_g", "rv_ef_percent", "rv_edv_ml")
_MEMORY_BYTES = 200 * 1024**2  # of opened cases; the last one stays whatever its size


class ReviewedResults:
    """The cases below a results folder.

    Args:
        folder: written by `predict`.

    Raises:
        NoInputError: it holds no tables of `predict`.
    """

    def __init__(self, folder: ResultsFolder) -> None:
        if not folder.status.is_file() or not folder.measures.is_file():
            raise NoInputError(f"{folder.path} holds no results", "give the folder that `cardioseg predict` wrote")
        self._folder = folder
        self._opened: OrderedDict[str, OpenedCase] = OrderedDict()
        self._lock = Lock()

    def rows(self) -> list[dict[str, Any]]:
        """A row for each case, done or failed: name, status, reason, flags and the main measures."""
        measured = {row["case_id"]: row for row in read_measures(self._folder)}
        rows = []
        for status in read_status(self._folder):
            case_id = status["case_id"]
            known = measured.get(case_id, {})
            rows.append(
                {name: status[name] for name in ("case_id", "status", "reason")}
                | {name: known.get(name) for name in _LISTED}
                | {"can_be_opened": self._folder.case(case_id).is_committed}
            )
        return rows

    def case(self, case_id: str) -> OpenedCase:
        """A case, which is read if it is not in memory.

        Raises:
            NoInputError: there is no such case.
            UnusableError: it cannot be read.
        """
        with self._lock:
            if case_id not in self._opened:
                self._opened[case_id] = self._read(case_id)
            self._opened.move_to_end(case_id)
            while len(self._opened) > 1 and sum(case.size_bytes for case in self._opened.values()) > _MEMORY_BYTES:
                self._opened.popitem(last=False)
            return self._opened[case_id]

    def _read(self, case_id: str) -> OpenedCase:
        folders = {folder.case_id: folder for folder in self._folder.cases()}
        if case_id not in folders:
            raise NoInputError("there is no such case")
        try:
            return open_case(folders[case_id])
        except OSError as error:
            raise UnusableError(f"{case_id} cannot be read: {(error.strerror or '').lower()}") from None
