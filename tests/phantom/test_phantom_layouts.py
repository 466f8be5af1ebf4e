"""The phantom as contours, as a Sunnybrook tree and as NIfTI."""

from pathlib import Path

import numpy as np
import pytest
from drawn_outlines import polygon_area
from read_subjects import read_all

from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.ingest.labels.contours import read_sunnybrook_contour
from cardioseg.ingest.labels.layouts import sunnybrook
from cardioseg.ingest.labels.subject import Subject
from cardioseg.phantom import Phantom, cine, reference, truth, write_contours, write_nifti, write_sunnybrook

SMALL = Phantom(slices=8, phases=8, rows=120, columns=112, spacing_mm=(12.0, 1.8, 1.9), seed=7)


def test_contours_enclose_the_analytic_volume_on_fewer_slices_than_acquired(tmp_path: Path) -> None:
    case = write_contours(SMALL, tmp_path)
    assert case == tmp_path / "SC-PH-07"
    area_ml = {"ed": 0.0, "es": 0.0}
    moments = dict(zip(SMALL.ed_es_phases, area_ml, strict=True))
    files = sorted((case / "contours-manual" / "IRCCI-expert").iterdir())
    for path in (path for path in files if "icontour" in path.name):
        phase = (int(path.name.split("-")[2]) - 1) % SMALL.phases
        area_ml[moments[phase]] += polygon_area(read_sunnybrook_contour(path)) * SMALL.grid.voxel_ml
    assert area_ml["ed"] == pytest.approx(truth(SMALL).measures["lv_edv_ml"], rel=3e-4)
    assert area_ml["es"] == pytest.approx(truth(SMALL).measures["lv_esv_ml"], rel=3e-4)
    outer = [path for path in files if "ocontour" in path.name]
    assert {(int(path.name.split("-")[2]) - 1) % SMALL.phases for path in outer} == {SMALL.ed_es_phases[0]}
    assert 2 < len(outer) < SMALL.slices


def test_the_sunnybrook_reader_measures_the_truth(tmp_path: Path) -> None:
    cohort = [
        SMALL,
        Phantom(slices=7, phases=8, rows=96, columns=96, spacing_mm=(13.0, 2.0, 2.0), seed=123, ed_phase=0),
    ]
    write_sunnybrook(cohort, tmp_path)
    assert sunnybrook.recognises(tmp_path)
    subjects = [subject for subject in read_all(sunnybrook.find(tmp_path)) if isinstance(subject, Subject)]
    assert [subject.subject_id for subject in subjects] == ["SC-PH-07", "SC-PH-123"]
    for phantom, subject in zip(cohort, subjects, strict=True):
        volumes = {volume.name: volume for volume in subject.volumes}
        assert not subject.skipped
        assert (volumes["ed"].phase, volumes["es"].phase) == phantom.ed_es_phases
        assert volumes["ed"].volume_ml(Label.LV_CAVITY) == pytest.approx(truth(phantom).measures["lv_edv_ml"], rel=0.01)
        assert volumes["es"].volume_ml(Label.LV_CAVITY) == pytest.approx(
            truth(phantom).measures["lv_esv_ml"], rel=0.015
        )
        assert volumes["ed"].case_ids == (subject.subject_id, phantom.sunnybrook_ids[0])


def test_the_drawn_wall_is_the_reference_wall(tmp_path: Path) -> None:
    write_sunnybrook([SMALL], tmp_path)
    (subject,) = read_all(sunnybrook.find(tmp_path))
    assert isinstance(subject, Subject)
    ed = next(volume for volume in subject.volumes if volume.name == "ed")
    expected = reference(SMALL).voxels[SMALL.ed_es_phases[0]]
    drawn = ed.annotated[:, Label.LV_MYOCARDIUM]
    lv_only = np.where(expected == Label.RV_CAVITY, Label.BACKGROUND, expected)
    assert (ed.mask[drawn] != lv_only[drawn]).sum() <= 2 * drawn.sum()
    np.testing.assert_array_equal(ed.image, cine(SMALL).voxels[SMALL.ed_es_phases[0]])


def test_a_cohort_needs_different_seeds(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different seeds"):
        write_sunnybrook([SMALL, SMALL], tmp_path)
    assert not list(tmp_path.iterdir())


def test_nifti_round_trip(tmp_path: Path) -> None:
    image, mask = write_nifti(SMALL, tmp_path)
    assert (image.name, mask.name) == ("PHANTOM-0007.nii.gz", "PHANTOM-0007_gt.nii.gz")
    for path, expected in ((image, cine(SMALL)), (mask, reference(SMALL))):
        read = read_cine(path)
        np.testing.assert_array_equal(read.voxels, expected.voxels)
        assert read.grid.matches(expected.grid)
        assert read.times_ms == pytest.approx(expected.times_ms)
