"""Segmentations of 3D Slicer as labels: names, layers, cropped files, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from read_subjects import read_layout
from slicer_files import NAMES, keys, layer_each, one_layer, write_slicer
from small_phantoms import OBLONG

from cardioseg.cli.app import run
from cardioseg.dataset.store import open_dataset
from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.ingest.labels.named_mask import read_named_mask
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure
from cardioseg.phantom import reference, write_dicom
from cardioseg.results.mask_files import read_mask

TILT = ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (1.0, 0.0, 0.0))
GRID = Grid((6, 40, 36), (8.0, 1.5, 1.25), (-20.0, 11.5, 40.0), TILT)
BOX = (slice(1, 4), slice(8, 32), slice(3, 30))  # holds the heart
Writer = Callable[..., Path]
WRITERS = pytest.mark.parametrize("write", [one_layer, layer_each])


def heart() -> np.ndarray:
    """A ring around a disc, and a half disc beside it, on three of six slices."""
    rows, columns = np.mgrid[:40, :36]
    mask = np.zeros(GRID.shape, np.uint8)
    away = np.hypot(rows - 20, columns - 20)
    mask[1:4, (np.hypot(rows - 20, columns - 10) < 6) & (away >= 9)] = Label.RV_CAVITY
    mask[1:4, away < 9] = Label.LV_MYOCARDIUM
    mask[1:4, away < 6] = Label.LV_CAVITY
    return mask


def cropped(mask: np.ndarray) -> tuple[np.ndarray, Grid]:
    part = mask[BOX]
    x, y, z = GRID.position_mm([side.start for side in BOX]).tolist()
    return part, Grid(part.shape, GRID.spacing_mm, (x, y, z), TILT)


def listed(folder: Path, mask: Path, *, image: str = "scan.nii.gz") -> Path:
    """A folder in the layout `pairs` with one scan."""
    intensities = np.random.default_rng(0).integers(0, 900, GRID.shape).astype(np.int16)
    write_volume(folder / "scan.nii.gz", Volume(intensities, GRID))
    (folder / "table.csv").write_text(f"subject,image,mask\np1,{image},{mask.name}\n")
    return folder


def ingested(folder: Path, *options: str) -> tuple[np.ndarray, np.ndarray]:
    """Mask and annotated of the only volume, by the command."""
    out = folder.parent / "dataset"
    assert run(["ingest", str(folder), "-o", str(out), *options]) in (0, 3)
    (subject,) = open_dataset(out).subjects()
    (volume,) = subject.volumes
    return volume.mask, volume.annotated


@WRITERS
@pytest.mark.parametrize("ras", [False, True])
@pytest.mark.parametrize("is_cropped", [False, True])
def test_it_becomes_training_data_where_it_lies(write: Writer, ras: bool, is_cropped: bool, tmp_path: Path) -> None:
    mask, grid = cropped(heart()) if is_cropped else (heart(), GRID)
    path = write(tmp_path / "p1" / "a.seg.nrrd", mask, grid, ras=ras)
    drawn, annotated = ingested(listed(path.parent, path))
    assert np.array_equal(drawn, heart())
    assert annotated.all()


@WRITERS
@pytest.mark.parametrize("is_cropped", [False, True])
def test_it_is_a_reference(write: Writer, is_cropped: bool, tmp_path: Path) -> None:
    mask, grid = cropped(heart()) if is_cropped else (heart(), GRID)
    write(tmp_path / "reference" / "p1.seg.nrrd", mask, grid, ras=True)
    (tmp_path / "reference" / "p1.nrrd").write_bytes(b"a scan beside it")
    (tmp_path / "predicted").mkdir()
    write_volume(tmp_path / "predicted" / "p1.nii.gz", Volume(heart(), GRID))
    folders = [str(tmp_path / name) for name in ("predicted", "reference")]
    assert run(["evaluate", *folders, "-o", str(tmp_path / "out"), "-q"]) == 0
    rows = json.loads((tmp_path / "out" / "evaluation.json").read_text())["volumes"]
    assert {row["label"]: row["dice"] for row in rows} == {label.key: 1.0 for label in STRUCTURES}
    assert [row["reference_ml"] for row in rows] == [row["predicted_ml"] for row in rows]


def test_a_structure_without_a_segment_is_not_annotated(tmp_path: Path) -> None:
    path = layer_each(tmp_path / "p1" / "a.seg.nrrd", heart(), GRID, {Label.LV_CAVITY: "Endo"})
    drawn, annotated = ingested(listed(path.parent, path))
    assert np.array_equal(drawn, np.where(heart() == Label.LV_CAVITY, heart(), 0))
    assert annotated.all(axis=0).tolist() == [True, False, False, True]


def test_an_outer_outline_lies_below_the_cavity(tmp_path: Path) -> None:
    inner, outer = heart() == Label.LV_CAVITY, np.isin(heart(), (Label.LV_CAVITY, Label.LV_MYOCARDIUM))
    layers = np.stack([inner, outer]).astype(np.uint8)
    path = write_slicer(tmp_path / "a.seg.nrrd", layers, GRID, keys(["Endo", "Epi"], [(0, 1), (1, 1)]))
    named = read_named_mask(path, AS_USUAL)
    assert np.array_equal(named.mask.voxels[0], np.where(heart() == Label.RV_CAVITY, 0, heart()))
    assert named.labels == (Label.LV_MYOCARDIUM, Label.LV_CAVITY)
    alone = write_slicer(tmp_path / "b.seg.nrrd", layers[1:], GRID, keys(["Epi", "RV"], [(0, 1), (0, 2)]))
    named = read_named_mask(alone, AS_USUAL)
    assert not named.mask.voxels.any()
    assert named.labels == (Label.RV_CAVITY,)
    assert "does not say where the wall ends" in named.remark


def test_cavities_that_overlap(tmp_path: Path) -> None:
    layers = np.zeros((2, *GRID.shape), np.uint8)
    layers[0, 2, 3:6, 3:6] = layers[1, 2, 5:8, 5:8] = 1
    path = write_slicer(tmp_path / "a.seg.nrrd", layers, GRID, keys(["RV", "LV"], [(0, 1), (1, 1)]))
    named = read_named_mask(path, AS_USUAL)
    assert named.mask.voxels[0, 2, 5, 5] == Label.LV_CAVITY
    assert named.remark == "1 pixel of the RV cavity is left out, since it is LV cavity, too"


CODED = {
    "SCT^87878005^Left ventricle": ("?", Label.LV_CAVITY),
    "SRT^T-32600^Left ventricle": ("LV myocardium", Label.LV_MYOCARDIUM),
    "SCT^53085002^Right ventricle": ("Segment_1", Label.RV_CAVITY),
    "SCT^49848007^Left Ventricle Myocardium": ("wall", Label.LV_MYOCARDIUM),
    "SCT^85756007^Tissue": ("RV", Label.RV_CAVITY),
}


@pytest.mark.parametrize("code", CODED)
def test_a_code_says_what_a_name_does_not(code: str, tmp_path: Path) -> None:
    name, label = CODED[code]
    layer = np.ones((1, *GRID.shape), np.uint8)
    path = write_slicer(tmp_path / "a.seg.nrrd", layer, GRID, keys([name], [(0, 1)], {0: code}))
    assert read_named_mask(path, AS_USUAL).labels == (label,)


def test_a_code_against_a_name_and_two_of_one_code_are_not_guessed(tmp_path: Path) -> None:
    layers = np.ones((3, *GRID.shape), np.uint8)
    layers[0, ..., :9] = layers[2, ..., 9:] = 0
    places = [(0, 1), (1, 1), (2, 1)]
    left, right = "SCT^87878005^Left ventricle", "SCT^53085002^Right ventricle"
    path = write_slicer(
        tmp_path / "a.seg.nrrd", layers, GRID, keys(["a", "b", "RV"], places, {0: left, 1: left, 2: left})
    )
    with pytest.raises(UnusableError, match=r"'a', 'b', 'RV'.*--structures"):
        read_named_mask(path, AS_USUAL)
    own = Meaning(names={"a": Structure.LV_CAVITY, "rv": Structure.RV_CAVITY})
    named = read_named_mask(path, own)
    assert (named.labels, named.unknown) == ((Label.RV_CAVITY, Label.LV_CAVITY), ("b",))
    path = write_slicer(tmp_path / "b.seg.nrrd", layers[:2], GRID, keys(["LV", "b"], places[:2], {0: right, 1: left}))
    with pytest.raises(UnusableError, match="'LV', 'b'"):  # LV may be the other's, too
        read_named_mask(path, AS_USUAL)


def test_unknown_names_are_told_and_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {**NAMES, Label.LV_MYOCARDIUM: "Herzmuskel"}
    path = one_layer(tmp_path / "p1" / "a.seg.nrrd", heart(), GRID, names)
    drawn, annotated = ingested(listed(path.parent, path))
    assert not (drawn == Label.LV_MYOCARDIUM).any()
    assert not annotated[:, Label.LV_MYOCARDIUM].any()
    said = capsys.readouterr().err
    assert "'Herzmuskel'" in said
    assert "--structures" in said
    (tmp_path / "table.toml").write_text('lv_myocardium = ["herzmuskel"]')
    drawn, _ = ingested(path.parent, "--structures", str(tmp_path / "table.toml"))
    assert np.array_equal(drawn, heart())


def test_names_beat_numbers_and_numbers_count_where_no_name_is_known(tmp_path: Path) -> None:
    path = one_layer(tmp_path / "a.seg.nrrd", heart(), GRID)
    assert np.array_equal(read_named_mask(path, Meaning(CONVENTIONS["acdc"])).mask.voxels[0], heart())
    unnamed = one_layer(tmp_path / "b.seg.nrrd", heart(), GRID, {label: f"Segment_{label}" for label in NAMES})
    with pytest.raises(UnusableError, match=r"nothing says what structures its segments 'Segment_3', .* are"):
        read_named_mask(unnamed, AS_USUAL)
    assert np.array_equal(read_named_mask(unnamed, Meaning(CONVENTIONS["mnms"])).mask.voxels[0], heart())
    layered = layer_each(tmp_path / "c.seg.nrrd", heart(), GRID, {label: f"Segment_{label}" for label in NAMES})
    with pytest.raises(UnusableError, match="nothing says"):
        read_named_mask(layered, Meaning(CONVENTIONS["mnms"]))


def test_a_mask_to_measure_is_known_by_its_names(tmp_path: Path) -> None:
    assert np.array_equal(read_mask(one_layer(tmp_path / "a.seg.nrrd", heart(), GRID)).voxels[0], heart())
    assert np.array_equal(read_mask(layer_each(tmp_path / "b.seg.nrrd", heart(), GRID)).voxels[0], heart())
    path = one_layer(tmp_path / "c.seg.nrrd", heart(), GRID, {**NAMES, Label.RV_CAVITY: "Ventrikel"})
    with pytest.raises(UnusableError, match=r"what structure 'Ventrikel' is.*rename"):
        read_mask(path)


def test_a_number_without_a_segment_is_told(tmp_path: Path) -> None:
    layer = np.zeros((1, *GRID.shape), np.uint8)
    layer[0, 2, 2:9], layer[0, 2, 20] = 1, 7
    path = write_slicer(tmp_path / "a.seg.nrrd", layer, GRID, keys(["LV"], [(0, 1)]))
    assert read_named_mask(path, AS_USUAL).unknown == ("number 7",)


def test_the_layers_of_older_slicers_have_no_numbers(tmp_path: Path) -> None:
    layers = np.stack([heart() == label for label in NAMES]).astype(np.uint8)
    named = {f"Segment{number}_Name": name for number, name in enumerate(NAMES.values())}
    path = write_slicer(tmp_path / "a.seg.nrrd", layers, GRID, named)
    assert np.array_equal(read_named_mask(path, AS_USUAL).mask.voxels[0], heart())
    single = write_slicer(tmp_path / "b.seg.nrrd", layers[:1], GRID, {"Segment0_Name": "LV"})
    assert read_named_mask(single, AS_USUAL).labels == (Label.LV_CAVITY,)


@pytest.mark.parametrize(
    ("places", "changed"),
    [([(0, 1), (0, 1)], {}), ([(0, 1), (1, 1)], {}), ([(0, 1), (0, 2)], {"Segment1_LabelValue": "two"}),
     ([(0, 1), (-1, 2)], {})],
)  # fmt: skip
def test_segments_without_voxels_of_their_own(
    places: list[tuple[int, int]], changed: dict[str, str], tmp_path: Path
) -> None:
    layer = np.ones((1, *GRID.shape), np.uint8)
    path = write_slicer(tmp_path / "a.seg.nrrd", layer, GRID, keys(["LV", "RV"], places) | changed)
    with pytest.raises(UnusableError, match="which voxels are theirs"):
        read_named_mask(path, AS_USUAL)


@pytest.mark.parametrize("what", ["resampled", "between", "beyond"])
def test_what_does_not_lie_on_the_image_is_refused(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask, grid = heart(), GRID
    if what == "resampled":
        mask, grid = mask[:, ::2, ::2], Grid((6, 20, 18), (8.0, 3.0, 2.5), GRID.origin_mm, TILT)
    if what == "between":
        grid = Grid(GRID.shape, GRID.spacing_mm, (-20.6, 11.5, 40.0), TILT)
    if what == "beyond":
        mask = np.ones_like(mask)
        grid = Grid(GRID.shape, GRID.spacing_mm, tuple(GRID.position_mm([1, 0, 0]).tolist()), TILT)
    path = one_layer(tmp_path / "p1" / "a.seg.nrrd", mask, grid)
    assert run(["ingest", str(listed(path.parent, path)), "-o", str(tmp_path / "dataset"), "-q"]) == 4
    said = " ".join(capsys.readouterr().err.split())
    assert "a.seg.nrrd: its voxels are not voxels of the image" in said
    assert "source geometry" in said


def test_empty_room_beyond_the_image_does_no_harm(tmp_path: Path) -> None:
    x, y, z = GRID.position_mm([-1, -2, 0]).tolist()
    larger = Grid((8, 44, 36), GRID.spacing_mm, (x, y, z), TILT)
    mask = np.pad(heart(), ((1, 1), (2, 2), (0, 0)))
    path = one_layer(tmp_path / "p1" / "a.seg.nrrd", mask, larger)
    assert np.array_equal(ingested(listed(path.parent, path))[0], heart())


def test_a_scan_may_be_nrrd_too(tmp_path: Path) -> None:
    path = one_layer(tmp_path / "p1" / "a.seg.nrrd", heart(), GRID)
    write_slicer(path.with_name("scan.nrrd"), np.arange(heart().size, dtype=np.int16).reshape(1, *GRID.shape), GRID, {})
    assert np.array_equal(ingested(listed(path.parent, path, image="scan.nrrd"))[0], heart())


def test_a_scan_may_be_a_folder_of_dicom_files(tmp_path: Path) -> None:
    heart_of, phase = reference(OBLONG), OBLONG.ed_es_phases[1]
    write_dicom(OBLONG, tmp_path / "p1" / "dicom")
    path = one_layer(tmp_path / "p1" / "a.seg.nrrd", heart_of.voxels[phase].astype(np.uint8), heart_of.grid)
    table = tmp_path / "p1" / "table.csv"
    table.write_text(f"subject,image,mask,phase\np1,dicom,{path.name},{phase}\n")
    assert np.array_equal(ingested(tmp_path / "p1")[0], heart_of.voxels[phase])
    table.write_text(f"subject,image,mask\np1,dicom,{path.name}\n")
    (skipped,) = read_layout(tmp_path / "p1")
    assert "to which phase it belongs is unknown (give the number of its phase" in str(skipped)
    (tmp_path / "p1" / "empty").mkdir()
    table.write_text(f"subject,image,mask\np1,empty,{path.name}\n")
    (skipped,) = read_layout(tmp_path / "p1")
    assert "0 short-axis cines in the folder, expected one" in str(skipped)


def test_names_without_an_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "table.toml").write_text('lv_myocardium = ["herzmuskel"]')
    (tmp_path / "p1").mkdir()
    write_volume(tmp_path / "p1" / "a.nii.gz", Volume(heart(), GRID))
    listed(tmp_path / "p1", tmp_path / "p1" / "a.nii.gz")
    assert (
        run(["ingest", str(tmp_path / "p1"), "-o", str(tmp_path / "d"), "--structures", str(tmp_path / "table.toml")])
        == 2
    )
    assert "--structures has no effect" in capsys.readouterr().err


def test_it_is_no_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_layer(tmp_path / "scans" / "a.seg.nrrd", heart(), GRID)
    assert run(["predict", str(tmp_path / "scans"), "-o", str(tmp_path / "out"), "-q"]) == 4
    assert "scans" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "is_refused"),
    [
        (["LV ED", "LV ES"], True),
        (["LV", "LV ES"], True),
        (["ES LV", "myocardium ED"], True),
        (["LV ED", "myocardium ED"], False),
        (["LV ED", "myocardium"], False),
    ],
)
def test_segments_of_ed_and_of_es_are_not_united(names: list[str], is_refused: bool, tmp_path: Path) -> None:
    layers = np.zeros((2, *GRID.shape), np.uint8)
    layers[0, :, 5:9, 5:9] = layers[1, :, 7:11, 5:9] = 1
    path = write_slicer(tmp_path / "a.seg.nrrd", layers, GRID, keys(names, [(0, 1), (1, 1)]))
    if is_refused:
        with pytest.raises(UnusableError, match=f"'{names[0]}', '{names[1]}' are drawn on one phase"):
            read_named_mask(path, AS_USUAL)
        layers[1] = 0  # a segment that is empty changes nothing
        write_slicer(path, layers, GRID, keys(names, [(0, 1), (1, 1)]))
    cavity = read_named_mask(path, AS_USUAL).mask.voxels == Label.LV_CAVITY
    assert np.array_equal(cavity[0], layers[0] == 1)
