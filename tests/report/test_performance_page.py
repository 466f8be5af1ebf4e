"""docs/performance.md is what its script makes of the JSON files beside it."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from scripts import script

FOLDER = Path(__file__).parents[2] / "docs" / "performance"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text() == page.page()


def test_a_section_needs_its_file_and_no_other(page: ModuleType, tmp_path: Path) -> None:
    assert page.page(tmp_path) == page.INTRODUCTION
    figures = {"wall_s": 0.2, "cpu_s": 0.1, "peak_mb": 40.0}
    (tmp_path / "starting.json").write_text(json.dumps({"threads": 2, "--help": figures}))
    text = page.page(tmp_path)
    assert "| --help | 0.20 | 0.10 | 40 |" in text
    assert "## Reading" not in text
