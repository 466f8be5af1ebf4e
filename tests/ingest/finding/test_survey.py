import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from cardioseg.errors import NoInputError
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.finding.survey import Kind, Series, case_ids, judge, survey

Plane = Callable[..., SliceHeader]
WriteSlice = Callable[..., Path]
WriteCine = Callable[..., Path]
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def series(plane: Plane, slices: int, phases: int, folder: str = ".", **fields: Any) -> list[SliceHeader]:
    return [
        plane(index, phase, path=Path(folder, f"{index}-{phase}"), **fields)
        for index in range(slices)
        for phase in range(phases)
    ]


@pytest.mark.parametrize(
    ("slices", "phases", "kind", "reason"),
    [
        (12, 20, Kind.SHORT_AXIS_CINE, "12 parallel planes of 20 phases"),
        (5, 8, Kind.SHORT_AXIS_CINE, "5 parallel planes of 8 phases"),
        (4, 20, Kind.SHORT_CINE, "4 parallel planes of 20 phases"),
        (1, 20, Kind.SINGLE_SLICE_CINE, "a single slice position: the distance between slices is unknown"),
        (
            12,
            7,
            Kind.STACK,
            "12 parallel planes of 7 phases: a DICOM cine needs at least 8; if it shows a heart beat, "
            "convert it to NIfTI",
        ),
        (12, 1, Kind.STACK, "12 parallel planes"),
        (1, 1, Kind.SINGLE_IMAGE, "a single slice position: the distance between slices is unknown"),
    ],
)
def test_geometry_gives_the_verdict(plane: Plane, slices: int, phases: int, kind: Kind, reason: str) -> None:
    judged = judge(series(plane, slices, phases))
    assert (judged.kind, judged.reason, judged.slices, judged.phases) == (kind, reason, slices, phases)
    assert (judged.stack is None) == (slices == 1)


def test_several_orientations_are_no_short_axis(plane: Plane) -> None:
    localizer = judge(series(plane, 5, 1) + series(plane, 5, 1, orientation=AXIAL))
    assert (localizer.kind, localizer.reason) == (Kind.LOCALIZER, "2 orientations")
    long_axes = judge(series(plane, 1, 20) + series(plane, 1, 20, orientation=AXIAL))
    assert (long_axes.kind, long_axes.stack) == (Kind.OTHER_CINE, None)


def test_other_modalities_are_told_apart(plane: Plane) -> None:
    assert judge(series(plane, 12, 20, is_mr=False)).kind is Kind.NOT_MR


def test_a_damaged_cine_is_still_a_cine_with_a_reason(plane: Plane) -> None:
    judged = judge(
        [header for header in series(plane, 12, 20) if header.path.name[:2] not in {"3-", "4-", "6-", "7-", "9-"}]
    )
    assert (judged.kind, judged.stack) == (Kind.SHORT_AXIS_CINE, None)
    assert judged.reason.startswith("5 of 12 slices are missing, more than a third")


def test_what_was_filled_is_said(plane: Plane) -> None:
    lacking = [header for header in series(plane, 12, 20) if header.path.name not in {"3-7", "8-2"}]
    judged = judge([header for header in lacking if header.path.name[:2] not in {"5-", "7-"}])
    assert judged.kind is Kind.SHORT_AXIS_CINE
    assert judged.reason == "10 parallel planes of 20 phases; missing slices 5, 7; 2 missing phases"
    again = series(plane, 12, 20, folder="again", acquisition_s=9.0)
    judged = judge(series(plane, 12, 20, acquisition_s=1.0) + again)
    assert (judged.phases, judged.reason) == (20, "12 parallel planes of 20 phases; repeated stack")


@pytest.fixture
def scans(tmp_path: Path, write_cine: WriteCine, write_slice: WriteSlice) -> Path:
    """What a scanner exports, with what people leave beside it."""
    root = tmp_path / "scans"
    write_cine(root / "one" / "deep" / "er", SeriesInstanceUID="1.1")
    write_cine(root / "two" / "mixed", SeriesInstanceUID="1.2")
    write_cine(root / "two" / "mixed" / "more", slices=1, SeriesInstanceUID="1.3")
    write_slice(root / "two" / "mixed" / "ct", SeriesInstanceUID="1.4", Modality="CT", SOPClassUID="1.2.3.4")
    (root / "two" / "notes.txt").write_text("remember the milk")
    (root / "empty.dcm").write_bytes(b"")
    (root / "loop").symlink_to(root)
    (tmp_path / "elsewhere.dcm").write_bytes((root / "two" / "mixed" / "ct").read_bytes())
    (root / "out.dcm").symlink_to(tmp_path / "elsewhere.dcm")
    os.mkfifo(root / "pipe")
    return root


