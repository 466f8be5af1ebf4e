"""Palette: one colour per structure, told apart by every kind of colour vision.

From Okabe & Ito, "Color Universal Design" (2008): sky blue, yellow and vermilion also differ in lightness, so they
survive a grey printout.
"""

from collections.abc import Iterable, Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from cardioseg.image.labels import STRUCTURES, Label

COLOURS: Mapping[Label, str] = {
    Label.RV_CAVITY: "#56b4e9",
    Label.LV_MYOCARDIUM: "#f0e442",
    Label.LV_CAVITY: "#ff6a3d",  # vermilion, lighter than Okabe & Ito's for a dark background
}
ON_LIGHT: Mapping[Label, str] = {  # the same hues, dark enough for lines on white
    Label.RV_CAVITY: "#1f83bd",
    Label.LV_MYOCARDIUM: "#a98b00",
    Label.LV_CAVITY: "#d9480f",
}
PAPER, INK, FAINT = "#121212", "#f0f0f0", "#9c9c9c"  # of pictures; greys, as all but the lines are
CASING = "#000000"  # beside a line, so that it is seen on bright blood
FLAGGED = "#ffb224"

_BLENDS = (0.25, 0.5, 0.75)  # of a line's colour, at its soft edges
_BACKGROUNDS = (0, 64, 128, 192)


def indexed(pictures: Iterable[Image.Image], greys: int) -> list[Image.Image]:
    """RGB pictures with one byte a pixel, all with the same colours: a fraction of the bytes, and no flicker.

    Args:
        pictures: in greys, the structures' colours and `FLAGGED`.
        greys: how many; 64 cannot be told from more, 32 are enough for what moves.
    """
    table = Image.new("P", (1, 1))
    table.putpalette(_table(greys).tobytes())
    return [picture.quantize(palette=table, dither=Image.Dither.NONE) for picture in pictures]


def _table(steps: int) -> NDArray[np.uint8]:
    """Greys, the structures' colours and their blends with greys, (colour, RGB), 256 rows."""
    greys = np.repeat(np.linspace(0, 255, steps)[:, None], 3, axis=1)
    lines = np.array([ImageColor.getrgb(colour) for colour in (*(COLOURS[label] for label in STRUCTURES), FLAGGED)])
    blends = [share * line + (1 - share) * grey for line, share, grey in product(lines, _BLENDS, _BACKGROUNDS)]
    known = np.concatenate([greys, lines, blends]).round().astype(np.uint8)
    return np.asarray(np.pad(known, ((0, 256 - len(known)), (0, 0)), mode="edge"))
