"""Case record: what `case.json` says: of which scan and by which model a case was made, and what was written.

It is written last. A case is done when its record verifies, not when a file exists.
"""

from contextlib import suppress

from pydantic import BaseModel, ConfigDict

from cardioseg.errors import UnusableError
from cardioseg.files import write_json
from cardioseg.image.volume import Grid
from cardioseg.measure.case_measures import Measures
from cardioseg.results.asked_patient import AskedPatient
from cardioseg.results.folder import CaseFolder
from cardioseg.results.records import read_record
from cardioseg.results.review_record import BegunSave, Review

_INTERRUPTED = (
    "a save of its review was interrupted, so its mask, numbers and files may not fit each other: save the case again "
    "in `cardioseg review`"
)


class RecordedGrid(BaseModel):
    """The grid of a mask as it was written, so that an editor's order and direction of axes is known; see `Grid`."""

    model_config = ConfigDict(frozen=True)

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    directions: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, grid: Grid) -> "RecordedGrid":
        """What is recorded of a grid."""
        return cls(**{name: getattr(grid, name) for name in cls.model_fields})

    def grid(self) -> Grid:
        """The grid again."""
        return Grid(**self.model_dump())


class CaseRecord(BaseModel):
    """One case as it was committed. A record of an earlier version may lack any of this.

    Attributes:
        content: hash of the scan's pixels: which case this is; empty where it is not known.
        header: hash of all else that measures rest on: geometry, times, body, heart rate.
        grid: of the mask that was predicted.
        input: hash of the places, sizes and times of the scan's files; while it is the same, `content` is too.
        source: where the scan lay, as the user gave it; None where that is not to be said.
        run: random id of the run that last used the record, where the source is not to be said.
        naming: why the case has not the name that its scan has; or empty.
        remark: what else to say of it.
        outdated: why its measures are not those of its scan as that is now; empty if they are.
        cardioseg: version.
        model_sha256: the model; empty for measured masks.
        chosen_phases: `ed_phase` and `es_phase` as far as a person chose them.
        formats: what was written of the mask.
        patient: what a person said of the patient, or asked to read of them.
        sha256: file name -> hash, of the masks.
        review: what a person who reviewed the case said; None if nobody did.
        begun_save: what was predicted, if a save of a review began and did not end; see `interrupted`.
        decision: of a measured mask: the decision about it in the results of `predict`; empty if there is none.
    """

    model_config = ConfigDict(frozen=True)

    content: str = ""
    header: str = ""
    grid: RecordedGrid | None = None
    input: str = ""
    source: str | None = None
    run: str | None = None
    naming: str = ""
    remark: str = ""
    outdated: str = ""
    cardioseg: str = ""
    model_sha256: str = ""
    chosen_phases: dict[str, int | None] = {}
    formats: tuple[str, ...] = ()
    patient: AskedPatient = AskedPatient()
    sha256: dict[str, str] = {}
    review: Review | None = None
    begun_save: BegunSave | None = None
    decision: str = ""

    @property
    def decided(self) -> str:
        """What a person decided about the case, for the tables; empty if nobody reviewed it."""
        return self.review.decision if self.review else self.decision

    @property
    def is_corrected(self) -> bool:
        """Whether a person corrected the mask in `review`."""
        return self.review is not None and self.review.is_corrected

    @property
    def interrupted(self) -> str:
        """That a save was killed, so that mask, measures and files of the case may not fit; empty if none was."""
        return _INTERRUPTED if self.begun_save else ""

    def reviewed(self, now: Measures) -> str:
        """What a person decided, in one line with the changes to the present measures; empty if nobody did."""
        return self.review.remark(now) if self.review else ""

    def write(self, folder: CaseFolder) -> None:
        """Write `case.json`.

        Raises:
            ResourceError: the file system refuses.
        """
        write_json(folder.record, self.model_dump(mode="json"))


def read_case_record(folder: CaseFolder) -> CaseRecord | None:
    """The record of a case, or None where there is none that can be read."""
    with suppress(UnusableError):
        return read_record(folder.record, CaseRecord, "")
    return None
