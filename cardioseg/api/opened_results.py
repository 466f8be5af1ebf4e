"""Opened results: what `predict` and `measure` wrote, to be read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from cardioseg.api.arguments import AnyPath, path_of
from cardioseg.api.case_review import CaseReview, read_case_review
from cardioseg.api.placed_image import Image, image_of
from cardioseg.api.raised_errors import as_keywords, in_words_of_python
from cardioseg.errors import NoInputError, UnusableError
from cardioseg.image.flag import Flag
from cardioseg.inference.edited_mask import read_edited
from cardioseg.results.all_cases import recorded
from cardioseg.results.case_record import read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import edit_kept, edited_file, read_labelled
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.outcome import DONE, FAILED, Outcome, in_one
from cardioseg.results.run_record import RunRecord, UsedModel, known_run_record
from cardioseg.results.run_tables import read_status

_GIVE = "give the folder that `predict` or `measure` wrote"
_AGAIN = "predict it again"


@dataclass(frozen=True)
class CaseResult:
    """What became of one case. Its numbers and its mask are read when they are asked for.

    Attributes:
        name: of the case.
        status: `done` or `failed`.
        reason: why it failed and what to do; of a case that is done a remark, or nothing. As in `status.csv`, with the
            options of the command line named as keyword arguments.
        source: where the scan lay, as it was given; None where that was not to be said.
    """

    name: str
    status: str
    reason: str
    source: Path | None
    _folder: CaseFolder = field(repr=False)

    @property
    @in_words_of_python()
    def measures(self) -> dict[str, float | int | None]:
        """The measures by the names of the columns of `measures.csv`, rounded to 0.01; None is "not known".

        Of an edited case they are those from before the edit; `measure_masks` gives the new ones.

        Raises:
            UnusableError: the case failed, or its files are damaged.
        """
        return self._description.measures.as_row()

    @property
    @in_words_of_python()
    def flags(self) -> tuple[Flag, ...]:
        """Why a person must look at the case; none of a case that failed.

        Raises:
            UnusableError: its files are damaged.
        """
        return self._description.flags if self.status == DONE else ()

    @property
    @in_words_of_python()
    def curves_ml(self) -> dict[str, tuple[float, ...]]:
        """The volume of each structure at each phase, by its name: `rv_cavity`, `lv_myocardium`, `lv_cavity`.

        Raises:
            UnusableError: the case failed, or its files are damaged.
        """
        return {label.key: tuple(curve) for label, curve in self._description.curves_ml.items()}

    @property
    @in_words_of_python()
    def times_ms(self) -> tuple[float, ...]:
        """The time of each phase, after the R wave if the scan is DICOM; empty where it is not known.

        Raises:
            UnusableError: the case failed, or its files are damaged.
        """
        return self._description.times_ms

    @property
    @in_words_of_python()
    def is_edited(self) -> bool:
        """Whether somebody edited the mask in another program since, so that `measures` and `curves_ml` are older."""
        return self.status == DONE and bool(_edited(self._folder))

    @property
    @in_words_of_python()
    def review(self) -> CaseReview | None:
        """What a person decided about the case in `cardioseg review`; None if nobody reviewed it."""
        return read_case_review(self._folder) if self.status == DONE else None

    @in_words_of_python()
    def read_mask(self) -> Image:
        """Read the mask as it was last edited, as `measure` reads it.

        Returns:
            `Label` numbers (phase, slice, row, column), uint8, on the grid of the scan.

        Raises:
            UnusableError: there is none, it cannot be read, or several files hold different edits.
        """
        description, path = self._description, self._folder.mask
        if not path.is_file():
            where = f"`measure` writes none; its mask is {self.source}" if self.source else _AGAIN
            raise UnusableError(f"{self._folder.path} holds no mask", where)
        mask = read_edited(path).mask if _edited(self._folder) else read_labelled(path)
        return image_of(replace(mask, times_ms=description.times_ms))

    @cached_property
    def _description(self) -> Description:
        if self.status != DONE:
            raise UnusableError(f"the case {self.name} failed, so that there is nothing to read: {self.reason}")
        return read_description(self._folder)


@dataclass(frozen=True)
class Results:
    """A folder of results as it was when it was opened. Nothing here writes into it.

    Attributes:
        path: the folder.
        cases: every case in it, by name, those of earlier runs and those that failed too.
    """

    path: Path
    cases: tuple[CaseResult, ...] = field(repr=False)
    _run: RunRecord = field(repr=False)

    def __repr__(self) -> str:
        failed = len(self.failed)
        return f"<Results in {self.path}: {len(self.cases) - failed} done, {failed} failed>"

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(case for case in self.cases if case.status != DONE)

    @property
    @in_words_of_python()
    def measures(self) -> list[dict[str, Any]]:
        """A row for each case that is done, with the columns of `measures.csv`: `pandas.DataFrame` takes them.

        A last column, `is_edited`, says that the numbers are those from before the mask was edited.

        Raises:
            UnusableError: the files of a case are damaged.
        """
        return [_row(case) for case in self.cases if case.status == DONE]

    @property
    def model(self) -> str:
        """The name of the model of the last run; empty where the masks were measured only."""
        return self._run.model.name if isinstance(self._run.model, UsedModel) else self._run.model or ""

    @property
    def left_out(self) -> list[dict[str, str]]:
        """Series and files that the last run did not use: rows of `where` and `why`."""
        return [*self._run.other_series, *self._run.unused_files]

    def case(self, name: str) -> CaseResult:
        """A case by its name.

        Raises:
            NoInputError: there is none of that name.
        """
        case_result = next((case for case in self.cases if case.name == name), None)
        if case_result is None:
            names = [case.name for case in self.cases]
            more = f" and {len(names) - 5} more" * (len(names) > 5)
            raise NoInputError(f"{self.path} holds no case {name}", f"its cases are {', '.join(names[:5])}{more}")
        return case_result


@in_words_of_python()
def open_results(out: AnyPath) -> Results:
    """Open what `predict` or `measure` wrote.

    Args:
        out: the folder.

    Raises:
        NoInputError: it does not exist, or holds no results.

    Example:
        >>> results = cardioseg.open_results("results")
        >>> table = pandas.DataFrame(results.measures)
        >>> mask = results.case("patient1").read_mask()
    """
    folder = ResultsFolder(path_of(out))
    if not folder.path.is_dir():
        raise NoInputError(f"{folder.path}: no such folder", _GIVE)
    outcomes = sorted(_outcomes(folder), key=lambda outcome: outcome.case_id)
    if not outcomes:
        raise NoInputError(f"{folder.path} holds no results", _GIVE)
    cases = (
        CaseResult(
            outcome.case_id, outcome.status, as_keywords(outcome.reason), outcome.source, folder.case(outcome.case_id)
        )
        for outcome in outcomes
    )
    return Results(folder.path, tuple(cases), known_run_record(folder))


def _outcomes(folder: ResultsFolder) -> Iterator[Outcome]:
    """What became of each case: the table says it; of cases that a run finished since, their own records do."""
    rows = {row["case_id"]: row for row in read_status(folder)} if folder.status.is_file() else {}
    committed = {case.case_id: case for case in folder.cases()}
    for name, row in rows.items():
        listed = Outcome(name, Path(row["source"]) if row["source"] else None, row["status"], row["reason"])
        if listed.status != DONE:
            yield listed
        elif name in committed:
            yield _with_edit(listed, committed[name])
        else:
            yield replace(listed, status=FAILED, reason=f"its folder is gone ({_AGAIN})")
    for name in committed.keys() - rows.keys():
        unread = Outcome(name, None, FAILED, f"its measures cannot be read ({_AGAIN})")
        yield recorded(committed[name]) or unread


def _with_edit(outcome: Outcome, folder: CaseFolder) -> Outcome:
    """The same, with what is to be said of an edit that was made after the table was written."""
    edited = _edited(folder)
    kept = edit_kept(edited) if edited else ""
    return outcome if kept in outcome.reason else replace(outcome, reason=in_one(outcome.reason, kept))


def _edited(folder: CaseFolder) -> str:
    """The file that holds an edit of a predicted mask; empty where there is none, and of masks that were measured."""
    record = read_case_record(folder)
    return edited_file(folder.mask, record) if record and record.model_sha256 else ""


def _row(case: CaseResult) -> dict[str, Any]:
    kinds = "; ".join(dict.fromkeys(flag.kind for flag in case.flags))
    review = case.review.decision if case.review else ""
    counted = {"case_id": case.name, "flag_count": len(case.flags), "flags": kinds, "review": review}
    return counted | case.measures | {"is_edited": case.is_edited}
