"""Painting: drawn structures become one label map. The order says what lies on top where they overlap."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.structures import Structure

PAINTED = (Structure.LV_EPICARDIUM, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY, Structure.LV_CAVITY)  # later on top

Drawn = Mapping[Structure, NDArray[np.bool_]]

_COVERED = 0.9  # of a structure's pixels; of a filled epicardium, the cavity covers three quarters in dilated hearts
_REMEDIES = {
    Structure.LV_EPICARDIUM: "are the names of the LV endocardium and epicardium exchanged?",
    Structure.LV_MYOCARDIUM: "draw the LV cavity without the wall",
    Structure.RV_CAVITY: "draw the LV cavity without the RV cavity, or correct the names",
}


class CoveredStructureError(UnusableError):
    """A structure is drawn, but another one covers it, so that it would be lost."""


def painted(drawn: Drawn, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The label map of structures, each a mask of the shape. An epicardium without any cavity is left out.

    Raises:
        CoveredStructureError: the others cover (nearly) all pixels of a structure.
    """
    mask = np.zeros(shape, np.uint8)
    for structure in structures_in(drawn):
        mask[drawn[structure]] = structure.label
    for structure in structures_in(drawn):
        _require_uncovered(structure, drawn[structure], mask)
    return mask


def _require_uncovered(structure: Structure, inside: NDArray[np.bool_], mask: NDArray[np.uint8]) -> None:
    """Refuse a mask in which a structure is lost; an epicardium is not, where a myocardium is drawn on top of it."""
    count, covered = int(np.count_nonzero(inside)), mask[inside][mask[inside] != structure.label]
    if not count or len(covered) < _COVERED * count:
        return
    covering = Label(int(np.bincount(covered).argmax()))
    share = f"{len(covered)} of the {count} pixels of the {structure.title} are also drawn as {covering.title}"
    raise CoveredStructureError(f"{share}, so that it would be lost", _REMEDIES[structure])


def structures_in(drawn: Drawn) -> list[Structure]:
    """The structures that are painted, in their order."""
    has_cavity = Structure.LV_CAVITY in drawn
    return [each for each in PAINTED if each in drawn and (has_cavity or each is not Structure.LV_EPICARDIUM)]


def left_out(drawn: Drawn) -> str:
    """What cannot be painted as it is drawn, as a remark; "" if there is nothing."""
    remarks = []
    if Structure.LV_EPICARDIUM in drawn and Structure.LV_CAVITY not in drawn:
        remarks.append("the LV epicardium is left out: without the LV cavity it does not say where the wall ends")
    left, right = drawn.get(Structure.LV_CAVITY), drawn.get(Structure.RV_CAVITY)
    count = int(np.count_nonzero(left & right)) if left is not None and right is not None else 0
    if count == 1:
        remarks.append("1 pixel of the RV cavity is left out, since it is LV cavity, too")
    elif count:
        remarks.append(f"{count} pixels of the RV cavity are left out, since they are LV cavity, too")
    return "; ".join(remarks)
