"""Loops: the beating heart as an animated GIF: three slices side by side, with the outlines of the mask."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from cardioseg.files import atomic_path
from cardioseg.image.labels import Label
from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Cine
from cardioseg.report.crop import crop_around
from cardioseg.report.drawing import draw_slice, window, write_name
from cardioseg.report.palette import PAPER, indexed

_LEVELS = (0.15, 0.5, 0.85)  # base, middle and apex, as shares of the slices that hold the heart
_TILE_PX, _GAP_PX, _NAME_PX = 212, 3, 2
_LOOP_PX = 1_700_000  # all tiles of all phases: below 1 MB on real scans
_PHASES_LIMIT = 40
_GREYS = 32
_BEAT_MS = 1000.0  # if the times are not known
_FRAME_MS = (30, 500)  # browsers show faster frames slowly


def write_loop(path: Path, image: Cine, mask: Cine, *, ed_phase: int | None = None) -> None:
    """Draw an endless GIF of a basal, a middle and an apical slice that begins at end-diastole.

    The same input gives the same bytes. With a single phase, nothing is written.

    Args:
        path: where to write.
        image: intensities (phase, slice, row, column).
        mask: `Label` values on the same grid.
        ed_phase: 0-based phase to begin with.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if image.phases < 2:
        return
    first, *following = indexed(_frames(image, mask, ed_phase or 0), _GREYS)
    settings = {
        "save_all": True,
        "append_images": following,
        "loop": 0,
        "duration": _frame_ms(image, 1 + len(following)),
    }
    with atomic_path(path) as partial:
        first.save(partial, "GIF", optimize=False, disposal=1, **settings)


def middle_slices(mask: Cine) -> tuple[int, ...]:
    """A basal, a middle and an apical slice, fewer if the heart has fewer; base first if the orientation is known."""
    cavity = np.flatnonzero((mask.voxels == Label.LV_CAVITY).any(axis=(0, 2, 3)))
    heart = cavity if len(cavity) else np.flatnonzero(mask.voxels.any(axis=(0, 2, 3)))
    slices = heart if len(heart) else np.array([mask.grid.shape[0] // 2])
    ranks = np.array(_LEVELS) * (len(slices) - 1)
    chosen = list(dict.fromkeys(slices[ranks.round().astype(int)].tolist()))
    return tuple(chosen) if is_base_first(mask) else tuple(reversed(chosen))


def _frames(image: Cine, mask: Cine, ed_phase: int) -> Iterator[Image.Image]:
    slices, crop = middle_slices(mask), crop_around(mask)
    phases = np.linspace(0, image.phases, min(image.phases, _PHASES_LIMIT), endpoint=False).astype(int) + ed_phase
    height, width = crop.fitted(image.grid.pixel_mm, _TILE_PX, _LOOP_PX / (len(slices) * len(phases)))
    grey = {index: window(crop.of(image.voxels[:, index]), crop.of(mask.voxels[:, index])) for index in slices}
    for phase in (phases % image.phases).tolist():
        frame = Image.new("RGB", (len(slices) * (width + _GAP_PX) - _GAP_PX, height), PAPER)
        for rank, index in enumerate(slices):
            left = rank * (width + _GAP_PX)
            labels = np.asarray(crop.of(mask.voxels[phase, index]))
            frame.paste(draw_slice(grey[index][phase], labels, (height, width)), (left, 0))
            write_name(frame, (left + _NAME_PX, _NAME_PX), f"slice {index}")
        yield frame


def _frame_ms(image: Cine, frames: int) -> int:
    """The duration of a frame, in the GIF's steps of 10 ms: the loop takes as long as the heart beat."""
    times = image.times_ms
    beat_ms = (times[-1] - times[0]) * len(times) / (len(times) - 1) if times else _BEAT_MS
    low, high = _FRAME_MS
    return int(np.clip(round(beat_ms / frames, -1), low, high))
