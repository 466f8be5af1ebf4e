"""Case result: what became of one case, to be read from its folder in the results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from cardioseg.api.case_review import CaseReview, read_case_review
from cardioseg.api.placed_image import Image, image_of
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.correction.edited_mask import read_edited
from cardioseg.errors import UnusableError
from cardioseg.files import sha256
from cardioseg.image.flag import Flag
from cardioseg.results.case_record import read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import edited_file, read_labelled
from cardioseg.results.folder import CaseFolder
from cardioseg.results.outcome import DONE

AGAIN = "predict it again"
_OPEN_AGAIN = "open the results again"


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
    _record: str = field(repr=False)  # hash of its record when it was opened

    @property
    @in_words_of_python()
    def measures(self) -> dict[str, float | int | None]:
        """The measures by the names of the columns of `measures.csv`, rounded to 0.01; None is "not known".

        Of an edited case they are those from before the edit; `measure_masks` gives the new ones.

        Raises:
            UnusableError: the case failed, its files are damaged, or it has changed since it was opened, as by another
                run of `predict`.
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
        """Whether somebody edited the mask in another program since, so that `measures` and `curves_ml` are older.

        Raises:
            UnusableError: the case has changed in another way since it was opened.
        """
        with self._unchanged():
            return self.status == DONE and bool(edited(self._folder))

    @property
    @in_words_of_python()
    def review(self) -> CaseReview | None:
        """What a person decided about the case in `cardioseg review`; None if nobody reviewed it.

        Raises:
            UnusableError: the case has changed since it was opened, as by a review.
        """
        with self._unchanged():
            return read_case_review(self._folder) if self.status == DONE else None

    @in_words_of_python()
    def read_mask(self) -> Image:
        """Read the mask as it was last edited, as `measure` reads it.

        Returns:
            `Label` numbers (phase, slice, row, column), uint8, on the grid of the scan.

        Raises:
            UnusableError: there is none, it cannot be read, several files hold different edits, or the case has changed
                in another way since it was opened, as by another run of `predict`.
        """
        description, path = self._description, self._folder.mask
        with self._unchanged():
            if not path.is_file():
                raise UnusableError(f"{self._folder.path} holds no mask", self._where_masks_are())
            mask = read_edited(path).mask if edited(self._folder) else read_labelled(path)
        return image_of(replace(mask, times_ms=description.times_ms))

    def _where_masks_are(self) -> str:
        """What to do where the case has no mask: `measure` writes none."""
        record = read_case_record(self._folder)
        if record is None or record.model_sha256:
            return f"it was removed: {AGAIN}"
        return f"`measure` writes none; its mask is {self.source}" if self.source else "`measure` writes none"

    @cached_property
    def _description(self) -> Description:
        if self.status != DONE:
            raise UnusableError(f"the case {self.name} failed, so that there is nothing to read: {self.reason}")
        with self._unchanged():
            return read_description(self._folder)

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Read what was there when the results were opened, and nothing else: a record is removed first, written last.

        Raises:
            UnusableError: the case has another record by now, or none.
        """
        try:
            yield
        finally:
            if record_hash(self._folder) != self._record:
                what = f"the case {self.name} in {self._folder.path.parent} has changed since it was opened"
                raise UnusableError(what, _OPEN_AGAIN)


def edited(folder: CaseFolder) -> str:
    """The file that holds an edit of a predicted mask; empty where there is none, and of masks that were measured."""
    record = read_case_record(folder)
    return edited_file(folder.mask, record) if record and record.model_sha256 else ""


def record_hash(case: CaseFolder) -> str:
    """Hash of the record of a case; empty where there is none."""
    try:
        return sha256(case.record)
    except OSError:
        return ""