def test_survey_finds_series_and_names_the_rest(scans: Path) -> None:
    found = survey(scans)
    assert [(str(one.folder.relative_to(scans)), one.kind, len(one.headers)) for one in found.series] == [
        ("one/deep/er", Kind.SHORT_AXIS_CINE, 40),
        ("two/mixed", Kind.SHORT_AXIS_CINE, 40),
        ("two/mixed", Kind.NOT_MR, 1),
        ("two/mixed/more", Kind.SINGLE_SLICE_CINE, 8),
    ]
    assert found.series[0].shape == (3, 4)
    assert found.series[0].spacing_mm == pytest.approx((8, 1.5, 1.25))
    assert {(skipped.where, skipped.why) for skipped in found.unused} == {
        (f"{scans}/two/notes.txt", "not a DICOM file"),
        (f"{scans}/empty.dcm", "not a DICOM file"),
        (f"{scans}/loop", "a symbolic link, not followed"),
        (f"{scans}/out.dcm", "a symbolic link, not followed"),
        (f"{scans}/pipe", "not a regular file"),
    }
    assert case_ids(scans, found.cines) == ["one", "two"]


def test_names_of_files_say_nothing(tmp_path: Path, write_cine: WriteCine) -> None:
    folder = write_cine(tmp_path / "localizer")
    for number, path in enumerate(np.random.default_rng(0).permutation(sorted(folder.iterdir()))):
        path.rename(folder / f"x{number}.txt")
    (only,) = survey(tmp_path).series
    assert only.kind is Kind.SHORT_AXIS_CINE
    assert only.stack is not None
    np.testing.assert_array_equal(only.stack.read().voxels[:, :, 0, 0].T, np.arange(1, 41).reshape(5, 8))


def test_one_file_nothing_and_no_folder(tmp_path: Path, write_slice: WriteSlice) -> None:
    (only,) = survey(write_slice(tmp_path / "a")).series
    assert only.kind is Kind.SINGLE_IMAGE
    (tmp_path / "empty").mkdir()
    assert survey(tmp_path / "empty").series == ()
    with pytest.raises(NoInputError, match="no such file or folder"):
        survey(tmp_path / "absent")


def test_files_without_a_series_belong_to_their_folder(tmp_path: Path, write_cine: WriteCine) -> None:
    for name in ("a", "b"):
        write_cine(tmp_path / name, SeriesInstanceUID="")
    assert [one.kind for one in survey(tmp_path).series] == [Kind.SHORT_AXIS_CINE] * 2


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["root/SCD0000101/CINESAX_300"], ["SCD0000101"]),
        (["root/p1/a", "root/p1/b"], ["a", "b"]),
        (["root/p1/visit 1/x", "root/p1/visit 2/x", "root/p2/x"], ["visit_1", "visit_2", "p2"]),
        (["root"], ["root"]),
        (["root", "root/p1"], ["root", "p1"]),
        (["root/p1/dicom", "root/p1/dicom", "root/p2"], ["p1", "p1-2", "p2"]),
        (["root/p1", "root/p1/late/x"], ["p1", "late"]),
        (["root/x/DICOM", "root/X"], ["x", "X-2"]),
        (["root/Jörg: 1"], ["Jörg_1"]),
    ],
)
def test_cases_have_the_users_own_names(plane: Plane, folders: list[str], expected: list[str]) -> None:
    cases = [judge(series(plane, 5, 8, folder=folder)) for folder in folders]
    assert case_ids(Path("root"), cases) == expected


def test_stacks_of_one_folder_are_named_in_the_order_of_acquisition(tmp_path: Path, write_cine: WriteCine) -> None:
    """Not by the names of their files, which differ from export to export."""
    root = tmp_path / "root" / "p1"
    root.mkdir(parents=True)
    for part, time in (("b", "101500"), ("a", "114500")):
        shape = {"b": (3, 4), "a": (4, 5)}[part]
        written = write_cine(tmp_path / part, shape=shape, SeriesInstanceUID=f"1.{ord(part)}", AcquisitionTime=time)
        for file in sorted(written.iterdir()):
            file.rename(root / f"{part}{file.name}")
    found = survey(tmp_path / "root")
    names = case_ids(tmp_path / "root", found.cines)
    assert {name: cine.headers[0].shape for name, cine in zip(names, found.cines, strict=True)} == {
        "p1": (3, 4),
        "p1-2": (4, 5),
    }


def test_case_spread_over_folders_has_the_name_above_them(plane: Plane) -> None:
    parts = [plane(index, phase, path=Path(f"root/p1/{index}/{phase}")) for index in range(5) for phase in range(8)]
    other = judge(series(plane, 5, 8, folder="root/p2"))
    cases: list[Series] = [judge(parts), other]
    assert case_ids(Path("root"), cases) == ["p1", "p2"]


