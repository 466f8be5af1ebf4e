"""Overlays: a contact sheet of one case with the outlines of the masks on the images."""

from collections.abc import Collection, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from cardioseg.files import atomic_path
from cardioseg.image.flag import Flag, Place
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine
from cardioseg.report.case_names import drawn_name
from cardioseg.report.drawing import draw_slice, text_font, window, write_name
from cardioseg.report.palette import COLOURS, FAINT, INK, PAPER, indexed
from cardioseg.report.sheet import GUTTER_PX, HEADER_PX, PAD_PX, Sheet, lay_out

_NAME_PX = 2  # from a tile's corner to its name
_TITLE_PX, _CAPTION_PX = 18, 15
_KEY_GAP_PX, _KEY_LINE_PX = 24, 18
_GREYS = 64


def write_overlay(
    path: Path,
    image: Cine,
    mask: Cine,
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    flags: Collection[Flag] = (),
    title: str = "",
) -> None:
    """Draw a PNG contact sheet: slices from base to apex, end-diastole above end-systole.

    The names of flagged slices are highlighted; a last row shows some slices that are flagged at other phases. The same
    input gives the same bytes.

    Args:
        path: where to write.
        image: intensities (phase, slice, row, column).
        mask: `Label` values on the same grid.
        ed_phase: 0-based end-diastole; if neither phase is known, the first phase is shown.
        es_phase: 0-based end-systole.
        flags: where a human must look.
        title: the case's name.

    Raises:
        ResourceError: the file system refuses the write.
        ValueError: image and mask differ in shape.
    """
    if image.voxels.shape != mask.voxels.shape:
        raise ValueError(f"image {image.voxels.shape} and mask {mask.voxels.shape} differ in shape")
    captions = _captions(mask, ed_phase, es_phase)
    sheet = lay_out(mask, captions, _flagged_places(flags, captions))
    present = np.unique([mask.voxels[tile.place] for tile in sheet.tiles]).tolist()
    key = [label for label in STRUCTURES if label in present]
    height, width = sheet.size
    picture = Image.new("RGB", (max(width, _head_px(key, title)), height), PAPER)
    _draw_tiles(picture, sheet, image, mask)
    _draw_captions(picture, sheet)
    _draw_head(picture, key, title)
    with atomic_path(path) as partial:
        indexed([picture], _GREYS)[0].save(partial, "PNG")


def _captions(mask: Cine, ed_phase: int | None, es_phase: int | None) -> dict[int, str]:
    """The caption of each phase to show, in the order of the rows; the RV can have another ED and ES than the LV."""
    if mask.phases == 1:
        return {0: ""}
    side = "LV " if (mask.voxels == Label.LV_CAVITY).any() else ""
    names = {phase: name for phase, name in ((es_phase, "ES"), (ed_phase, "ED")) if phase is not None}
    return {phase: f"{side}{names[phase]}   phase {phase}" for phase in reversed(names)} or {0: "phase 0"}


def _flagged_places(flags: Collection[Flag], shown: Collection[int]) -> list[Place]:
    """The flagged places: first the main place of each flag, then the further places of all flags in turn.

    A flag on a slice at all phases is marked at the phases shown.
    """
    further = chain.from_iterable(zip_longest(*(flag.places for flag in flags)))
    main = ((flag.phase, flag.slice) for flag in flags)
    marked = [
        (phase, index)
        for flagged_phase, index in (*main, *filter(None, further))
        if index is not None
        for phase in (shown if flagged_phase is None else (flagged_phase,))
    ]
    return list(dict.fromkeys(marked))


def _draw_tiles(picture: Image.Image, sheet: Sheet, image: Cine, mask: Cine) -> None:
    height, width = sheet.shape
    for tile in sheet.tiles:
        labels = np.asarray(sheet.crop.of(mask.voxels[tile.place]))
        grey = window(sheet.crop.of(image.voxels[tile.place])[None], labels[None])[0]
        picture.paste(draw_slice(grey, labels, sheet.shape), (tile.x, tile.y))
        if not grey.any():
            middle = (tile.x + width / 2, tile.y + height / 2)
            ImageDraw.Draw(picture).text(middle, "no image", FAINT, text_font(_CAPTION_PX), "mm")
        write_name(picture, (tile.x + _NAME_PX, tile.y + _NAME_PX), tile.name, tile.is_flagged)


def _draw_captions(picture: Image.Image, sheet: Sheet) -> None:
    """Write the caption to the left of each row, reading upwards."""
    font = text_font(_CAPTION_PX)
    for row in sheet.rows:
        words = Image.new("L", (sheet.shape[0], GUTTER_PX))
        ImageDraw.Draw(words).text((sheet.shape[0] / 2, GUTTER_PX / 2), row.caption, 255, font, "mm")
        picture.paste(FAINT, (PAD_PX - 6, row.y), words.rotate(90, expand=True))


def _draw_head(picture: Image.Image, key: Sequence[Label], title: str) -> None:
    """Draw the case's name and the key of the colours."""
    draw, font = ImageDraw.Draw(picture), text_font(_CAPTION_PX)
    middle, left = PAD_PX + HEADER_PX / 2 - 6, picture.width - PAD_PX - sum(map(_key_px, key))
    name, name_font = drawn_name(title, _TITLE_PX)
    draw.text((PAD_PX + GUTTER_PX, middle), name, INK, name_font, "lm")
    for label in key:
        right = left + _key_px(label)
        draw.text((right, middle), _key_text(label), INK, font, "rm")
        start = left + _KEY_GAP_PX
        draw.line((start, middle, start + _KEY_LINE_PX, middle), COLOURS[label], 3)
        left = right


def _head_px(key: Sequence[Label], title: str) -> int:
    """The width of the head."""
    name, font = drawn_name(title, _TITLE_PX)
    return 2 * PAD_PX + GUTTER_PX + round(font.getlength(name)) + sum(map(_key_px, key))


def _key_px(label: Label) -> int:
    """The width of a structure's part of the key: a gap, a line, a small gap, its title."""
    return _KEY_GAP_PX + _KEY_LINE_PX + 8 + round(text_font(_CAPTION_PX).getlength(_key_text(label)))


def _key_text(label: Label) -> str:
    return label.title.replace(" ", "  ")  # the font's space is thin
