"""Sheet: the places of the tiles on a contact sheet, in pixels."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from cardioseg.image.flag import Place
from cardioseg.image.volume import Cine
from cardioseg.report.crop import Crop, crop_around, shown_slices

PAD_PX, HEADER_PX, GUTTER_PX = 16, 40, 26
FLAGGED = "flagged"
_TILE_PX = 232
_SHEET_PX = 1_200_000  # all tiles together
_COLUMNS_LIMIT = 8
_GAP_PX, _BAND_GAP_PX = 3, 14


@dataclass(frozen=True)
class Tile:
    """One slice at one phase.

    Attributes:
        place: phase and slice.
        y: top edge on the sheet.
        x: left edge on the sheet.
        name: the text in its corner.
        is_flagged: whether a human must look at it.
    """

    place: Place
    y: int
    x: int
    name: str
    is_flagged: bool


@dataclass(frozen=True)
class Row:
    """Tiles side by side, with the caption to their left."""

    caption: str
    y: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Sheet:
    """Slices from left to right, wrapped into bands; a band has one row per phase. A last row may show flagged slices.

    Attributes:
        crop: the part of a slice that a tile shows.
        shape: (height, width) of a tile.
        rows: the rows from top to bottom.
        flagged: the places where a human must look.
    """

    crop: Crop
    shape: tuple[int, int]
    rows: tuple[Row, ...]
    flagged: frozenset[Place]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the sheet."""
        return self.rows[-1].y + self.shape[0] + PAD_PX, self._x(max(len(row.places) for row in self.rows)) + PAD_PX

    @property
    def tiles(self) -> Iterator[Tile]:
        """All tiles, row by row."""
        for row in self.rows:
            for column, place in enumerate(row.places):
                name = f"slice {place[1]}" if column == 0 or row.caption == FLAGGED else f"{place[1]}"
                name += f", phase {place[0]}" if row.caption == FLAGGED else ""
                yield Tile(place, row.y, self._x(column), name, place in self.flagged)

    def _x(self, column: int) -> int:
        return PAD_PX + GUTTER_PX + column * (self.shape[1] + _GAP_PX)


def lay_out(mask: Cine, captions: Mapping[int, str], flagged: Collection[Place] = ()) -> Sheet:
    """Lay out the slices of a case, cropped around its mask, in true proportions.

    Args:
        mask: `Label` values (phase, slice, row, column).
        captions: the phases to show, from top to bottom, with the caption of each.
        flagged: the places where a human must look; those at other phases are shown in a last row, as many as fit.
    """
    crop, slices = crop_around(mask), shown_slices(mask)
    columns = ceil(len(slices) / ceil(len(slices) / _COLUMNS_LIMIT))
    bands = [slices[start : start + columns] for start in range(0, len(slices), columns)]
    lines = [(text, [(phase, index) for index in band]) for band in bands for phase, text in captions.items()]
    shown = {place for _, places in lines for place in places}
    extra = sorted([place for place in flagged if place not in shown][:columns])
    lines += [(FLAGGED, extra)] if extra else []
    shape = crop.fitted(mask.grid.pixel_mm, _TILE_PX, _SHEET_PX / (len(shown) + len(extra)))
    tops = [_top(rank, rank // len(captions), shape[0]) for rank in range(len(lines))]
    rows = [Row(text, top, tuple(places)) for (text, places), top in zip(lines, tops, strict=True)]
    return Sheet(crop, shape, tuple(rows), frozenset(flagged))


def _top(rank: int, band: int, height: int) -> int:
    return PAD_PX + HEADER_PX + rank * (height + _GAP_PX) + band * _BAND_GAP_PX
