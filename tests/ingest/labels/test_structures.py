"""Names of contours and segments become structures by a table, and never by a guess."""

from pathlib import Path

import pytest

from cardioseg.errors import UsageError
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.structures import AS_USUAL, Structure, listed_names, meaning_of


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("LV Endo", Structure.LV_CAVITY),
        ("lv-epi", Structure.LV_EPICARDIUM),
        ("saendocardialContour", Structure.LV_CAVITY),
        ("MYO", Structure.LV_MYOCARDIUM),
        ("Right_Ventricle", Structure.RV_CAVITY),
        ("LV cavity ED", Structure.LV_CAVITY),
        ("es_myocardium", Structure.LV_MYOCARDIUM),
        ("RVED", None),
        ("Segment_1", None),
        ("LV 2", None),
        ("", None),
    ],
)
def test_common_names_are_known_and_no_other_is_guessed(name: str, structure: Structure | None) -> None:
    assert AS_USUAL.structure(name) is structure


def test_a_table_is_read_before_the_built_in_one(tmp_path: Path) -> None:
    table = tmp_path / "structures.toml"
    table.write_text('lv_cavity = ["Segment_1"]\nrv_cavity = ["LV"]\nother = ["Aorta", "左房"]\n', encoding="utf-8")
    meaning = meaning_of("mnms", table)
    assert meaning.numbers is not None
    assert meaning.numbers[1] is Label.LV_CAVITY
    assert meaning.structure("segment 1") is Structure.LV_CAVITY
    assert meaning.structure("LV") is Structure.RV_CAVITY
    assert meaning.structure("左房") is Structure.OTHER
    assert meaning.structure("LV endo") is Structure.LV_CAVITY
    assert [Structure.OTHER.label, Structure.LV_EPICARDIUM.label] == [Label.BACKGROUND, Label.LV_MYOCARDIUM]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lv = ["a"]', "there is no structure 'lv'"),
        ('lv_cavity = "a"', "lv_cavity is not a list of names"),
        ('lv_cavity = ["a", "--"]', "lv_cavity is not a list of names"),
        ('lv_cavity = ["a b"]\nrv_cavity = ["A-B"]', "the name 'A-B' stands for two structures"),
        ("lv_cavity = [", "is no valid TOML: "),
        (b"\xff\xfe", "is no valid TOML: it is no text in UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_in_words(tmp_path: Path, text: str | bytes, message: str) -> None:
    table = tmp_path / "structures.toml"
    table.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UsageError) as refused:
        meaning_of(None, table)
    assert message in refused.value.message
    with pytest.raises(UsageError, match="cannot be read: no such file"):
        meaning_of(None, tmp_path / "absent.toml")


def test_only_the_first_names_are_listed() -> None:
    assert listed_names(["a"]) == "'a'"
    assert listed_names(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
