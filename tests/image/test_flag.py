"""Where a flag points."""

import pytest

from cardioseg.image.flag import Flag


@pytest.mark.parametrize(
    ("phase", "index", "place"),
    [(None, None, ""), (0, None, "phase 0"), (None, 2, "slice 2"), (7, 3, "slice 3, phase 7")],
)
def test_place(phase: int | None, index: int | None, place: str) -> None:
    assert Flag("open ring", "why", phase, index).place == place
