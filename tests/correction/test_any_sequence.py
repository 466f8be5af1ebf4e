"""Whatever is done to scans and results, in any order: every number stands under the content of its own scan."""

import csv
import os
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, sampled_from
from small_phantoms import TWO_PHASES as BASE
from thresholds import write_threshold_model

from cardioseg.cases.case_search import Search, find_cases
from cardioseg.correction.remeasurement import find_edited, measure_all
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.inference.session import Model, open_model
from cardioseg.phantom import Phantom, cine
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.outcome import Outcome

HEARTS = 3
FOLDERS, FILES = ("A", "B", "A/B", "C"), ("sax", "cine")
Row = dict[str, str]


def heart(number: int) -> Phantom:
    return replace(BASE, seed=number + 1, lv_radius_mm=20.0 + 4 * number)


def rows(out: Path, table: str = "measures.csv") -> dict[str, Row]:
    with (out / table).open(newline="") as file:
        return {row.pop("case_id"): row for row in csv.DictReader(file)}


@cache
def threshold_model() -> Model:
    with TemporaryDirectory() as folder:
        return open_model(write_threshold_model(Path(folder)), "cpu", 1)


@cache
def truth(number: int) -> tuple[np.ndarray, np.ndarray, Row]:
    """The scan of a heart, its mask, and its row in the table, each in a folder of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_cine(folder / "heart.nii", cine(heart(number)))
        list(predict_all(find_cases([folder / "heart.nii"]), threshold_model(), folder / "out"))
        mask = read_cine(folder / "out" / "heart" / "mask.nii.gz")
        return read_cine(folder / "heart.nii").voxels, mask.voxels, rows(folder / "out")["heart"]


def heart_in(scan: Path) -> int:
    voxels = read_cine(scan).voxels
    return next(number for number in range(HEARTS) if np.array_equal(voxels, truth(number)[0]))


def heart_of(mask: Path) -> int:
    """Edits change phase 0 alone; by phase 1 a mask says of which heart it is."""
    voxels = read_cine(mask).voxels[1]
    return next(number for number in range(HEARTS) if np.array_equal(voxels, truth(number)[1][1]))


class Results(RuleBasedStateMachine):
    """Scans that are moved, copied and replaced; an OUT that is predicted into; masks that are edited and measured."""

    def __init__(self) -> None:
        super().__init__()
        self.place = TemporaryDirectory()
        root = Path(self.place.name)
        self.scans, self.out, self.measured = (root / name for name in ("scans", "out", "measured"))
        self.edits: dict[str, bytes] = {}  # case -> its mask as it was last edited
        self.expected: dict[str, float] = {}  # measured case -> EDV in mL

    def teardown(self) -> None:
        self.place.cleanup()

    def files(self) -> list[Path]:
        return sorted(self.scans.rglob("*.nii"))

    def cases(self) -> list[str]:
        return sorted(path.parent.name for path in self.out.glob("*/mask.nii.gz"))

    @rule(number=integers(0, HEARTS - 1), folder=sampled_from(FOLDERS), name=sampled_from(FILES))
    def export(self, number: int, folder: str, name: str) -> None:
        """A scan comes, maybe in the place of another; its file is as large and as old as all others."""
        path = self.scans / folder / f"{name}.nii"
        write_cine(path, cine(heart(number)))
        os.utime(path, ns=(0, 0))

    @precondition(lambda self: self.files())
    @rule(which=integers(0, 9), folder=sampled_from(FOLDERS), name=sampled_from(FILES), is_copy=booleans())
    def move(self, which: int, folder: str, name: str, is_copy: bool) -> None:
        source, target = self.files()[which % len(self.files())], self.scans / folder / f"{name}.nii"
        target.parent.mkdir(parents=True, exist_ok=True)
        if source != target:
            (shutil.copy2 if is_copy else shutil.move)(source, target)

    @precondition(lambda self: len(self.files()) > 1)
    @rule(first=integers(0, 9), count=integers(2, 3), folders=booleans())
    def rotate(self, first: int, count: int, folders: bool) -> None:
        """Names that are taken change hands between two runs: two are swapped, or three go round."""
        self.predict(0, "all", overwrite=False, paths=True)
        paths = sorted({path.parent for path in self.files()}) if folders else self.files()
        apart = [path for path in paths if not any(path in other.parents for other in paths)]
        turned = [apart[(first + number) % len(apart)] for number in range(min(count, len(apart)))]
        for number, path in enumerate(turned):
            path.rename(self.scans / f"{number}.turned")
        for number in range(len(turned)):
            (self.scans / f"{number}.turned").rename(turned[number - 1])
        before = self.cases()
        self.predict(0, "all", overwrite=False, paths=True)
        hearts = [heart_in(path) for path in self.files()]
        if len(set(hearts)) == len(hearts):  # no copies
            assert self.cases() == before

    @precondition(lambda self: self.files())
    @rule(which=integers(0, 9), part=sampled_from(("file", "folder", "all")), overwrite=booleans(), paths=booleans())
    def predict(self, which: int, part: str, overwrite: bool, paths: bool) -> None:
        path = self.files()[which % len(self.files())]
        source = {"file": path, "folder": path.parent, "all": self.scans}[part]
        cases = [case for part in Search([source], self.out) for case in part.cases]
        found, settings = Search([source], self.out), Settings(overwrite, paths=paths)
        done: list[Outcome] = list(predict_all(found, threshold_model(), self.out, settings))
        assert {outcome.status for outcome in done} == {"done"}
        assert len({outcome.case_id for outcome in done}) == len(cases)
        for outcome in done:
            assert outcome.source is not None
            assert heart_of(self.out / outcome.case_id / "mask.nii.gz") == heart_in(outcome.source)
        table, status = rows(self.out), rows(self.out, "status.csv")
        if paths:  # what an earlier run said of a place is put right
            for name, row in status.items():
                place = Path(row["source"])
                if place.is_file() and place.is_relative_to(source):
                    assert heart_of(self.out / name / "mask.nii.gz") == heart_in(place)
        assert list(table) == list(status) == self.cases()
        for name, row in table.items():
            assert row == truth(heart_of(self.out / name / "mask.nii.gz"))[2]
        for name, edit in self.edits.items():
            path = self.out / name / "mask.nii.gz"
            assert path.read_bytes() == edit
            is_edited = not np.array_equal(read_cine(path).voxels, truth(heart_of(path))[1])
            assert is_edited == ("its mask was edited and is kept" in status[name]["reason"])

    @precondition(lambda self: self.cases())
    @rule(which=integers(0, 9), plane=integers(0, 4), label=sampled_from(Label))
    def edit(self, which: int, plane: int, label: Label) -> None:
        name = self.cases()[which % len(self.cases())]
        path = self.out / name / "mask.nii.gz"
        mask = read_cine(path)
        corner = mask.voxels[0, plane, :4, :4]
        if (corner != label).any():
            corner[:] = label
            write_cine(path, mask)
            self.edits[name] = path.read_bytes()

    @precondition(lambda self: self.cases())
    @rule(which=integers(0, 9), name=sampled_from(("x", "sax", "A_sax")))
    def rename_case(self, which: int, name: str) -> None:
        old = self.cases()[which % len(self.cases())]
        if not (self.out / name).exists():
            (self.out / old).rename(self.out / name)
            self.edits |= {name: self.edits.pop(old)} if old in self.edits else {}

    @precondition(lambda self: self.cases())
    @rule(which=integers(0, 9), is_all=booleans())
    def measure(self, which: int, is_all: bool) -> None:
        name = self.cases()[which % len(self.cases())]
        found = find_edited(self.out if is_all else self.out / name, self.measured)
        for outcome in measure_all(found, self.measured):
            assert outcome.source is not None
            mask = read_cine(outcome.source)
            ed = int(truth(heart_of(outcome.source))[2]["lv_ed_phase"])
            count = np.count_nonzero(mask.voxels[ed] == Label.LV_CAVITY)
            self.expected[outcome.case_id] = count * mask.grid.voxel_ml
        measured = rows(self.measured)
        assert list(measured) == sorted(self.expected)
        for case_id, edv_ml in self.expected.items():
            assert float(measured[case_id]["lv_edv_ml"]) == pytest.approx(edv_ml, abs=0.01)


@pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_every_number_stands_under_its_own_scan(examples: int) -> None:
    drawing = (
        "cases.written_case.write_pictures",
        "correction.remeasurement.write_pictures",
        "results.run_tables.write_report",
    )
    patches = [patch(f"cardioseg.{name}") for name in drawing]
    for one in patches:
        one.start()
    try:
        run_state_machine_as_test(Results, settings=settings(max_examples=examples, stateful_step_count=15))
    finally:
        for one in patches:
            one.stop()
