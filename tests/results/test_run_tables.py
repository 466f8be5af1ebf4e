"""Run tables: what the report is told of the cases, from their files."""

from pathlib import Path

import pytest
from small_phantoms import SMALL

from cardioseg.cases.case_search import find_cases
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.measure.case_measures import Measures
from cardioseg.phantom import cine, write_dicom
from cardioseg.results.description import Description
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.outcome import DONE, Outcome
from cardioseg.results.run_tables import CaseReports

CURVES = {Label.LV_CAVITY: tuple(120.0 - 9 * phase for phase in range(SMALL.phases))}


def x_title(folder: ResultsFolder) -> str:
    [report] = CaseReports([Outcome("heart", None, DONE)], folder)
    [chart] = report.charts
    return chart.x_title


@pytest.mark.parametrize(("kind", "title"), [("DICOM", "ms after the R wave"), ("NIfTI", "ms after the first phase")])
def test_only_the_times_of_dicom_count_from_the_r_wave(tmp_path: Path, kind: str, title: str) -> None:
    source = tmp_path / "scan"
    if kind == "DICOM":
        write_dicom(SMALL, source)
    else:
        source.mkdir()
        write_cine(source / "scan.nii.gz", cine(SMALL))
    folder = ResultsFolder(tmp_path / "out")
    scan = find_cases([source]).cases[0]
    times_ms = scan.read().times_ms
    assert len(times_ms) == SMALL.phases
    Description(Measures(), (), CURVES, times_ms, scan.acquisition).write(folder.case("heart"))
    assert x_title(folder) == title
