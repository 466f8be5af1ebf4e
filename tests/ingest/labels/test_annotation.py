"""Which labels count as annotated: the background does wherever a structure does."""

import numpy as np

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.labels.subject import annotation


def test_the_background_is_annotated_with_the_structures() -> None:
    assert annotation(2, STRUCTURES).tolist() == [[True] * 4] * 2
    assert annotation(1, [Label.LV_CAVITY]).tolist() == [[True, False, False, True]]


def test_without_a_structure_nothing_is_annotated() -> None:
    assert annotation(3, ()).tolist() == [[False] * 4] * 3
    assert annotation(3, ()).dtype == np.bool_
