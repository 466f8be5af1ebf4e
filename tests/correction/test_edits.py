"""Edits are seen: in the mask, or in what an editor writes beside it; none is ever lost unless that is asked for."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from small_phantoms import SIX_SLICES as SMALL
from thresholds import write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.cli.app import run
from cardioseg.correction.remeasurement import find_edited, measure_all
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, read_volume, write_cine, write_volume
from cardioseg.image.volume import Cine, Volume
from cardioseg.inference.session import Model, open_model
from cardioseg.phantom import cine
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.mask_files import find_masks
from cardioseg.results.outcome import Outcome


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return open_model(write_threshold_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def results(model: Model, tmp_path: Path) -> Path:
    """A volume, predicted; nothing in it is newer than its mask."""
    write_volume(tmp_path / "scans" / "a.nii.gz", cine(SMALL).phase(0))
    predict(model, tmp_path)
    return tmp_path / "results"


def predict(model: Model, folder: Path, **options: bool) -> Outcome:
    (outcome,) = predict_all(find_cases([folder / "scans"]), model, folder / "results", Settings(**options))
    return outcome


def measure(results: Path) -> Outcome:
    out = results.with_name("measured")
    (outcome,) = measure_all(find_edited(results, out), out)
    return outcome


def volume_ml(results: Path, out: str = "measured") -> float:
    import csv

    with (results.with_name(out) / "measures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    return float(row["lv_volume_ml"])


def edited(results: Path) -> Volume:
    """The mask with a basal slice of it painted over."""
    mask = read_volume(results / "a" / "mask.nii.gz")
    mask.voxels[-2:] = 0
    return mask


def write_nrrd(path: Path, volume: Volume, box: tuple[slice, slice, slice] | None = None, **fields: str) -> None:
    """As 3D Slicer writes a segmentation: gzip, LPS, only the box around the segments if that is asked for."""
    box = box or (slice(None), slice(None), slice(None))
    voxels, grid = volume.voxels[box].astype(np.uint8), volume.grid
    steps = [np.multiply(one, mm) for one, mm in zip(grid.directions, grid.spacing_mm, strict=True)]
    origin = grid.position_mm([one.start or 0 for one in box])
    head = {
        "type": "unsigned char", "dimension": "3", "space": "left-posterior-superior",
        "sizes": " ".join(map(str, voxels.shape[::-1])),
        "space directions": " ".join(f"({','.join(map(repr, map(float, step)))})" for step in steps[::-1]),
        "kinds": "domain domain domain", "encoding": "gzip",
        "space origin": f"({','.join(map(repr, map(float, origin)))})",
    } | fields  # fmt: skip
    lines = ["NRRD0004", "# Complete NRRD file format specification at:", *(f"{a}: {b}" for a, b in head.items())]
    text = "\n".join([*lines, "Segment0_LabelValue:=1", "Segment0_Name:=Segment_1", "", ""])
    path.write_bytes(text.encode() + gzip.compress(voxels.tobytes()))


def later(path: Path, seconds: int = 5) -> Path:
    """A file that was saved so much later than the mask, which is older than it was."""
    time = path.stat().st_mtime - seconds
    for name in ("mask.nii.gz", "case.json"):
        os.utime(path.parent / name, (time, time))
    return path


@pytest.mark.parametrize("name", ["Segmentation.nrrd", "mask.seg.nrrd", "mask_edited.nii.gz", "mask.nii"])
def test_an_edit_beside_the_mask_is_measured(results: Path, name: str) -> None:
    before = volume_ml(results, "results")
    write = write_nrrd if name.endswith(".nrrd") else write_volume
    write(results / "a" / name, edited(results))
    later(results / "a" / name)
    outcome = measure(results)
    assert outcome.status == "done"
    assert f"edited; from {name}" in outcome.reason
    beside = volume_ml(results)
    assert beside < before
    write_volume(results / "a" / "mask.nii.gz", edited(results))
    (results / "a" / name).unlink()
    measure(results)
    assert volume_ml(results) == beside


def test_an_edit_in_a_subfolder_is_no_case_and_is_named(results: Path) -> None:
    before = volume_ml(results, "results")
    write_volume(results / "a" / "edits" / "mask.nii.gz", edited(results))
    file = results / "a" / "edits" / "mask.nii.gz"
    os.utime(results / "a" / "mask.nii.gz", (file.stat().st_mtime - 5,) * 2)
    outcome = measure(results)
    assert "edits/mask.nii.gz is not used: it lies in a subfolder" in outcome.reason
    assert volume_ml(results) == before
    assert sorted(find_masks(results).paths) == ["a"]


def test_an_edit_saved_as_metaimage_is_measured(results: Path) -> None:
    measure(results)
    before = volume_ml(results)
    write_volume(results / "a" / "edit.nii.gz", edited(results))
    sitk.WriteImage(sitk.ReadImage(results / "a" / "edit.nii.gz"), results / "a" / "Segmentation.mha")
    (results / "a" / "edit.nii.gz").unlink()
    later(results / "a" / "Segmentation.mha")
    outcome = measure(results)
    assert "from Segmentation.mha" in outcome.reason
    assert volume_ml(results) < before


def test_a_segmentation_that_was_cropped_to_its_segments(results: Path) -> None:
    mask = edited(results)
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(mask.voxels))
    assert mask.voxels[box].size < mask.voxels.size  # type: ignore[index]
    write_volume(results / "a" / "mask_edited.nii.gz", mask)
    later(results / "a" / "mask_edited.nii.gz")
    measure(results)
    whole = volume_ml(results)
    (results / "a" / "mask_edited.nii.gz").unlink()
    write_nrrd(results / "a" / "Segmentation.nrrd", mask, box)  # type: ignore[arg-type]
    later(results / "a" / "Segmentation.nrrd")
    assert "from Segmentation.nrrd" in measure(results).reason
    assert volume_ml(results) == whole


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("older", "it is not newer than mask.nii.gz"),
        ("moved", "it does not lie on the grid of the mask"),
        ("layers", "its segments lie in several layers (export it as a label map)"),
        ("renumbered", "its labels are numbered differently from those of the mask"),
        ("unknown", "the mask holds the label 7"),
        ("broken", "not a readable NRRD file"),
        ("format", "cardioseg does not read this format here"),
    ],
)
def test_what_is_not_clearly_the_edit_is_named(results: Path, how: str, why: str) -> None:
    path, mask, before = results / "a" / "Segmentation.nrrd", edited(results), volume_ml(results, "results")
    if how == "renumbered":
        mask.voxels[mask.voxels > 0] = 4 - mask.voxels[mask.voxels > 0]
    if how == "unknown":
        mask.voxels[0, 0, 0] = 7
    fields = {
        "moved": {"space origin": "(3,3,3)"},
        "layers": {"sizes": "2 4 4 4", "kinds": "list domain domain domain"},
    }
    write_nrrd(path, mask, **fields.get(how, {}))
    if how == "broken":
        path.write_bytes(path.read_bytes()[:50])
    if how == "format":
        path = path.rename(path.with_suffix(".vtm"))
    later(path, -5 if how == "older" else 5)
    outcome = measure(results)
    assert outcome.status == "done"
    assert f"{path.name} in the same folder is not used: {why}" in outcome.reason
    assert "edited;" not in outcome.reason
    assert volume_ml(results) == before


def test_one_phase_of_a_film_is_named(model: Model, tmp_path: Path) -> None:
    write_cine(tmp_path / "scans" / "a.nii.gz", cine(SMALL))
    predict(model, tmp_path)
    results = tmp_path / "results"
    write_nrrd(results / "a" / "Segmentation.nrrd", read_cine(results / "a" / "mask.nii.gz").phase(0))
    later(results / "a" / "Segmentation.nrrd")
    reason = measure(results).reason
    assert "Segmentation.nrrd in the same folder is not used: it has 1 phase, the mask 8" in reason
    assert "save the edit as mask.nii.gz, all phases in one image" in reason


def test_two_different_edits_are_for_the_person_to_decide(results: Path) -> None:
    write_nrrd(results / "a" / "Segmentation.nrrd", edited(results))
    other = edited(results)
    other.voxels[:1] = 0
    write_volume(results / "a" / "mask_edited.nii.gz", other)
    later(results / "a" / "Segmentation.nrrd", 60)
    outcome = measure(results)
    assert outcome.status == "failed"
    assert "Segmentation.nrrd and mask_edited.nii.gz hold different edits (keep the right one" in outcome.reason


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii", "Segmentation.nrrd", "mask_edited.nii.gz"])
def test_predict_keeps_an_edit_unless_it_is_to_be_discarded(model: Model, results: Path, name: str) -> None:
    path = results / "a" / name
    (write_nrrd if name.endswith(".nrrd") else write_volume)(path, edited(results))
    later(path)
    mask = (results / "a" / "mask.nii.gz").read_bytes()
    for options in ({}, {"overwrite": True}):
        outcome = predict(model, results.parent, **options)
        assert "its mask was edited and is kept" in outcome.reason
        assert (results / "a" / "mask.nii.gz").read_bytes() == mask
    outcome = predict(model, results.parent, discard_edits=True)
    assert "edited" not in outcome.reason
    assert outcome.seconds > 0
    assert "edited" not in predict(model, results.parent).reason


def test_an_edit_with_an_unknown_label_or_without_measures_is_kept_too(model: Model, results: Path) -> None:
    path = results / "a" / "mask.nii.gz"
    image = read_cine(path)
    image.voxels[0, 0, 0, 0] = Label.LV_CAVITY + 1
    write_volume(path, Cine(image.voxels, image.grid).phase(0))
    before = path.read_bytes()
    assert "is kept" in predict(model, results.parent, overwrite=True).reason
    (results / "a" / "measures.json").write_text("{}")
    outcome = predict(model, results.parent)
    assert outcome.status == "failed"
    assert "mask.nii.gz was edited and is kept, but" in outcome.reason
    assert path.read_bytes() == before


def test_the_command_line_keeps_edits_too(model: Model, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_volume(results / "a" / "mask.nii.gz", edited(results))
    before = (results / "a" / "mask.nii.gz").read_bytes()
    command = ["predict", str(results.with_name("scans")), "-o", str(results), "-m", str(model.folder)]
    assert run([*command, "--overwrite"]) == 0
    assert "its mask was edited and is kept" in capsys.readouterr().err
    assert (results / "a" / "mask.nii.gz").read_bytes() == before
    assert run([*command, "--overwrite", "--discard-edits"]) == 0
    assert (results / "a" / "mask.nii.gz").read_bytes() != before


def test_what_predict_wrote_beside_the_mask_is_no_edit(model: Model, results: Path) -> None:
    """A further format of the mask is newer than the mask; its hash in the record tells it from an edit."""
    path, record_path = results / "a" / "mask.nrrd", results / "a" / "case.json"
    write_nrrd(path, read_volume(results / "a" / "mask.nii.gz"))
    later(path)
    record = json.loads(record_path.read_text())
    record["sha256"]["mask.nrrd"] = hashlib.sha256(path.read_bytes()).hexdigest()
    record_path.write_text(json.dumps(record))
    assert "is kept" not in predict(model, results.parent).reason
    write_nrrd(path, edited(results))
    later(path)
    assert "edited and is kept, in mask.nrrd" in predict(model, results.parent).reason
