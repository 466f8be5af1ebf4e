"""Small samples: the warning that intervals and limits of agreement are computed from few subjects."""

from collections.abc import Iterable

from cardioseg.measure.agreement import FEW, Agreement
from cardioseg.wording import counted


def warning(agreements: Iterable[Agreement]) -> str:
    """The warning if some agreements have few subjects, else ""; with fewer than two subjects there is no interval."""
    sizes = sorted({agreement.n for agreement in agreements if 1 < agreement.n < FEW})
    if not sizes:
        return ""
    over = counted(sizes[-1], "subject") if len(sizes) == 1 else f"{sizes[0]} to {counted(sizes[-1], 'subject')}"
    return (
        f"few subjects: intervals and limits of agreement over {over} are too narrow, and the next subjects may lie "
        f"outside; do not rely on them below {FEW} subjects"
    )
