"""Correction: what a person changed of a mask in the page, as the page sends it; nothing else of it is believed."""

from collections.abc import Collection
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cardioseg.errors import UsageError
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.measure.curves import Moments
from cardioseg.results.review_record import Decision

_COUNT = Annotated[int, Field(ge=0, lt=1 << 31)]
_FORMULA = ("=", "+", "-", "@")
_RUN = 3  # numbers: start, length, label


class Plane(BaseModel):
    """The pixels of one slice at one phase that differ from the mask.

    Attributes:
        phase: counted from 0.
        slice: counted from 0.
        runs: start, length and label of each run of changed pixels, ascending; a plane's pixels are counted row by row.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    phase: _COUNT
    slice: _COUNT
    runs: tuple[_COUNT, ...] = Field(strict=False)


class Correction(BaseModel):
    """Changes of a mask.

    Attributes:
        version: of the case that the page shows.
        ed_phase: end-diastole as far as the person chose it.
        es_phase: the same of end-systole.
        planes: the slices and phases that were changed.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    version: str
    ed_phase: _COUNT | None = None
    es_phase: _COUNT | None = None
    planes: tuple[Plane, ...] = Field((), strict=False)

    @property
    def by_hand(self) -> Moments:
        """The phases that the person chose."""
        return Moments(self.ed_phase, self.es_phase)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Phase and slice of each plane that was changed."""
        return [(plane.phase, plane.slice) for plane in self.planes]

    def applied(self, mask: Cine, missing: Collection[int] = ()) -> Cine:
        """The mask with the changes.

        Args:
            mask: `Label` values (phase, slice, row, column).
            missing: 0-based slices that were not acquired, in which a drawing would have no effect.

        Raises:
            UsageError: there is no such slice, pixel or label, or a slice was not acquired.
        """
        voxels = mask.voxels.copy()
        for plane in self.planes:
            if plane.phase >= mask.phases or plane.slice >= mask.grid.shape[0]:
                raise UsageError("the correction is of a slice that the mask does not have")
            if plane.slice in missing:
                raise UsageError(f"slice {plane.slice} was not acquired: a drawing in it has no effect")
            _change(voxels[plane.phase, plane.slice], plane.runs)
        return Cine(voxels, mask.grid, mask.times_ms)


class FinishedReview(Correction):
    """A correction that is to be saved, with what the person decided.

    Attributes:
        decision: of the person.
        initials: may be empty.
        note: may be empty.
    """

    decision: Annotated[Decision, Field(strict=False)]
    initials: Annotated[str, Field(max_length=16)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""

    def require_text(self) -> None:
        """Make sure that no spreadsheet that opens `review.csv` reads the initials or the note as a formula.

        Raises:
            UsageError: one of them begins as a formula does.
        """
        for name, text in (("initials", self.initials), ("note", self.note)):
            if text.strip().startswith(_FORMULA):
                message = f"nothing was saved: the {name} may not begin with {text.strip()[0]}"
                raise UsageError(message, "a spreadsheet would read it as a formula: begin with a letter or a number")


class CarriedSlice(Correction):
    """A correction of which one slice is to be carried on to the other phases."""

    slice: _COUNT


CorrectionT = TypeVar("CorrectionT", bound=Correction)


def parse(content: bytes, kind: type[CorrectionT]) -> CorrectionT:
    """Read what the page sent.

    Raises:
        UsageError: it is something else.
    """
    try:
        return kind.model_validate_json(content)
    except (ValidationError, ValueError, RecursionError):
        raise UsageError("the page sent something that is no correction; load the page again") from None


def plane_of(phase: int, index: int, before: NDArray[np.integer], now: NDArray[np.integer]) -> Plane:
    """The difference of two planes (row, column), from the first to the second."""
    return Plane(phase=phase, slice=index, runs=tuple(_runs(before.ravel(), now.ravel())))


def _change(plane: NDArray[np.integer], runs: tuple[int, ...]) -> None:
    """Set the runs in a plane (row, column) that is contiguous."""
    pixels = plane.reshape(-1)
    if len(runs) % _RUN:
        raise UsageError("a run of the correction is incomplete")
    end = 0
    for start, length, label in zip(*(runs[place::_RUN] for place in range(_RUN)), strict=True):
        if start < end or not length or start + length > pixels.size or label not in set(Label):
            raise UsageError("the correction has pixels or labels that the mask cannot have")
        end = start + length
        pixels[start:end] = label


def _runs(before: NDArray[np.integer], now: NDArray[np.integer]) -> list[int]:
    """Start, length and label of each run of pixels that differ and have the same label now."""
    places = np.flatnonzero(before != now)
    if not places.size:
        return []
    labels = now[places]
    is_first = np.concatenate([[True], (np.diff(places) != 1) | (np.diff(labels) != 0)])
    starts = np.flatnonzero(is_first)
    lengths = np.diff(np.append(starts, places.size))
    return np.column_stack([places[starts], lengths, labels[starts]]).ravel().tolist()
