"""Case names on pictures: readable letters or a hash, never a box, and never the same for two names."""

from itertools import combinations

import pytest
from PIL import ImageFont

from cardioseg.report import case_names
from cardioseg.report.case_names import drawn_name
from cardioseg.report.drawing import text_font

NAMES = (
    "Muller",
    "M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller",
    "Mu\N{COMBINING DIAERESIS}ller",
    "\u0418\u0432\u0430\u043d\u043e\u0432",
    "\u60a3\u8005_001",
    "\u75c5\u4eba_001",
    "\u60a3\u8005_002",
    "zero\N{ZERO WIDTH SPACE}width",
    "zerowidth",
)


@pytest.fixture(params=[True, False], ids=["fonts of the machine", "no other font"])
def _fonts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(case_names, "_INSTALLED", ())


@pytest.mark.usefixtures("_fonts")
def test_no_name_has_a_box_and_no_two_look_alike() -> None:
    pictures = []
    for name in NAMES:
        text, font = drawn_name(name, 22)
        box = bytes(font.getmask("\uffff"))
        assert all(bytes(font.getmask(letter)) != box for letter in text), name
        pictures.append(bytes(font.getmask(text)))
    assert all(one != other for one, other in combinations(pictures, 2))


def test_ascii_is_drawn_as_it_is_in_the_font_of_every_machine() -> None:
    assert drawn_name("SCD0000101", 22) == ("SCD0000101", text_font(22))


def test_a_font_that_has_the_letters_is_taken() -> None:
    try:
        ImageFont.truetype("DejaVuSans.ttf", 22)
    except OSError:
        pytest.skip("DejaVu Sans is not installed")
    text, font = drawn_name(NAMES[3], 22)
    assert (text, font.getname()[0]) == (NAMES[3], "DejaVu Sans")  # type: ignore[union-attr]


def test_without_a_font_the_name_gets_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_names, "_INSTALLED", ())
    assert drawn_name(NAMES[4], 22)[0] == "??_001 #84201693"
    assert drawn_name(NAMES[1], 22)[0].startswith("Muller #")
