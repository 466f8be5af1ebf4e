"""RTSTRUCT: contours on oblique, anisotropic images become the masks of the phantom."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from drawn_outlines import Drawn, circle, listed, outlines, polygon_area, sop_uid, write_rtstruct
from only_subject import subject, why
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian
from read_subjects import read_layout

from cardioseg.cli.app import run
from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import write_cine
from cardioseg.ingest.dicom import structure_set
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.dicom.structure_set import read_structure_set
from cardioseg.ingest.finding.survey import survey
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.layouts import rtstruct
from cardioseg.ingest.labels.structures import Meaning, Structure
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.phantom import Phantom, Vendor, reference, truth, write_dicom
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_rtstruct import write_contours
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Drawing
from cardioseg.skipped import Skipped

HEART = Phantom(slices=5, phases=8, rows=64, columns=56, spacing_mm=(16.0, 3.0, 3.4))
PLAIN = Phantom(slices=5, phases=8, rows=64, columns=72, spacing_mm=(16.0, 1.5, 1.25))
ED, ES = HEART.ed_es_phases
PIXEL_MM = np.array(PLAIN.spacing_mm[1:])
NOT_NAMED: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies that tests copy."""
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(HEART, folder / "heart")
    write_dicom(PLAIN, folder / "plain")
    return folder


@pytest.fixture
def study(scans: Path, tmp_path: Path) -> Path:
    """A heart without contours."""
    return Path(shutil.copytree(scans / "heart", tmp_path / "study"))


@pytest.fixture
def plain(scans: Path, tmp_path: Path) -> Path:
    """Images on which a test draws what it likes."""
    return Path(shutil.copytree(scans / "plain", tmp_path / "plain"))


def volumes(one: Subject) -> dict[str, LabelledVolume]:
    return {volume.name: volume for volume in one.volumes}


def drawn(name: str, points: np.ndarray, index: int = 2, phase: int = 0, **changes: Any) -> Drawn:
    one = Drawn(name, index, phase, points, images=(sop_uid(PLAIN, index, phase),))
    return replace(one, **changes)


def only_mask(plain: Path, contours: Sequence[Drawn]) -> np.ndarray:
    """What contours on one image become."""
    write_rtstruct(plain / "a.dcm", PLAIN, contours)
    one = subject(plain)
    assert one.skipped == ()
    return one.volumes[0].mask[contours[0].slice]


def test_contours_become_the_masks_of_their_phases(study: Path) -> None:
    write_rtstruct(study / "anywhere" / "any name", HEART, list(outlines(HEART)))
    assert layouts.detect(study) is rtstruct
    one = subject(study)
    assert (one.subject_id, one.skipped) == ("PHANTOM-0001", ())
    assert dict(one.counts) == {"LV cavity contours": 8, "LV epicardium contours": 8, "RV cavity contours": 8}
    assert {name: volume.phase for name, volume in volumes(one).items()} == {"ed": ED, "es": ES}
    expected = reference(HEART).voxels
    for volume in one.volumes:
        assert np.count_nonzero(volume.mask != expected[volume.phase or 0]) <= 1  # on the outline, within rounding
        assert volume.annotated[:, Label.RV_CAVITY].tolist() == [True] * 4 + [False]
        assert "PHANTOM-0001" in volume.case_ids
        assert "sax_cine" in volume.case_ids


@pytest.mark.parametrize("radius_mm", [6, 10, 17, 28])
def test_areas_are_kept_on_oblique_anisotropic_images(radius_mm: float, plain: Path) -> None:
    """Up to six circles on each image, each at a random place within a pixel."""
    contours = [
        drawn("LV", circle_mm / PIXEL_MM - 0.5, index, phase)
        for index, phase in np.ndindex(PLAIN.slices, PLAIN.phases)
        for circle_mm in circles_mm(radius_mm, index * PLAIN.phases + phase)
    ]
    write_rtstruct(plain / "a.dcm", PLAIN, contours)
    one = subject(plain)
    pixels = sum(np.count_nonzero(volume.mask == Label.LV_CAVITY) for volume in one.volumes)
    assert pixels == pytest.approx(sum(polygon_area(contour.points) for contour in contours), rel=0.005)
    assert len(one.volumes) == PLAIN.phases


