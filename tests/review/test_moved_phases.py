"""Moved phases: what all tables say if a correction leaves ED or ES at a phase that is no longer the extreme one."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from corrections import save_case

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Voxels


def row(folder: Path, table: str) -> dict[str, str]:
    with (folder / table).open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}["dicom"]


def volumes_ml(folder: Path) -> list[float]:
    """The volume of the LV cavity at each phase, counted voxel by voxel."""
    mask = read_cine(folder / "dicom" / "mask.nii.gz")
    voxel_ml = float(np.prod(mask.grid.spacing_mm)) / 1000
    return [voxel_ml * np.count_nonzero(phase == Label.LV_CAVITY) for phase in mask.voxels]


@pytest.fixture
def corrected(results: Path, tmp_path: Path) -> Path:
    """The middle slice was deleted at end-diastole and the case saved."""
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    ed = int(row(folder, "measures.csv")["lv_ed_phase"])

    def cut(mask: Voxels) -> Voxels:
        mask = mask.copy()
        mask[ed, 2] = 0
        return mask

    save_case(folder, "dicom", cut, decision="corrected", initials="AB")
    return folder


def test_all_tables_say_so(corrected: Path, tmp_path: Path) -> None:
    volumes, ed = volumes_ml(corrected), int(row(corrected, "measures.csv")["lv_ed_phase"])
    largest = int(np.argmax(volumes))
    assert largest != ed
    expected = (
        f"LV ED stays at phase {ed} ({volumes[ed]:.1f} mL), "
        f"but the largest volume is now at phase {largest} ({volumes[largest]:.1f} mL)"
    )
    assert expected in json.loads((corrected / "dicom" / "case.json").read_text())["remark"]
    assert expected in row(corrected, "status.csv")["reason"]
    assert expected in (corrected / "report.html").read_text()
    save_case(corrected, "dicom", None, decision="corrected", initials="CD")  # nothing else was changed
    assert expected in row(corrected, "status.csv")["reason"]
    assert run(["measure", str(corrected), "-o", str(tmp_path / "measured"), "-q"]) == 0
    assert row(tmp_path / "measured", "status.csv")["reason"].count(expected) == 1


def test_of_phases_that_a_person_chose_nothing_is_said(corrected: Path, tmp_path: Path) -> None:
    ed = int(row(corrected, "measures.csv")["lv_ed_phase"])
    save_case(corrected, "dicom", None, decision="corrected", ed_phase=ed)
    assert "ED stays" not in row(corrected, "status.csv")["reason"]
    assert run(["measure", str(corrected), "-o", str(tmp_path / "measured"), "-q"]) == 0
    assert "ED stays" not in row(tmp_path / "measured", "status.csv")["reason"]


def test_of_a_case_that_nobody_changed_nothing_is_said(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    save_case(folder, "dicom", None, decision="accepted")
    assert "stays at phase" not in (folder / "status.csv").read_text()
