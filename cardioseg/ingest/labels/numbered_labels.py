"""Numbered labels: the labels of a mask with numbers, whose meaning must agree with how its structures lie."""

from collections.abc import Mapping

from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label, relabel
from cardioseg.image.volume import Voxels
from cardioseg.ingest.labels.label_geometry import AS_CALLED, Mask, seen_meaning

RENUMBER = (
    "no --labels names these numbers: change those of the masks to 1 RV cavity, 2 LV myocardium, 3 LV cavity; or save "
    "a mask of each structure and list them in a CSV file, in the columns lv_mask, myo_mask and rv_mask"
)


def labels_of(mask: Voxels, convention: Convention, renumber: str = RENUMBER) -> Mask:
    """The labels of a mask (..., row, column) whose numbers follow a convention.

    Args:
        mask: the numbers.
        convention: their meaning.
        renumber: how the user can state another meaning; the default is said only if no convention has it.

    Raises:
        UnusableError: a number is not in the convention, or the structures do not lie as the convention says.
    """
    labels = relabel(mask, convention)
    seen = seen_meaning(labels)
    if seen is None or seen == AS_CALLED:
        return labels
    meant = {number: seen.get(label, label) for number, label in convention.items()}
    drawn = {number: meant[number] for number, label in convention.items() if label in STRUCTURES and label in labels}
    names = [name for name, numbers in CONVENTIONS.items() if _agree(meant, numbers)]
    whose = f" as in {' and '.join(names)}" if names else ""
    what = f"its numbers seem to mean {listed_meaning(drawn)}{whose}: the LV myocardium is a ring around the LV cavity"
    other_way = "" if renumber == RENUMBER else f", or {renumber}"
    raise UnusableError(what, f"use --labels {names[0]}{other_way}" if names else renumber)


def listed_meaning(numbers: Mapping[int, Label]) -> str:
    """The meaning of numbers for a message: `1 LV cavity, 2 LV myocardium`."""
    return ", ".join(f"{number} {label.title}" for number, label in sorted(numbers.items()))


def _agree(meant: Convention, convention: Convention) -> bool:
    return all(convention.get(number) == label for number, label in meant.items() if label is not Label.BACKGROUND)