def circles_mm(radius_mm: float, seed: int) -> list[np.ndarray]:
    """Circles that lie apart; (n, 2) down and right from the image's corner."""
    rng, far = np.random.default_rng(seed), np.array([PLAIN.rows, PLAIN.columns]) * PIXEL_MM - radius_mm - 2
    places = [np.arange(radius_mm + 1, end, 2 * radius_mm + 3) for end in far]
    middles = np.array(np.meshgrid(*places)).reshape(2, -1).T[:6]
    return [circle(radius_mm, tuple(middle + rng.uniform(0, PIXEL_MM)), points=60) for middle in middles]


def test_exchanged_names_of_the_outlines(plain: Path) -> None:
    outlines = [drawn("LV endo", circle(20, (32, 36))), drawn("LV epi", circle(12, (32, 36)))]
    write_rtstruct(plain / "a.dcm", PLAIN, outlines)
    assert "of the LV epicardium are also drawn as LV cavity" in why(plain)


def test_a_ring_stays_a_ring(plain: Path) -> None:
    outer, inner = circle(20, (32, 36)), circle(12, (32, 36))
    keyhole = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
    ring = only_mask(plain, [drawn("myocardium", outer), drawn("myocardium", inner)])
    assert ring[32, 36] == Label.BACKGROUND
    assert np.count_nonzero(ring == Label.LV_MYOCARDIUM) == pytest.approx(np.pi * (20**2 - 12**2), rel=0.01)
    for contours in (
        [drawn("myocardium", keyhole)],
        [drawn("myocardium", outer, kind="CLOSEDPLANAR_XOR"), drawn("myocardium", inner, kind="CLOSEDPLANAR_XOR")],
        [drawn("myocardium", outer), drawn("myocardium", inner), drawn("myocardium", outer)],
    ):
        assert np.array_equal(only_mask(plain, contours), ring)


def test_an_island_in_a_hole_and_parts_that_lie_apart(plain: Path) -> None:
    nested = [drawn("RV", circle(radius, (32, 30))) for radius in (20, 12, 5)]
    mask = only_mask(plain, [*nested, drawn("RV", circle(5, (32, 60)))])
    assert mask[32, [30, 38, 46, 60]].tolist() == [Label.RV_CAVITY, Label.BACKGROUND, Label.RV_CAVITY, Label.RV_CAVITY]


def test_contours_that_cannot_be_used_are_named(plain: Path) -> None:
    good, at = circle(9, (32, 36)), drawn("RV", circle(6, (20, 20)))
    between = replace(drawn("RV", good, phase=2), slice=2.6)  # type: ignore[arg-type]
    contours = [
        drawn("LV", good),
        replace(at, kind="POINT", points=at.points[:1]),
        replace(at, kind="OPEN_PLANAR"),
        replace(at, kind="OPEN_PLANAR", images=(sop_uid(PLAIN, 1, 0),)),
        replace(at, kind=""),
        replace(at, points=at.points[:2]),
        replace(at, images=("1.2.3",)),
        between,
        drawn("RV", circle(9, (500, 36)), phase=3),
        drawn("RV", circle(9, (32, 30)), phase=4),
        drawn("RV", circle(9, (32, 36)), phase=4),
        drawn("LV epi", circle(9, (32, 36)), phase=5),
        drawn("Aorta", good),
        drawn("Liver", good),
    ]
    path = write_rtstruct(plain / "a.dcm", PLAIN, contours)
    assert {(item.where.removeprefix(f"{path}"), item.why) for item in subject(plain).skipped} == {
        (", 'RV'", "a point, no contour"),
        (", 'RV'", "2 times: an open contour: it encloses no area"),
        (", 'RV'", "it does not say whether it is closed"),
        (", 'RV'", "fewer than three points"),
        (", 'RV'", "its image is not in the cine"),
        (", 'RV'", "it lies off the plane of its image by more than half a slice"),
        (", 'RV'", "no centre of a pixel lies inside"),
        (", 'RV'", "two of its contours on one image cross each other"),
        (", 'LV epi'", "its image has no endocardial contour"),
        (
            "",
            "left out, as no table has the name: 'Aorta', 'Liver' (list them in a table for --structures, as `other` "
            "where nothing is to be read)",
        ),
    }


def test_points_that_are_no_numbers_or_too_few(plain: Path) -> None:
    path = write_rtstruct(plain / "a.dcm", PLAIN, [drawn("LV", circle(9, (32, 36)), phase=phase) for phase in range(4)])
    dataset = dcmread(path)
    contours = dataset.ROIContourSequence[0].ContourSequence
    contours[0].NumberOfContourPoints = 7
    contours[1].ContourData = contours[1].ContourData[:-1]
    contours[2].ContourData = ["1e9", *contours[2].ContourData[1:]]
    dataset.save_as(path)
    assert {item.why for item in subject(plain).skipped} == {
        "2 times: it does not have as many coordinates as it states",
        "its points are not finite numbers of millimetres",
    }


