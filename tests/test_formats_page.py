"""docs/formats.md describes every format of scans, labels and results."""

from pathlib import Path

from scripts import script

from cardioseg.image.volume_files import FORMATS

PAGE = script(Path(__file__).parents[1] / "docs" / "formats" / "page.py")


def test_the_page_is_what_its_script_writes() -> None:
    assert PAGE.PAGE.read_text(encoding="utf-8") == PAGE.page()


def test_every_format_of_scans_is_described() -> None:
    assert {known.NAME for known in FORMATS if known.SUFFIXES} <= set(PAGE.SCANS)
