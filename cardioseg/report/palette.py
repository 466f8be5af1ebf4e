"""Palette: one colour per structure, distinct for every kind of colour vision.

From Okabe & Ito, "Color Universal Design" (2008): sky blue, yellow and vermilion also differ in lightness, so that they
stay distinct in a grey printout.
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
PAPER, INK, FAINT = "#121212", "#f0f0f0", "#9c9c9c"  # colours of pictures; all but the lines are grey
CASING = "#000000"  # on both sides of a line, so that it is visible on bright blood
FLAGGED = "#ffb224"

_BLENDS = (0.25, 0.5, 0.75)  # shares of a line's colour at its soft edges
_BACKGROUNDS = (0, 64, 128, 192)


def indexed(pictures: Iterable[Image.Image], greys: int) -> list[Image.Image]:
    """Convert RGB pictures to one byte per pixel, all with the same colour table: small files, and no flicker.

    Args:
        pictures: pictures in greys, the structures' colours and `FLAGGED`.
        greys: number of greys; more than 64 look the same, and 32 are enough for moving pictures.
    """
    table = Image.new("P", (1, 1))
    table.putpalette(_table(greys).tobytes())
    return [picture.quantize(palette=table, dither=Image.Dither.NONE) for picture in pictures]


def _table(steps: int) -> NDArray[np.uint8]:
    """Greys, the structures' colours and their blends with greys (256 colours, RGB)."""
    greys = np.repeat(np.linspace(0, 255, steps)[:, None], 3, axis=1)
    lines = np.array([ImageColor.getrgb(colour) for colour in (*(COLOURS[label] for label in STRUCTURES), FLAGGED)])
    blends = [share * line + (1 - share) * grey for line, share, grey in product(lines, _BLENDS, _BACKGROUNDS)]
    colours = np.concatenate([greys, lines, blends]).round().astype(np.uint8)
    return np.asarray(np.pad(colours, ((0, 256 - len(colours)), (0, 0)), mode="edge"))
