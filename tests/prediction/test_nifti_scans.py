"""NIfTI scans from `predict` to the mask: judged as DICOM is, measured with a word, written where the scan lies."""

import csv
import gzip
import json
import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter
from small_phantoms import SIX_SLICES as SMALL

from cardioseg.cli.app import run
from cardioseg.image.nifti import read_cine, write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.phantom import cine, reference, write_dicom

CODES, QFORM, SFORM, STEP = 252, 256, 280, 92
FIELDS = [(76, 80), (80, 92), (CODES, 328)]  # qfac, the spacing, both forms


def patch(path: Path, offset: int, kinds: str, *values: float) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{kinds}", content, offset, *values)
    path.write_bytes(content)
    return path


def affine(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes(), "<f4", 12, SFORM).reshape(3, 4).astype(np.float64)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scans" / "heart.nii"
    write_cine(path, cine(SMALL))
    return path


def predict(source: Path, model_folder: Path) -> tuple[int, Path]:
    out = source.absolute().parents[1] / "out"
    return run(["predict", str(source), "-m", str(model_folder), "-o", str(out), "-q"]), out


def flags(out: Path, case: str = "heart") -> dict[str, str]:
    document = json.loads((out / case / "measures.json").read_text())
    return {flag["kind"]: flag["reason"] for flag in document["flags"]}


def geometry_bytes(path: Path) -> list[bytes]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [content[start:end] for start, end in FIELDS]


def turned(grid: Grid, axes: str) -> Grid:
    """The grid of another plane through the same place: long-axis, coronal or nearly axial."""
    ways = {
        "long": ((-0.72, -0.52, -0.46), (0.0, 0.66, -0.75), (0.69, -0.54, -0.48)),
        "coronal": ((0.1, 1.0, 0.1), (0.0, 0.1, -1.0), (1.0, -0.1, 0.0)),
        "axial": ((0.1, 0.1, 1.0), (0.0, 1.0, -0.1), (1.0, 0.0, -0.1)),
    }
    return replace(grid, directions=triples(np.linalg.qr(np.array(ways[axes]).T)[0].T))


def triples(axes: Iterable[Iterable[float]]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in axes)


def number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "status.csv").read_text().splitlines()))


def reasons(out: Path) -> str:
    return "; ".join(row["reason"] for row in rows(out))