def test_root_given_as_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path / "my case")
    monkeypatch.chdir(tmp_path / "my case")
    found = survey(Path())
    assert case_ids(Path(), found.cines) == ["my_case"]


def test_folders_and_files_that_cannot_be_read(
    tmp_path: Path, write_slice: WriteSlice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slice(tmp_path / "open" / "a")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def guarded(path: str) -> Any:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = survey(tmp_path)
    assert len(found.series) == 1
    assert [(one.where, one.why) for one in found.unused] == [(f"{tmp_path}/closed", "folder cannot be read")]
    monkeypatch.setattr(Path, "lstat", lambda _: scandir("/nowhere"))
    assert [one.why for one in survey(tmp_path / "open").unused] == ["cannot be read"]


def test_real_scans(shared_data: Path) -> None:
    root = shared_data / "sunnybrook"
    found = survey(root)
    assert [(one.kind, one.slices, one.phases) for one in found.series] == [
        (Kind.SHORT_AXIS_CINE, slices, 20) for slices in (12, 13, 10)
    ]
    for one, step_mm in zip(found.series, (10, 10, 8), strict=True):
        assert one.stack is not None
        assert one.stack.grid.spacing_mm[0] == pytest.approx(step_mm, rel=1e-4)
        assert np.all(np.diff(one.stack.times_ms) > 30)
    assert case_ids(root, found.cines) == ["SCD0000101", "SCD0000201", "SCD0000301"]
    assert {skipped.why for skipped in found.unused} == {"not a DICOM file"}


def test_a_stack_that_goes_on_in_a_second_folder_and_series_is_one_case(tmp_path: Path, write_cine: WriteCine) -> None:
    write_cine(tmp_path / "patient" / "sax", slices=7, SeriesInstanceUID="1.2.1")
    for file in sorted((tmp_path / "patient" / "sax").iterdir())[-16:]:
        file.unlink()
    write_cine(tmp_path / "patient" / "sax 2", slices=7, SeriesInstanceUID="1.2.2")
    for file in sorted((tmp_path / "patient" / "sax 2").iterdir())[:-16]:
        file.unlink()
    found = survey(tmp_path)
    (cine,) = found.cines
    assert (cine.reason, len(found.series)) == ("7 parallel planes of 8 phases; joined from 2 series", 1)
    assert case_ids(tmp_path, found.cines) == ["patient"]


@pytest.mark.parametrize(("days", "newest"), [(("20000101", "20000102"), "again"), (("", "20000102"), "first")])
def test_a_slice_that_was_acquired_again_after_midnight_is_the_newest(
    tmp_path: Path, write_slice: WriteSlice, write_cine: WriteCine, days: tuple[str, str], newest: str
) -> None:
    """If the images of one acquisition have no date, only the times of day can be compared."""
    first = {"AcquisitionDate": days[0], "AcquisitionTime": "235940"}
    folder = write_cine(tmp_path / "scan" / "first", **first)
    for path in sorted(folder.iterdir())[:8]:
        dataset = dcmread(path)
        dataset.AcquisitionDate, dataset.AcquisitionTime = days[1], "000020"
        dataset.SOPInstanceUID += ".2"
        (tmp_path / "scan" / "again").mkdir(exist_ok=True)
        dataset.save_as(tmp_path / "scan" / "again" / path.name)
    (cine,) = survey(tmp_path).cines
    assert cine.stack
    assert {row[0].path.parent.name for row in cine.stack.headers if row[0]} == {newest}
    assert [(flag.kind, flag.slice) for flag in cine.stack.flags] == [("repeated slice", 0)]


def test_copies_with_new_instance_ids_are_copies(
    tmp_path: Path, write_slice: WriteSlice, write_cine: WriteCine
) -> None:
    folder = write_cine(tmp_path / "scan")
    for path in sorted(folder.iterdir())[:24]:
        dataset = dcmread(path)
        dataset.SOPInstanceUID += ".2"
        dataset.save_as(folder / f"{path.stem}-again.dcm")
    found = survey(tmp_path)
    (cine,) = found.cines
    assert cine.stack, cine.reason
    assert (cine.stack.flags, cine.slices, cine.phases) == ((), 5, 8)
    assert len(found.unused) == 24
    assert all("a copy of" in unused.why for unused in found.unused)
    dataset.PixelData = bytes(len(dataset.PixelData))  # another image of this phase
    dataset.save_as(folder / "other.dcm")
    (cine,) = survey(tmp_path).cines
    assert cine.stack
    assert [flag.kind for flag in cine.stack.flags] == ["repeated slice"]
