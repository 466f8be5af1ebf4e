from pathlib import Path

import pytest
from read_subjects import read_layout

from cardioseg.errors import NoInputError, UsageError
from cardioseg.ingest.labels import layouts


def test_real_folders_are_told_apart(shared_data: Path) -> None:
    folders = {"sunnybrook": "sunnybrook", "acdc": "acdc", "sunnybrook_slices": "pairs", "enhanced_mr": None}
    for folder, expected in folders.items():
        layout = layouts.detect(shared_data / folder)
        assert (layout.NAME if layout else None) == expected


def test_what_was_tried_is_listed(tmp_path: Path) -> None:
    listed = r"sunnybrook is scd_patientdata.csv .*; acdc is .*Info.cfg; mnms is .*External code.*; pairs is a .csv"
    with pytest.raises(NoInputError, match=listed):
        read_layout(tmp_path)
    with pytest.raises(NoInputError, match="no such folder"):
        read_layout(tmp_path / "absent")
    (tmp_path / "pairs.csv").write_text("subject,image,mask")
    with pytest.raises(NoInputError, match="give the folder"):
        read_layout(tmp_path / "pairs.csv")
    with pytest.raises(UsageError, match="known: auto, sunnybrook, acdc, mnms, pairs"):
        read_layout(tmp_path, "bids")


@pytest.mark.parametrize("layout", [layout.NAME for layout in layouts.LAYOUTS])
def test_a_layout_asked_for_by_name_must_fit(tmp_path: Path, layout: str) -> None:
    with pytest.raises(NoInputError, match=rf"\({layout} is [^;]*\)"):
        read_layout(tmp_path, layout)
