"""Labels: the meaning of a mask's numbers. cardioseg uses ACDC's numbers; others are mapped when a mask is read."""

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
    def side(self) -> str:
        """The ventricle that it belongs to: `LV`, `RV` or nothing."""
        return self.name.rpartition("_")[0]

    @property
    def title(self) -> str:
        """The label's name for people: `LV cavity`."""
        return f"{self.side} {self.name.rpartition('_')[2].lower()}".strip()


STRUCTURES = (Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY)

Convention = Mapping[int, Label]
"""What each number of a mask means."""

CONVENTIONS: Mapping[str, Convention] = {
    "acdc": {0: Label.BACKGROUND, 1: Label.RV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.LV_CAVITY},
    "mnms": {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.RV_CAVITY},
    "ukbb": {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.RV_CAVITY},
}


def convention_of(name: str | None) -> Convention | None:
    """The meaning of a mask's numbers by its name; None where it is left to the data.

    Raises:
        UsageError: there is none of that name.
    """
    if name is None:
        return None
    if name not in CONVENTIONS:
        raise UsageError(f"no label convention {name}", f"the conventions are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


_WHOLE = 1e-3  # largest distance of a label from a whole number


def relabel(mask: NDArray[np.generic], convention: Convention) -> NDArray[np.uint8]:
    """Map a mask of any number type and shape from `convention` to `Label`.

    Numbers that are whole to within 0.001 are labels: saving whole numbers through a slope leaves such rounding.

    Raises:
        UnusableError: the mask contains a value that is not in the convention.
    """
    numbers = whole(mask)
    if numbers.dtype == np.uint8 and _is_kept(int(numbers.max(initial=0)), convention):
        return numbers.copy()
    values = _byte_values(numbers) if numbers.dtype == np.uint8 else np.unique(numbers)
    unknown = [value for value in values.tolist() if value not in convention]
    if unknown:
        raise UnusableError(f"the mask holds the label {unknown[0]:.7g}; the known labels are {sorted(convention)}")
    if numbers.dtype == np.uint8:
        table = np.zeros(256, np.uint8)
        for value, label in convention.items():
            if 0 <= value < len(table):  # a card may name numbers that no byte holds
                table[value] = label
        return np.asarray(table[numbers])
    result = np.zeros(mask.shape, np.uint8)
    for value, label in convention.items():
        result[numbers == value] = label
    return result


def _is_kept(highest: int, convention: Convention) -> bool:
    """Whether all numbers from 0 to `highest` stay as they are: so it is with our own masks, which need no look."""
    return all(convention.get(number) == number for number in range(highest + 1))


def _byte_values(numbers: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The values that occur: many times faster than `numpy.unique` on a mask of a cine."""
    occurs = np.zeros(256, np.bool_)
    occurs[numbers] = True
    return np.flatnonzero(occurs)


def whole(mask: NDArray[Any]) -> NDArray[Any]:
    """The numbers, with those that are nearly whole rounded."""
    if mask.dtype.kind not in "fc":
        return mask
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        rounded = np.rint(mask)
        return np.where(np.abs(mask - rounded) <= _WHOLE, rounded, mask)
