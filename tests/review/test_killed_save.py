"""Killed saves: whatever write is the last, saving again gives the tables and files of an undisturbed save."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from corrections import PORT, TOKEN, ask, correction, save_case, told

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Voxels
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults

TABLES = ("measures.csv", "segments.csv", "status.csv", "review.csv")


class Killed(BaseException):
    """Nothing of the program may run after this."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """Put an end to the program before it replaces or removes a file for the time `number`; lists these files."""
    names: list[str] = []

    def cut(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(path: Path, *rest: Any, **options: Any) -> Any:
            name = Path(*rest).name if rest else path.name
            if ".lock" in name or ".partial." in name or not path.exists():
                return change(path, *rest, **options)
            if len(names) == number:
                raise Killed
            names.append(name)
            return change(path, *rest, **options)

        return changed

    with (
        suppress(Killed),
        patch.object(Path, "replace", cut(Path.replace)),
        patch.object(Path, "unlink", cut(Path.unlink)),
    ):
        yield names


def smaller(mask: Voxels) -> Voxels:
    """Without the basal slice at all phases."""
    mask = mask.copy()
    mask[:, 4] = 0
    return mask


def save_mask(folder: Path, wanted: Voxels, **said: Any) -> None:
    """Save the notched case with this mask, whatever it is now, without its tables."""
    app = create_app(ReviewedResults(ResultsFolder(folder)), PORT, TOKEN)
    version = told(ask(app, "/api/cases/notched"))["version"]
    before = read_cine(folder / "notched" / "mask.nii.gz").voxels
    told(
        ask(app, "/api/cases/notched/review", correction(version, before, wanted, **({"decision": "corrected"} | said)))
    )


def tables(folder: Path) -> dict[str, Any]:
    """All tables but for the time of the review, and the names of the files of the case."""
    rows: dict[str, Any] = {}
    for name in TABLES:
        with (folder / name).open(newline="") as file:
            rows[name] = [row | {"time": ""} for row in csv.DictReader(file)]
    masks = {path.name: read_cine(path).voxels.tobytes() for path in (folder / "notched").glob("*.nii.gz")}
    return rows | {"files": sorted(path.name for path in (folder / "notched").iterdir()), "masks": masks}


@pytest.mark.parametrize("kind", ["strokes", "phases", "again and undone"])
def test_saved_again_it_is_as_if_nothing_had_happened(results: Path, tmp_path: Path, kind: str) -> None:
    start, whole = tmp_path / "start", tmp_path / "whole"
    shutil.copytree(results, start, ignore=shutil.ignore_patterns("dicom", "still"))
    network = read_cine(start / "notched" / "mask.nii.gz").voxels
    if kind == "again and undone":
        save_case(start, "notched", smaller, decision="corrected", ed_phase=1)
    wanted = smaller(network) if kind == "strokes" else network
    said = {"ed_phase": 2} if kind == "phases" else {}
    shutil.copytree(start, whole)
    with killed_at(-1) as names:
        save_mask(whole, wanted, **said)
    told(ask(create_app(ReviewedResults(ResultsFolder(whole)), PORT, TOKEN), "/api/tables", {}))
    expected = tables(whole)
    assert names.count("case.json") == 2  # at the beginning and at the end
    for number in range(len(names)):
        folder = tmp_path / "killed"
        shutil.copytree(start, folder)
        with killed_at(number):
            save_mask(folder, wanted, **said)
        save_case(folder, "notched", lambda _: wanted, decision="corrected", **said)
        assert tables(folder) == expected, names[number]
        shutil.rmtree(folder)


def test_until_then_every_table_says_that_a_save_was_interrupted(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    mask = read_cine(folder / "notched" / "mask.nii.gz")
    with killed_at(-1) as names:
        save_mask(folder, smaller(mask.voxels))
    shutil.rmtree(folder)
    shutil.copytree(results, folder)
    with killed_at(len(names) - 1 - names[::-1].index("case.json")):  # before the record is written for the last time
        save_mask(folder, smaller(mask.voxels))
    stale = folder / "notched" / f".{2**22 + 1}-00000000.partial.mask.nii.gz"
    stale.touch()
    app = create_app(ReviewedResults(ResultsFolder(folder)), PORT, TOKEN)
    assert not stale.exists()
    with (folder / "status.csv").open(newline="") as file:
        reasons = {row["case_id"]: row["reason"] for row in csv.DictReader(file)}
    assert "a save of its review was interrupted" in reasons["notched"]
    assert "numbers are those before the edit" not in reasons["notched"]  # nobody knows
    assert any("was interrupted" in remark for remark in told(ask(app, "/api/cases/notched"))["remarks"])
    assert run(["measure", str(folder), "-o", str(tmp_path / "measured"), "-q"]) == 0
    assert "was interrupted" in (tmp_path / "measured" / "status.csv").read_text()
    save_case(folder, "notched", None, decision="corrected")
    assert "was interrupted" not in (folder / "status.csv").read_text()
    with (folder / "review.csv").open(newline="") as file:
        (review,) = csv.DictReader(file)
    voxel_ml, phase = float(np.prod(mask.grid.spacing_mm)) / 1000, int(float(review["lv_ed_phase_predicted"]))
    predicted_ml, now_ml = (
        voxel_ml * np.count_nonzero(voxels[phase] == Label.LV_CAVITY) for voxels in (mask.voxels, smaller(mask.voxels))
    )
    assert float(review["lv_edv_ml_predicted"]) == pytest.approx(predicted_ml, abs=0.01)
    assert float(review["lv_edv_ml_change"]) == pytest.approx(now_ml - predicted_ml, abs=0.02) != 0
    assert json.loads((folder / "notched" / "case.json").read_text())["begun_save"] is None