@pytest.mark.parametrize(
    ("plane", "words"), [("long", "usual axis"), ("coronal", "usual axis"), ("axial", "transaxial")]
)
@pytest.mark.parametrize("slices", [6, 1])
def test_another_plane_is_no_scan(
    scan: Path, model_folder: Path, capsys: pytest.CaptureFixture[str], plane: str, words: str, slices: int
) -> None:
    scan.unlink()
    voxels = cine(SMALL).voxels[:, :slices]
    grid = turned(Grid(voxels.shape[1:], SMALL.spacing_mm), plane)
    write_cine(scan.with_name("lax_4c.nii.gz"), Cine(voxels, grid, SMALL.times_ms))
    assert predict(scan.parent, model_folder)[0] == 4
    assert "lax_4c.nii.gz: cine in another plane: " in (said := capsys.readouterr().err)
    assert words in said
    assert run(["inspect", str(scan.parent), "--json"]) == 0
    [series] = json.loads(capsys.readouterr().out)["series"]
    assert series["kind"] == "cine in another plane"


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
def test_a_label_map_is_no_scan(scan: Path, model_folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    drawn = reference(SMALL).voxels.astype(kind)
    drawn[1:-1] = 0  # an expert draws two phases
    write_cine(scan.with_name("seg.nii.gz"), Cine(np.roll(drawn, 1, 0), SMALL.grid, SMALL.times_ms))
    write_volume(scan.with_name("lv_ed.nii.gz"), Volume((drawn[0] == 3).astype(kind) * 255, SMALL.grid))
    code, out = predict(scan.parent, model_folder)
    assert code == 0
    assert {row["case_id"] for row in rows(out)} == {"heart"}
    unused = {
        Path(item["where"]).name: item["why"] for item in json.loads((out / "run.json").read_text())["unused_files"]
    }
    assert {name: why.split(":")[0] for name, why in unused.items()} == {
        "seg.nii.gz": "label or probability map", "lv_ed.nii.gz": "label or probability map",
    }  # fmt: skip


MAP = "label or probability map"


@pytest.mark.parametrize(
    "values",
    [
        (0.0, 0.0, 0.0, 0.873),
        (0.0, 0.44, 0.88, 1.32),
        (0.0, 1.0, 2.0, 2.5),
        (-0.5, 0.5, 1.5, 2.5),
        (0.1, 1e4, 0.3, 7.0),
    ],
)
def test_few_values_that_are_not_whole_are_no_scan(scan: Path, model_folder: Path, values: tuple[float, ...]) -> None:
    drawn = np.array(values, np.float32)[reference(SMALL).voxels]
    write_cine(scan.with_name("map.nii.gz"), Cine(drawn, SMALL.grid, SMALL.times_ms))
    code, out = predict(scan.parent, model_folder)
    assert code == 0
    [unused] = json.loads((out / "run.json").read_text())["unused_files"]
    assert unused["where"].endswith("map.nii.gz")
    assert unused["why"].startswith(f"{MAP}: it holds only a few different values")
    assert MAP not in flags(out)


def test_probabilities_are_flagged(scan: Path, model_folder: Path) -> None:
    cavity = gaussian_filter((reference(SMALL).voxels == 3).astype(np.float32), (0, 0, 1, 1))
    for name, voxels in (("cavity", cavity), ("background", 1 - cavity)):
        assert len(np.unique(voxels)) > 100
        write_cine(scan.with_name(f"{name}.nii.gz"), Cine(voxels, SMALL.grid, SMALL.times_ms))
        code, out = predict(scan.with_name(f"{name}.nii.gz"), model_folder)
        assert code == 0
        assert "most of its values are 0 or 1" in flags(out, name)[MAP]


@pytest.mark.parametrize("highest", [1.0, 1e-4])
def test_a_scan_that_was_scaled_is_not_taken_for_probabilities(scan: Path, model_folder: Path, highest: float) -> None:
    voxels = cine(SMALL).voxels.astype(np.float32)
    write_cine(scan, Cine(voxels / voxels.max() * highest, SMALL.grid, SMALL.times_ms))
    code, out = predict(scan, model_folder)
    assert code == 0
    assert MAP not in flags(out)


def test_axes_of_the_patients_own_are_segmented_with_a_flag(scan: Path, model_folder: Path) -> None:
    """As most prepared collections have them, which have lost their orientation."""
    write_cine(scan, Cine(cine(SMALL).voxels, Grid(SMALL.grid.shape, SMALL.spacing_mm), SMALL.times_ms))
    code, out = predict(scan, model_folder)
    assert code == 0
    assert flags(out)["plane unknown"].startswith("transaxial planes: 0 degrees off the body's axis")


def test_a_single_slice_is_segmented_with_a_flag(scan: Path, model_folder: Path) -> None:
    write_cine(
        scan, Cine(cine(SMALL).voxels[:, 3:4], Grid((1, 48, 40), SMALL.spacing_mm, directions=SMALL.grid.directions))
    )
    code, out = predict(scan, model_folder)
    assert code == 0
    assert "single-slice cine" in flags(out)


def test_slices_along_another_axis_give_the_same_numbers(scan: Path, model_folder: Path) -> None:
    """What nibabel's `as_closest_canonical` makes of an oblique short axis."""
    code, out = predict(scan, model_folder)
    expected = json.loads((out / "heart" / "measures.json").read_text())
    whole, grid = cine(SMALL), SMALL.grid
    other = Grid(
        (grid.shape[1], grid.shape[2], grid.shape[0]),
        (6.0, 6.0, 14.0),
        grid.origin_mm,
        grid.directions[1:] + grid.directions[:1],
    )
    again = scan.parents[1] / "again" / "heart.nii"
    write_cine(again, Cine(whole.voxels.transpose(0, 2, 3, 1), other, whole.times_ms))
    assert run(["predict", str(again), "-m", str(model_folder), "-o", str(again.parent / "out"), "-q"]) == code == 0
    found = json.loads((again.parent / "out" / "heart" / "measures.json").read_text())
    assert found["measures"] == expected["measures"]
    assert geometry_bytes(again.parent / "out" / "heart" / "mask.nii.gz") == geometry_bytes(again)


def test_forms_that_differ_are_said_and_kept(scan: Path, model_folder: Path) -> None:
    patch(patch(scan, CODES, "2h", 1, 2), SFORM + 12, "f", affine(scan)[0, 3] + 30)
    code, out = predict(scan, model_folder)
    assert code == 0
    assert "30.0 mm apart: the qform is used, as in ITK" in flags(out)["qform and sform differ"]
    assert geometry_bytes(out / "heart" / "mask.nii.gz") == geometry_bytes(scan)


@pytest.mark.parametrize(("lean", "kinds"), [(1e-4, set()), (1.2e-3, set()), (0.01, {"axes not perpendicular"})])
def test_axes_that_are_nearly_perpendicular(scan: Path, model_folder: Path, lean: float, kinds: set[str]) -> None:
    code, out = predict(scan, model_folder)
    expected = json.loads((out / "heart" / "measures.json").read_text())["measures"]
    matrix = affine(scan)
    matrix[:, 1] += lean * matrix[:, 0]
    patch(patch(scan, CODES, "2h", 0, 1), SFORM, "12f", *matrix.ravel())
    assert predict(scan, model_folder)[0] == code == 0
    found = json.loads((out / "heart" / "measures.json").read_text())["measures"]
    assert found["lv_edv_ml"] == pytest.approx(expected["lv_edv_ml"], rel=1e-3)
    assert geometry_bytes(out / "heart" / "mask.nii.gz") == geometry_bytes(scan)
    assert kinds == {"axes not perpendicular"} & set(flags(out))


@pytest.mark.parametrize(("code", "said"), [(0, "and it has no qform"), (1, "its qform is valid: set sform_code to 0")])
def test_a_singular_affine_is_refused_with_a_hint(scan: Path, model_folder: Path, code: int, said: str) -> None:
    matrix = affine(scan)
    matrix[:, 2] = 0
    patch(patch(scan, CODES, "2h", code, 1), SFORM, "12f", *matrix.ravel())
    exit_code, out = predict(scan, model_folder)
    assert exit_code == 4
    assert "its affine maps all slices to the same place" in reasons(out)
    assert f"this is its sform{';' if code else ','} {said}" in reasons(out)
    assert "give the DICOM files instead" in reasons(out)


def test_a_repetition_time_is_no_time_between_phases(scan: Path, model_folder: Path) -> None:
    patch(scan, STEP, "f", 0.0034)
    code, out = predict(scan, model_folder)
    assert code == 0
    assert json.loads((out / "heart" / "measures.json").read_text())["times_ms"] == []


def test_spacings_in_another_order_are_refused(scan: Path, model_folder: Path) -> None:
    write_cine(scan, Cine(cine(SMALL).voxels, Grid(SMALL.grid.shape, (1.37, 1.37, 10.0)), SMALL.times_ms))
    exit_code, out = predict(scan, model_folder)
    assert exit_code == 4
    assert "its pixels are 1.37 x 10 mm" in reasons(out)


def test_labels_drawn_on_rows_from_below_are_compared_with_a_prediction_from_dicom(
    tmp_path: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """dcm2niix counts the rows from below."""
    write_dicom(SMALL, tmp_path / "scans")
    assert run(["predict", str(tmp_path / "scans"), "-m", str(model_folder), "-o", str(tmp_path / "p"), "-q"]) == 0
    grid = SMALL.grid
    normal, down, across = (np.array(axis) for axis in grid.directions)
    lowest = tuple(grid.position_mm((0, SMALL.rows - 1, 0)).tolist())
    up = Grid(grid.shape, grid.spacing_mm, lowest, triples((normal, -down, across)))
    drawn = reference(SMALL).voxels
    for name, voxels, where in (("same", drawn, grid), ("up", drawn[:, :, ::-1], up)):
        write_cine(tmp_path / name / "PHANTOM-0001.nii.gz", Cine(voxels, where, SMALL.times_ms))
        assert run(["evaluate", str(tmp_path / "p"), str(tmp_path / name), "-o", str(tmp_path / f"e_{name}")]) == 0
    same, other = ((tmp_path / f"e_{name}" / "evaluation.csv").read_text() for name in ("same", "up"))
    for one, another in zip(same.splitlines(), other.splitlines(), strict=True):
        assert list(map(number, one.split(","))) == [pytest.approx(value) for value in map(number, another.split(","))]


@pytest.mark.parametrize("flips", [(True, False, False), (False, True, True)])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
def test_a_mask_saved_in_another_layout_is_measured_as_the_same(
    scan: Path, model_folder: Path, order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    """Editors count rows and slices from other ends; the voxels are the same."""
    _, out = predict(scan, model_folder)
    expected = json.loads((out / "heart" / "measures.json").read_text())
    mask = read_cine(out / "heart" / "mask.nii.gz")
    axes = [axis + 1 for axis in order]
    ends = [slice(None, None, -1 if flip else 1) for flip in flips]
    first = [0, 0, 0]
    for axis, flip in zip(order, flips, strict=True):
        first[axis] = mask.grid.shape[axis] - 1 if flip else 0
    directions = triples(np.array([mask.grid.directions[i] for i in order]) * [[-1] if flip else [1] for flip in flips])
    shape, spacing_mm = (tuple(values[i] for i in order) for values in (mask.grid.shape, mask.grid.spacing_mm))
    place = tuple(mask.grid.position_mm(first).tolist())
    other = Cine(mask.voxels.transpose(0, *axes)[:, *ends], Grid(shape, spacing_mm, place, directions), mask.times_ms)
    write_cine(out / "heart" / "mask.nii.gz", other)
    assert run(["measure", str(out), "-o", str(out.with_name("measured")), "-q"]) == 0
    found = json.loads((out.with_name("measured") / "heart" / "measures.json").read_text())
    assert found["curves_ml"] == expected["curves_ml"]
    assert found["flags"] == expected["flags"]


@pytest.mark.slow
def test_every_real_nifti_scan_can_be_segmented(shared_data: Path) -> None:
    from cardioseg.cases.case_search import find_cases

    scans = {path for path in shared_data.rglob("*.nii*") if "_gt" not in path.name}
    for folder in ("acdc", "mnms"):
        found = find_cases([shared_data / folder])
        assert {case.source for case in found.cases} == {path for path in scans if folder in path.parts}
        assert not [item for item in found.unused if ".nii" in item.where]
        assert not [case for case in found.cases if any(flag.kind == MAP for flag in case.flags)]


def test_a_mask_of_dicom_is_written_as_ever(tmp_path: Path) -> None:
    write_cine(tmp_path / "a.nii.gz", reference(SMALL))
    assert read_cine(tmp_path / "a.nii.gz").grid.matches(SMALL.grid)


@pytest.mark.parametrize("name", ["heart.mha", "heart.mhd", "heart.nrrd"])
def test_another_format_gives_the_same_mask_and_numbers(
    name: str, scan: Path, model_folder: Path, tmp_path: Path
) -> None:
    code, out = predict(scan, model_folder)
    assert code == 0
    other = tmp_path / "others" / "scans" / name
    other.parent.mkdir(parents=True)
    sitk.WriteImage(sitk.ReadImage(scan), other, useCompression=True)
    code, again = predict(other.parent, model_folder)
    assert code == 0
    assert json.loads((again / "run.json").read_text())["unused_files"] == []  # its voxels are no file of their own
    rows = [(folder / "measures.csv").read_text() for folder in (out, again)]
    assert rows[0] == rows[1]
    masks = [read_cine(folder / "heart" / "mask.nii.gz") for folder in (out, again)]
    assert np.array_equal(masks[0].voxels, masks[1].voxels)
    assert masks[0].grid.matches(masks[1].grid)
    assert run(["inspect", str(other.parent)]) == 0


def test_the_card_of_acdc_is_used_and_not_called_useless(scan: Path, model_folder: Path) -> None:
    (scan.parent / "Info.cfg").write_text("Height: 170\nWeight: 70\n")
    code, out = predict(scan.parent, model_folder)
    assert code == 0
    assert json.loads((out / "run.json").read_text())["unused_files"] == []
    assert json.loads((out / "heart" / "measures.json").read_text())["measures"]["bsa_m2"] == pytest.approx(
        1.818, abs=0.001
    )
