"""The sizes of phantom that tests share: as small as what they test allows. Vary them with `dataclasses.replace`."""

from typing import Any

from cardioseg.phantom import Phantom

SQUARE_SIZE: dict[str, Any] = {"slices": 5, "phases": 8, "rows": 48, "columns": 48, "spacing_mm": (16.0, 5.0, 5.0)}

TINY = Phantom(slices=5, phases=8, rows=16, columns=16, spacing_mm=(16.0, 8.0, 8.0))  # files, more than hearts
SMALL = Phantom(slices=5, phases=8, rows=48, columns=40, spacing_mm=(16.0, 6.0, 6.0))  # a heart that can be segmented
SQUARE = Phantom(**SQUARE_SIZE)  # likewise, for networks
SIX_SLICES = Phantom(slices=6, phases=8, rows=48, columns=40, spacing_mm=(14.0, 6.0, 6.0))
FINE = Phantom(slices=5, phases=8, rows=64, columns=64, spacing_mm=(16.0, 4.0, 4.0))
TWO_PHASES = Phantom(slices=5, phases=2, rows=32, columns=32, spacing_mm=(16.0, 7.0, 7.0))
OBLONG = Phantom(slices=6, phases=8, rows=32, columns=36, spacing_mm=(15.0, 6.6, 6.3))  # pixels that are not square