def test_a_table_of_names(plain: Path) -> None:
    write_rtstruct(plain / "a.dcm", PLAIN, [drawn("Blut", circle(9, (32, 36))), drawn("Leber", circle(9, (20, 20)))])
    meaning = Meaning(names={"blut": Structure.LV_CAVITY, "leber": Structure.OTHER})
    one = subject(plain, meaning=meaning)
    assert one.skipped == ()
    assert one.volumes[0].mask.max() == Label.LV_CAVITY
    assert "'Blut', 'Leber'" in why(plain)


def test_ed_and_es_in_two_files(study: Path) -> None:
    for phase in (ED, ES):
        write_rtstruct(study / f"{phase}.dcm", HEART, list(outlines(HEART, [phase])))
    shutil.copy(study / f"{ED}.dcm", study / "copy.dcm")
    one = read_layout(study)
    skipped, found = sorted(one, key=lambda item: isinstance(item, Subject))
    assert isinstance(skipped, Skipped)
    assert skipped.why.startswith("a copy of")
    assert isinstance(found, Subject)
    assert set(volumes(found)) == {"ed", "es"}


def test_two_observers_are_not_merged(study: Path) -> None:
    both = list(outlines(HEART))
    write_rtstruct(study / "one.dcm", HEART, both)
    write_rtstruct(study / "two.dcm", HEART, [replace(one, points=one.points + 1) for one in both if one.phase == ES])
    one = subject(study)
    assert set(volumes(one)) == {"phase07"}
    assert {item.why for item in one.skipped} == {
        f"4 times: both draw the {name} on one image, in different ways"
        for name in ("LV cavity", "LV epicardium", "RV cavity")
    }
    assert f"{study / 'one.dcm'}, 'LV endo' and by {study / 'two.dcm'}, 'LV endo'" in {
        item.where for item in one.skipped
    }
    write_rtstruct(study / "two.dcm", HEART, [one for one in both if one.phase == ES])  # the same again
    assert subject(study).skipped == ()


def test_a_stray_phase_is_neither_ed_nor_es(study: Path) -> None:
    stray = [one for one in outlines(HEART, [5]) if one.slice == 0]
    write_rtstruct(study / "a.dcm", HEART, [*outlines(HEART), *stray])
    assert {name: volume.phase for name, volume in volumes(subject(study)).items()} == {
        "ed": ED,
        "es": ES,
        "phase05": 5,
    }


def test_contours_without_images_belong_to_the_one_phase_that_is_listed(study: Path) -> None:
    contours = [replace(one, images=NOT_NAMED) for one in outlines(HEART, [ES])]
    images = listed([sop_uid(HEART, index, ES) for index in range(HEART.slices)])
    path = write_rtstruct(study / "a.dcm", HEART, contours, ReferencedFrameOfReferenceSequence=images)
    (volume,) = subject(study).volumes
    assert volume.phase == ES
    assert np.count_nonzero(volume.mask != reference(HEART).voxels[ES]) <= 1
    every = listed([sop_uid(HEART, index, phase) for index in range(HEART.slices) for phase in range(HEART.phases)])
    write_rtstruct(path, HEART, contours, ReferencedFrameOfReferenceSequence=every)
    assert "it does not say to which of 8 phases it belongs" in why(study)
    write_rtstruct(path, HEART, contours)
    assert "it does not say to which of 8 phases it belongs" in why(study)


def test_another_frame_of_reference(study: Path) -> None:
    path = write_rtstruct(study / "a.dcm", HEART, [replace(one, images=NOT_NAMED) for one in outlines(HEART, [ES])])
    dataset = dcmread(path)
    for roi in dataset.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = "1.2.3"
    dataset.save_as(path)
    assert "its frame of reference is not that of the cine" in why(study)


def test_images_that_are_not_there(study: Path) -> None:
    write_rtstruct(study / "a.dcm", PLAIN, [drawn("LV", circle(9, (32, 36)))])
    assert why(study) == f"the images on which it was drawn do not lie below {study}"
    scout = next(study.rglob("localizer/*.dcm"))
    uid = read_headers(scout)[0].sop_uid
    write_rtstruct(study / "a.dcm", HEART, [Drawn("LV", 2, 0, circle(9, (32, 36)), images=(uid,))])
    assert why(study).startswith("it was drawn on images of another kind: localizer")


