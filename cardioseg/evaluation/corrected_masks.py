"""Corrected masks: the warning that a person changed predicted masks, so that the results are not the model's."""

from collections.abc import Collection, Iterable

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.wording import counted


def warning(corrected: Collection[str], scores: Iterable[VolumeScore]) -> str:
    """How many of the compared masks a person changed; "" if nobody changed any.

    Args:
        corrected: the cases whose mask was changed.
        scores: of all cases.
    """
    if not corrected:
        return ""
    masks = counted(len({score.case_id for score in scores}), "predicted mask")
    return f"a person corrected {len(corrected)} of {masks}: these results are not the model's own"
