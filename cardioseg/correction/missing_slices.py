"""Missing slices: what a person drew where no image was acquired."""

from collections.abc import Collection

from cardioseg.image.volume import Cine


def drawn_in_missing(mask: Cine, missing: Collection[int]) -> str:
    """A remark on what a person drew in slices that were not acquired; no measure and no DICOM object has it.

    Args:
        mask: `Label` values (phase, slice, row, column).
        missing: 0-based slices that were not acquired.
    """
    drawn = [index for index in missing if mask.voxels[:, index].any()]
    if not drawn:
        return ""
    which = f"slice{'s' * (len(drawn) > 1)} {', '.join(map(str, drawn))}"
    return f"what was drawn in {which} has no effect, because no image was acquired there: the areas are interpolated"
