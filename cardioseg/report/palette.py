"""Palette: one colour per structure, told apart by every kind of colour vision.

From Okabe & Ito, "Color Universal Design" (2008): sky blue, yellow and vermilion also differ in lightness, so they
survive a grey printout.
"""

from collections.abc import Mapping

from cardioseg.image.labels import Label

COLOURS: Mapping[Label, str] = {
    Label.RV_CAVITY: "#56b4e9",
    Label.LV_MYOCARDIUM: "#f0e442",
    Label.LV_CAVITY: "#ff6a3d",  # vermilion, lighter than Okabe & Ito's for a dark background
}
