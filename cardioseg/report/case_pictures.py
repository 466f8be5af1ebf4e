"""Pictures: what is drawn of one case, into its folder."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from cardioseg.image.flag import Flag
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.report.loops import write_loop
from cardioseg.report.overlays import write_overlay

OVERLAY_FILE = "overlay.png"
LOOP_FILE = "cine.gif"


def write_pictures(
    folder: Path,
    image: Cine,
    mask: Cine,
    measures: Measures,
    *,
    flags: Collection[Flag] = (),
    title: str = "",
) -> None:
    """Draw `overlay.png` and, of several phases, `cine.gif`; what an earlier run drew there is gone.

    Args:
        folder: the case's.
        image: intensities (phase, slice, row, column).
        mask: `Label` values on the same grid.
        measures: of the mask; they say what end-diastole and end-systole are.
        flags: where a human must look.
        title: the case's name.

    Raises:
        ResourceError: the file system refuses the write.
    """
    remove_pictures(folder)
    moments = {"ed_phase": measures.ed_phase, "es_phase": measures.es_phase}
    write_overlay(folder / OVERLAY_FILE, image, mask, **moments, flags=flags, title=title)
    write_loop(folder / LOOP_FILE, image, mask, ed_phase=measures.ed_phase)


def remove_pictures(folder: Path) -> None:
    """Remove the pictures of a case, where there are any."""
    for name in (OVERLAY_FILE, LOOP_FILE):
        with suppress(OSError):
            (folder / name).unlink()