def test_a_structure_set_without_images_is_no_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may lie among results; the masks beside it are the reference then."""
    path = write_rtstruct(tmp_path / "results" / "p" / "a.dcm", HEART, list(outlines(HEART)))
    assert run(["ingest", str(tmp_path / "results"), "-o", str(tmp_path / "out"), "--json"]) == 4
    reasons = json.loads(capsys.readouterr().out)["error"]["reasons"]
    assert f"rtstruct: {path} is an RTSTRUCT, but there is no DICOM image below {tmp_path / 'results'}" in reasons
    for folder in ("results", "masks"):
        write_cine(tmp_path / folder / "p.nii.gz", reference(HEART))
    assert run(["evaluate", str(tmp_path / "masks"), str(tmp_path / "results"), "--json"]) == 0


def test_scans_that_are_no_cine(scans: Path, tmp_path: Path) -> None:
    shutil.copytree(next(scans.rglob("localizer")), tmp_path / "scouts")
    write_rtstruct(tmp_path / "a.dcm", HEART, list(outlines(HEART)))
    assert why(tmp_path).startswith(f"there is no short-axis cine below {tmp_path}; the first series is a localizer")


def test_two_studies_and_a_structure_set_that_names_no_image(scans: Path, tmp_path: Path) -> None:
    root = tmp_path / "both"
    for name in ("heart", "plain"):
        shutil.copytree(scans / name, root / name)
    contours = [replace(one, images=NOT_NAMED) for one in outlines(HEART, [ES])]
    write_rtstruct(root / "a.dcm", HEART, contours)
    assert "several short-axis cines" in why(root)
    shutil.move(root / "a.dcm", root / "plain" / "a.dcm")
    assert "its frame of reference is not that of the cine" in why(root)
    write_rtstruct(root / "plain" / "a.dcm", HEART, list(outlines(HEART)))  # named images count, not folders
    assert subject(root).subject_id == "heart"


def test_frames_of_an_enhanced_object(tmp_path: Path) -> None:
    folder = write_dicom(HEART, tmp_path, Vendor.ENHANCED)
    headers = read_headers(next(folder.glob("*.dcm")))
    normal, times = np.array(HEART.grid.directions[0]), np.array(HEART.times_ms)
    frames = {
        (
            round(float((np.array(header.position_mm) - HEART.grid.origin_mm) @ normal) / HEART.spacing_mm[0]),
            int(np.argmin(np.abs(times - (header.trigger_ms or 0)))),
        ): header.frame
        for header in headers
    }
    contours = [replace(one, images=(headers[0].sop_uid,)) for one in outlines(HEART)]
    path = write_rtstruct(tmp_path / "a.dcm", HEART, contours)
    assert "it does not say to which of 8 phases it belongs" in why(tmp_path)
    dataset = dcmread(path)
    ordered = [one for name in dict.fromkeys(one.name for one in contours) for one in contours if one.name == name]
    written = [contour for roi in dataset.ROIContourSequence for contour in roi.ContourSequence]
    for one, contour in zip(ordered, written, strict=True):
        contour.ContourImageSequence[0].ReferencedFrameNumber = (frames[one.slice, one.phase] or 0) + 1
    dataset.save_as(path)
    for volume in subject(tmp_path).volumes:
        assert np.count_nonzero(volume.mask != reference(HEART).voxels[volume.phase or 0]) <= 1


def test_other_encodings_are_read_alike(study: Path) -> None:
    path = write_rtstruct(study / "a.dcm", HEART, list(outlines(HEART)))
    expected = subject(study)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True, implicit_vr=True, little_endian=True)
    implicit = subject(study)
    for sequence in (dataset["StructureSetROISequence"], dataset["ROIContourSequence"]):
        sequence.is_undefined_length = True
        for item in sequence.value:
            item.is_undefined_length_sequence_item = True
    dataset.ROIContourSequence[0]["ContourSequence"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True, implicit_vr=True, little_endian=True)
    for other in (implicit, subject(study)):
        for one, two in zip(expected.volumes, other.volumes, strict=True):
            assert np.array_equal(one.mask, two.mask)


def test_names_in_other_letters(plain: Path) -> None:
    path = write_rtstruct(
        plain / "a.dcm", PLAIN, [drawn("Höhle", circle(9, (32, 36)))], SpecificCharacterSet="ISO_IR 192"
    )
    assert "'Höhle'" in why(plain)
    write_rtstruct(path, PLAIN, [drawn("Höhle", circle(9, (32, 36)))], SpecificCharacterSet="ISO_IR 100")
    assert subject(plain, meaning=Meaning(names={"höhle": Structure.LV_CAVITY})).volumes


def test_damaged_files_are_named(study: Path) -> None:
    path = write_rtstruct(study / "a.dcm", HEART, list(outlines(HEART)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    assert why(study) == "it is cut short"
    write_rtstruct(path, HEART, [])
    assert why(study) == "an RTSTRUCT without contours"
    write_rtstruct(path, HEART, list(outlines(HEART)), SOPClassUID="1.2.840.10008.5.1.4.1.1.481.2")
    assert not rtstruct.recognises(study)
    with pytest.raises(UnusableError, match="not an RTSTRUCT"):
        read_structure_set(path)


def test_contours_that_cardioseg_writes_are_read_as_its_mask(study: Path) -> None:
    (series,) = survey(study).cines
    assert series.stack
    for phase, moment in ((ED, END_DIASTOLE), (ES, END_SYSTOLE)):
        drawing = Drawing(reference(HEART).phase(phase), STRUCTURES, moment, Author("sax", "ab" * 32))
        write_contours(study / f"{phase}.dcm", drawing, series.stack.headers[phase])
    one = subject(study)
    assert ({volume.name for volume in one.volumes}, one.skipped) == ({"ed", "es"}, ())
    for volume in one.volumes:
        assert np.array_equal(volume.mask, reference(HEART).voxels[volume.phase or 0])


def test_a_file_without_meta_information_and_one_that_is_too_large(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rtstruct(study / "a.dcm", HEART, list(outlines(HEART)))
    dataset = dcmread(path)
    buffer = BytesIO()
    for keyword in ("file_meta", "preamble"):
        delattr(dataset, keyword)
    dataset.save_as(buffer, implicit_vr=True, little_endian=True)
    path.write_bytes(buffer.getvalue())
    assert {volume.name for volume in subject(study).volumes} == {"ed", "es"}
    monkeypatch.setattr(structure_set, "_FILE_LIMIT_BYTES", 100)
    assert why(study) == "larger than 0 MiB"


@pytest.mark.skipif(not shutil.which("plastimatch"), reason="plastimatch is not installed")
def test_plastimatch_writes_the_masks_that_are_read(study: Path, tmp_path: Path) -> None:
    """It writes rings as keyholes and lists the images only for the whole set."""
    (tmp_path / "images").mkdir()
    for number in range(HEART.slices):
        uid = sop_uid(HEART, number, ED)
        source = next(path for path in study.rglob("sax_cine/*.dcm") if read_headers(path)[0].sop_uid == uid)
        shutil.copy(source, tmp_path / "images")
    expected = reference(HEART).voxels[ED]
    for name, label in {"LV": Label.LV_CAVITY, "myocardium": Label.LV_MYOCARDIUM, "RV": Label.RV_CAVITY}.items():
        write_image(tmp_path / "masks" / f"{name}.mha", (expected == label).astype(np.uint8))
    command = ["plastimatch", "convert", "--input-prefix", tmp_path / "masks", "--output-dicom", study / "contours"]
    subprocess.run([*command, "--referenced-ct", tmp_path / "images"], check=True, capture_output=True)
    one = subject(study)
    (volume,) = one.volumes
    assert (one.skipped, volume.phase) == ((), ED)
    assert np.array_equal(volume.mask, expected)


def write_image(path: Path, voxels: np.ndarray) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(HEART.spacing_mm[::-1])
    image.SetOrigin(HEART.grid.origin_mm)
    image.SetDirection(np.array(HEART.grid.directions)[::-1].T.ravel().tolist())
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(image, str(path))


def test_ingest_and_evaluate(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rtstruct(study / "a.dcm", HEART, list(outlines(HEART)))
    assert run(["ingest", str(study), "-o", str(tmp_path / "dataset")]) == 0
    assert "8 LV cavity contours" in capsys.readouterr().out
    write_cine(tmp_path / "masks" / "PHANTOM-0001.nii.gz", reference(HEART))
    assert run(["evaluate", str(tmp_path / "masks"), str(study), "--json"]) == 0
    measures = {item["measure"]: item["reference"] for item in json.loads(capsys.readouterr().out)["measures"]}
    for key in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "lv_mass_g", "rv_edv_ml", "rv_ef_percent"):
        assert measures[key] == pytest.approx(truth(HEART).measures[key], rel=0.02), key
