"""Labels: what a mask's numbers mean. Inside cardioseg the numbers are ACDC's; others are mapped at the door."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError, UsageError


class Label(IntEnum):
    """The structures of a short-axis slice. Papillary muscles belong to the LV cavity."""

    BACKGROUND = 0
    RV_CAVITY = 1
    LV_MYOCARDIUM = 2
    LV_CAVITY = 3

    @property
    def key(self) -> str:
        """The label's name in files: `lv_cavity`."""
        return self.name.lower()

    @property
    def title(self) -> str:
        """The label's name for people: `LV cavity`."""
        side, part = self.name.split("_") if "_" in self.name else ("", self.name)
        return f"{side} {part.lower()}".strip()


STRUCTURES = (Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY)

CONVENTIONS: Mapping[str, Mapping[int, Label]] = {
    "acdc": {0: Label.BACKGROUND, 1: Label.RV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.LV_CAVITY},
    "mnms": {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.RV_CAVITY},
    "ukbb": {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.RV_CAVITY},
}


def convention_of(name: str | None) -> Mapping[int, Label] | None:
    """The meaning of a mask's numbers by its name; None where it is left to the data.

    Raises:
        UsageError: there is none of that name.
    """
    if name is None:
        return None
    if name not in CONVENTIONS:
        raise UsageError(f"no label convention {name}", f"known are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


_WHOLE = 1e-3  # as far as a label may be from a whole number


def relabel(mask: NDArray[np.generic], convention: Mapping[int, Label]) -> NDArray[np.uint8]:
    """Map a mask of any number type and shape from `convention` to `Label`.

    Numbers that are whole to within 0.001 are labels: saving whole numbers through a slope leaves such rounding.

    Raises:
        UnusableError: the mask holds a value that the convention does not know.
    """
    numbers = whole(mask)
    unknown = [value for value in np.unique(numbers).tolist() if value not in convention]
    if unknown:
        raise UnusableError(f"the mask holds {unknown[0]:.7g}, known are {sorted(convention)}")
    result = np.zeros(mask.shape, np.uint8)
    for value, label in convention.items():
        result[numbers == value] = label
    return result


def whole(mask: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, those that are nearly whole made whole."""
    if mask.dtype.kind not in "fc":
        return mask
    with np.errstate(invalid="ignore"):  # infinity less infinity
        rounded = np.rint(mask)
        return np.where(np.abs(mask - rounded) <= _WHOLE, rounded, mask)
