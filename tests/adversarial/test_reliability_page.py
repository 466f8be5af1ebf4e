"""The page in docs/ is what its script makes of the figures beside it, whichever of them are there."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from scripts import script

FOLDER = Path(__file__).parents[2] / "docs" / "reliability"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text() == page.page()


def test_a_section_needs_its_file_alone(page: ModuleType, tmp_path: Path) -> None:
    assert page.page(tmp_path) == page.INTRODUCTION
    figures = [{"what": "a|b", "measured": 20000, "unit": "s"}, {"what": "c", "promised": "0", "measured": "none"}]
    one = {"title": "One", "promise": "It holds.", "command": ["a", "b"], "figures": figures, "notes": ["So it is."]}
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "two.json").write_text(json.dumps(one | {"title": "Two", "order": 5, "command": "c"}))
    text = page.page(tmp_path)
    assert text.index("## Two") < text.index("## One")
    assert "```\na\nb\n```" in text
    assert "| a\\|b |  | 20,000 s |\n| c | 0 | none |\n" in text
    assert text.count("So it is.") == 2
