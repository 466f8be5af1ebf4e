from pathlib import Path

import pytest

from cardioseg.errors import NoInputError, UsageError
from cardioseg.ingest import layouts


def test_real_folders_are_told_apart(shared_data: Path) -> None:
    folders = {"sunnybrook": "sunnybrook", "acdc": "acdc", "sunnybrook_slices": "pairs", "enhanced_mr": None}
    for folder, expected in folders.items():
        layout = layouts.detect(shared_data / folder)
        assert (layout.NAME if layout else None) == expected


def test_what_was_tried_is_listed(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="tried: sunnybrook, acdc, pairs"):
        layouts.read(tmp_path)
    with pytest.raises(NoInputError, match="no such folder"):
        layouts.read(tmp_path / "absent")
    with pytest.raises(UsageError, match="known: auto, sunnybrook, acdc, pairs"):
        layouts.read(tmp_path, "bids")


@pytest.mark.parametrize("layout", [layout.NAME for layout in layouts.LAYOUTS])
def test_a_layout_asked_for_by_name_must_fit(tmp_path: Path, layout: str) -> None:
    with pytest.raises(NoInputError, match=rf"tried: {layout}\)"):
        layouts.read(tmp_path, layout)
