"""docs/cohorts.md is what its script makes of the JSON files beside it."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from scripts import script

FOLDER = Path(__file__).parents[2] / "docs" / "cohorts"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text() == page.page()


def test_sections_come_from_their_files(page: ModuleType, tmp_path: Path) -> None:
    assert page.page(tmp_path) == page.INTRODUCTION
    turns = {"one": [{"wall_s": 10, "cpu_s": 18}], "two": [{"wall_s": 9, "cpu_s": 17}]}
    found = {"cases": 2, "slices": 240, "model": "m", "cores": 2, "turns": turns, "throughput": 1.11, "cpu": 0.94}
    (tmp_path / "throughput.json").write_text(json.dumps(found | {"cpu_s_a_case": 7.2, "wall_s_a_case": 4.5}))
    memory = {"cases": 1000, "mb": {"100": 90.0, "1000": 91.0}, "peak_mb": 99.0, "bytes_a_case": 1111}
    (tmp_path / "memory.json").write_text(json.dumps({"simulated": memory}))
    text = page.page(tmp_path)
    assert "Two processes do 1.11 x as many cases" in text
    assert "50,000 cines take 100 core hours" in text
    assert "| 16 | 6.2 hours |" in text
    assert "| simulated cases, no segmentation | 1,000 | 90 | 91 | 1,111 | 99 |" in text
