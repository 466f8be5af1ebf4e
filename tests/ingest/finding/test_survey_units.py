"""Units: a child each, unless they share a study; names depend on nothing that lies in other units."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from cardioseg.cases.case_search import Part, Search, find_cases
from cardioseg.errors import NoInputError
from cardioseg.image.nifti import write_volume
from cardioseg.ingest.finding.survey import LeftOut
from cardioseg.ingest.finding.survey_units import Unit, find_units
from cardioseg.phantom import Phantom, cine

WriteCine = Callable[..., Path]


def units(root: Path) -> dict[str, list[str]]:
    return {unit.name: [str(path.relative_to(root)) for path in unit.paths] for unit in find_units([root])}


def names(root: Path) -> list[str]:
    return [case.case_id for case in find_cases([root]).cases]


def study(number: int, series: int = 1) -> dict[str, str]:
    return {"StudyInstanceUID": f"1.{number}", "SeriesInstanceUID": f"1.{number}.{series}"}


def test_each_child_is_a_unit(tmp_path: Path, write_cine: WriteCine) -> None:
    for number in (1, 2):
        write_cine(tmp_path / f"p {number}" / "a", **study(number))
    (tmp_path / "notes.txt").write_text("nothing")
    assert units(tmp_path) == {"p_1": ["p 1"], "p_2": ["p 2"], tmp_path.name: ["notes.txt"]}
    assert names(tmp_path) == ["p_1", "p_2"]


def test_children_that_share_a_study_are_one(tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path / "a", **study(1))
    write_cine(tmp_path / "b", **study(2))
    write_cine(tmp_path / "c", **study(2, 2))
    write_cine(tmp_path / "d" / "x", **study(3))
    write_cine(tmp_path / "d" / "y", **study(1, 2))
    write_cine(tmp_path / "e", **study(3, 2))
    assert list(units(tmp_path).values()) == [["a", "d", "e"], ["b", "c"]]
    assert names(tmp_path) == ["a", "d_x", "d_y", "e", "b", "c"]


def test_a_slice_a_series_is_one_case_named_by_what_is_above(tmp_path: Path, write_cine: WriteCine) -> None:
    from cardioseg.phantom import Vendor, write_dicom

    small = {"slices": 5, "phases": 8, "rows": 16, "columns": 16, "spacing_mm": (16.0, 9.0, 9.0)}
    write_dicom(Phantom(seed=1, **small), tmp_path, Vendor.SERIES_A_SLICE)  # type: ignore[arg-type]
    assert names(tmp_path) == ["PHANTOM-0001"]
    write_cine(tmp_path / "other", **study(9))
    assert names(tmp_path) == ["PHANTOM-0001", "other"]


def test_a_name_does_not_depend_on_other_units(tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path / "p1" / "visit 1", **study(1))
    write_cine(tmp_path / "p1" / "visit 2" / "deep", **study(2))
    write_cine(tmp_path / "p2", **study(3))
    assert names(tmp_path) == ["p1_visit_1", "p1_visit_2", "p2"]
    for number, expected in ((1, ["p1_visit_1", "p1_visit_2"]), (2, ["p2"])):
        part = Search([tmp_path], part=Part(number, 2))
        assert [case.case_id for found in part for case in found.cases] == expected


def test_down_to_where_the_tree_branches(tmp_path: Path, write_cine: WriteCine) -> None:
    for number in (1, 2):
        write_cine(tmp_path / "export" / "data" / f"p{number}" / "cine", **study(number))
    (tmp_path / "export" / "README.txt").write_text("read me")
    assert list(units(tmp_path)) == ["p1", "p2", "export"]
    assert names(tmp_path) == ["p1", "p2"]
    assert [item.why for item in find_cases([tmp_path]).unused] == ["not a DICOM file"]


def test_down_past_folders_without_images(tmp_path: Path, write_cine: WriteCine) -> None:
    for number in (1, 2):
        write_cine(tmp_path / "images" / f"p{number}" / "cine", **study(number))
    (tmp_path / "contours").mkdir()
    (tmp_path / "contours" / "p1.txt").write_text("1 2")
    assert list(units(tmp_path)) == ["p1", "p2", "contours"]
    assert names(tmp_path) == ["p1", "p2"]


def test_files_beside_folders_are_one_unit(tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path, **study(1))
    write_cine(tmp_path / "later", **study(2))
    assert sorted(map(len, units(tmp_path).values())) == [1, 40]
    assert sorted(names(tmp_path)) == sorted([tmp_path.name, "later"])


def test_a_nifti_is_a_unit_and_keeps_its_stem_where_it_is_alone_with_it(tmp_path: Path) -> None:
    volume = cine(Phantom(slices=5, phases=1, rows=16, columns=16, spacing_mm=(16.0, 9.0, 9.0))).phase(0)
    for name in ("p1/p1_frame01", "p1/sa", "p2/sa", "p2/sa_gt", "top"):
        write_volume(tmp_path / f"{name}.nii.gz", volume)
    (tmp_path / "p2" / "Info.cfg").write_text("Height: 180")
    (tmp_path / "p3").mkdir()
    (tmp_path / "p3" / "link.nii.gz").symlink_to(tmp_path / "top.nii.gz")
    assert names(tmp_path) == ["p1_frame01", "p1_sa", "p2_sa", "link", "top"]
    assert [unit.volume_file is None for unit in find_units([tmp_path])] == [False] * 5 + [True]


def test_nifti_and_dicom_in_one_child(tmp_path: Path, write_cine: WriteCine) -> None:
    volume = cine(Phantom(slices=5, phases=1, rows=16, columns=16, spacing_mm=(16.0, 9.0, 9.0))).phase(0)
    write_cine(tmp_path / "a" / "dicom", **study(1))
    write_volume(tmp_path / "a" / "a.nii", volume)
    write_volume(tmp_path / "b" / "b.nii", volume)
    assert names(tmp_path) == ["a", "a-2", "b"]


def test_a_series_in_two_units_is_said(tmp_path: Path, write_cine: WriteCine) -> None:
    """The first and the last image of each child are of other studies, so nobody knows before."""
    for child in ("a", "b"):
        write_cine(tmp_path / child / "1", **study(1 if child == "a" else 4))
        write_cine(tmp_path / child / "3", **study(3 if child == "a" else 5))
    copytree(write_cine(tmp_path / "a" / "2", **study(2)), tmp_path / "b" / "2")
    found = find_cases([tmp_path])
    assert [case.case_id for case in found.cases] == ["a_1", "a_2", "a_3", "b_1", "b_3"]
    assert [(Path(item.where).parts[-2:], item.why) for item in found.unused] == [
        (("b", "2"), "a copy of a series in another folder")
    ]
    next((tmp_path / "b" / "2").iterdir()).unlink()
    found = find_cases([tmp_path])
    assert [case.case_id for case in found.cases] == ["a_1", "a_2", "a_3", "b_1", "b_2", "b_3"]
    assert found.unused[0].why.startswith("the series continues in another folder")
    assert "put" not in found.unused[0].why


def test_results_are_not_looked_into(tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path / "a", **study(1))
    write_cine(tmp_path / "out" / "case", **study(2))
    write_cine(tmp_path / "old", **study(3))
    (tmp_path / "old" / "case.json").write_text("{}")
    found = find_units([tmp_path], LeftOut((tmp_path / "out").resolve(), ("case.json",)))
    assert [unit.name for unit in found] == ["a"]


def test_sources_share_no_name(tmp_path: Path, write_cine: WriteCine) -> None:
    for number, root in enumerate(("one", "two")):
        write_cine(tmp_path / root / "p1", **study(number))
        write_cine(tmp_path / root / "P1x", **study(10 + number))
    found = find_cases([tmp_path / "one", tmp_path / "two"])
    assert sorted(case.case_id for case in found.cases) == ["one_P1x", "one_p1", "two_P1x", "two_p1"]
    with pytest.raises(NoInputError, match="no such file"):
        find_units([tmp_path / "nowhere"])


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert find_units([tmp_path]) in ([], [Unit(tmp_path.name, tmp_path, tmp_path, (tmp_path,), is_rest=True)])
