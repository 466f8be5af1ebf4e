"""Pictures: what is drawn of one case, into its folder."""

from collections.abc import Collection
from contextlib import suppress

from cardioseg.image.flag import Flag
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.report.loops import write_loop
from cardioseg.report.overlays import write_overlay
from cardioseg.results.folder import CaseFolder


def write_pictures(
    folder: CaseFolder,
    image: Cine,
    mask: Cine,
    measures: Measures,
    *,
    flags: Collection[Flag],
    title: str,
) -> None:
    """Draw a contact sheet and, of several phases, a loop; what an earlier run drew there is gone.

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
    write_overlay(folder.overlay, image, mask, **moments, flags=flags, title=title)
    write_loop(folder.loop, image, mask, ed_phase=measures.ed_phase)


def remove_pictures(folder: CaseFolder) -> None:
    """Remove the pictures of a case, where there are any."""
    for path in (folder.overlay, folder.loop):
        with suppress(OSError):
            path.unlink()
