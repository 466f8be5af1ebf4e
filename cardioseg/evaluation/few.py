"""Few: that intervals and limits of agreement stand on few subjects, in plain words."""

from collections.abc import Iterable

from cardioseg.evaluation.wording import several
from cardioseg.measure.agreement import FEW, Agreement


def warning(agreements: Iterable[Agreement]) -> str:
    """That some of these are over few subjects, or nothing; below two subjects there is no interval."""
    sizes = sorted({one.n for one in agreements if 1 < one.n < FEW})
    if not sizes:
        return ""
    over = several(sizes[-1], "subject") if len(sizes) == 1 else f"{sizes[0]} to {several(sizes[-1], 'subject')}"
    return (
        f"few subjects: intervals and limits of agreement over {over} are too narrow, and the next subjects may lie "
        f"outside; do not rely on them below {FEW} subjects"
    )
