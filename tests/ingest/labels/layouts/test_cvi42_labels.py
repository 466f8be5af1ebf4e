"""Workspaces of cvi42: contours in sub-pixels become the masks of the phantom, and hostile XML is refused."""

import json
import shutil
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from drawn_outlines import NAMES, circle, outlines, polygon_area, sop_uid, workspace
from only_subject import subject, why

from cardioseg.cli.app import run
from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.labels import cvi42_workspace, layouts
from cardioseg.ingest.labels.cvi42_workspace import read_workspace
from cardioseg.ingest.labels.layouts import cvi42
from cardioseg.ingest.labels.structures import Meaning, Structure
from cardioseg.phantom import Phantom, Vendor, reference, truth, write_dicom

HEART = Phantom(slices=5, phases=8, rows=64, columns=56, spacing_mm=(16.0, 3.0, 3.4))
FINE = Phantom(slices=5, phases=8, rows=64, columns=72, spacing_mm=(16.0, 1.5, 1.25))
ED, ES = HEART.ed_es_phases
Contours = dict[str, list[tuple[str, np.ndarray]]]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    write_dicom(HEART, folder)
    return folder


@pytest.fixture
def study(scan: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scan, tmp_path / "study"))


def heart() -> Contours:
    contours: Contours = defaultdict(list)
    for one in outlines(HEART):
        contours[one.images[0]].append((NAMES[one.name], one.points))
    return contours


def image(index: int = 2, phase: int = 0) -> str:
    return sop_uid(HEART, index, phase)


def test_contours_become_masks(study: Path) -> None:
    (study / "p1.cvi42wsx").write_text(workspace(heart(), resolution=64))
    assert layouts.detect(study) is cvi42
    one = subject(study)
    assert (one.subject_id, one.skipped) == ("PHANTOM-0001", ())
    assert {volume.name: volume.phase for volume in one.volumes} == {"ed": ED, "es": ES}
    for volume in one.volumes:
        expected = reference(HEART).voxels[volume.phase or 0]
        assert np.count_nonzero(volume.mask != expected) < 0.005 * np.count_nonzero(expected)


def test_a_pixel_has_its_centre_at_a_whole_number(study: Path) -> None:
    """Sub-pixels 8 to 16 of 4 a pixel: columns 2 to 4 lie inside, and of rows 3 to 5 those within 2.5 to 5.5."""
    box = np.array([[2.5, 1.75], [2.5, 4.25], [5.5, 4.25], [5.5, 1.75]])
    (study / "a.cvi42wsx").write_text(workspace({image(): [("saendocardialContour", box)]}))
    rows, columns = np.nonzero(subject(study).volumes[0].mask[2])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 5, 2, 4)


@pytest.mark.parametrize("radius_mm", [6, 10, 17, 28])
def test_areas_are_kept_in_quarters_of_pixels(radius_mm: float, tmp_path: Path) -> None:
    write_dicom(FINE, tmp_path)
    pixel_mm, turn = np.array(FINE.spacing_mm[1:]), np.arange(90) * np.pi / 45
    rng, contours, area = np.random.default_rng(1), {}, 0.0
    for index, phase in np.ndindex(FINE.slices, FINE.phases):
        quarters = np.array([[45, 45]] if radius_mm > 17 else [[21, 21], [21, 66], [69, 21], [69, 66]])
        middles = quarters + rng.uniform(0, pixel_mm, quarters.shape)
        circles = [
            (middle + radius_mm * np.column_stack([np.sin(turn), np.cos(turn)])) / pixel_mm for middle in middles
        ]
        names = ["saendocardialContour", *(f"saendocardialContour{number:04d}" for number in range(1, len(circles)))]
        contours[sop_uid(FINE, index, phase)] = list(zip(names, circles, strict=True))
        area += sum(map(polygon_area, circles))
    (tmp_path / "a.cvi42wsx").write_text(workspace(contours, resolution=4))
    pixels = sum(np.count_nonzero(volume.mask) for volume in subject(tmp_path).volumes)
    assert pixels == pytest.approx(area, rel=0.005)


def test_zipped_and_as_xml(study: Path) -> None:
    text = workspace(heart())
    (study / "p1.xml").write_text(text)
    (study / "other.xml").write_text("<report/>")
    expected = subject(study)
    (study / "p1.xml").unlink()
    for name in ("p1.cvi42wsx.zip", "1000_cvi42.zip"):
        with zipfile.ZipFile(study / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner/p1.cvi42wsx", text)
            archive.writestr("readme.txt", "nothing")
        zipped = subject(study)
        assert zipped.counts == expected.counts
        assert all(np.array_equal(a.mask, b.mask) for a, b in zip(zipped.volumes, expected.volumes, strict=True))
        (study / name).unlink()


def test_what_is_left_out_without_and_with_a_remark(study: Path) -> None:
    ring = circle(6, (30, 30))
    contours = heart()
    contours[image(1, ED)] += [
        ("sapapilMuscContour", circle(1, (30, 30))),
        ("sapapilMuscContour0002", circle(1, (30, 34))),
        ("laendocardialContour", ring),
        ("saEnhancementReferenceMyoContour", ring),
        ("freeDrawRoiContour", ring),
        ("mysteryContour", ring),
    ]
    contours[image(2, 1)] = [("saendocardialOpenContour", ring), ("saepicardialOpenContour", ring)]
    contours[image(2, 4)] = [("saepicardialContour", ring)]
    contours[image(2, 5)] = [("sarvendocardialContour", ring + 60)]
    contours[image(2, 6)] = [("sarvendocardialContour", ring[:2])]
    contours["1.2.3"] = [("saendocardialContour", ring), ("laraContour", ring), ("mysteryContour", ring)]
    path = study / "a.cvi42wsx"
    path.write_text(workspace(contours))
    one = subject(study)
    assert dict(one.counts)["LV cavity contours"] == 8
    of_open = "an open contour: it encloses no area (if --structures lists it, its ends are joined)"
    assert {(item.where.removeprefix(str(path)), item.why.partition(" (list")[0]) for item in one.skipped} == {
        (", saendocardialOpenContour", of_open),
        (", saepicardialOpenContour", of_open),
        (", saepicardialContour", "its image has no endocardial contour"),
        (", sarvendocardialContour", "its points lie outside the image"),
        (", sarvendocardialContour", "fewer than three points"),
        (", saendocardialContour", "its image is not in the cine"),
        ("", "left out, as no table has the name: 'mysteryContour'"),
    }


def test_open_contours_that_a_table_lists_are_closed(study: Path) -> None:
    (study / "a.cvi42wsx").write_text(workspace({image(): [("saendocardialOpenContour", circle(6, (30, 30)))]}))
    assert "encloses no area" in why(study)
    one = subject(study, meaning=Meaning(names={"saendocardialopencontour": Structure.LV_CAVITY}))
    assert np.count_nonzero(one.volumes[0].mask) == pytest.approx(np.pi * 36, rel=0.03)


def test_the_resolution_is_never_assumed(study: Path) -> None:
    text = workspace({image(): [("saendocardialContour", circle(6, (30, 30)))]})
    for wrong in ("0", "-4", "four", ""):
        (study / "a.cvi42wsx").write_text(text.replace(">4</Hash:item>", f">{wrong}</Hash:item>"))
        assert "it does not say how many sub-pixels a pixel has" in why(study)
    (study / "a.cvi42wsx").write_text(workspace({image(): [("saendocardialContour", circle(6, (30, 30)))]}, None))
    assert "it does not say how many sub-pixels a pixel has" in why(study)
    (study / "a.cvi42wsx").write_text(text.replace("<Point:x>120<", "<Point:x>nan<"))
    assert "its points are not pairs of finite numbers" in why(study)


def test_points_before_a_rotation_are_not_drawn(study: Path) -> None:
    text = workspace({image(): [("saendocardialContour", circle(6, (30, 30)))]})
    listed, _, rest = text.partition('Hash:key="Points"')[2].partition("</Hash:item>")
    text = text.replace(rest, f'<Hash:item Hash:key="PointsBeforeRotation"{listed}</Hash:item>{rest}')
    (study / "a.cvi42wsx").write_text(text)
    assert np.count_nonzero(subject(study).volumes[0].mask) == pytest.approx(np.pi * 36, rel=0.03)


def test_an_enhanced_object_has_no_image_that_a_workspace_names(tmp_path: Path) -> None:
    folder = write_dicom(HEART, tmp_path, Vendor.ENHANCED)
    uid = read_headers(next(folder.glob("*.dcm")))[0].sop_uid
    (tmp_path / "a.cvi42wsx").write_text(workspace({uid: [("saendocardialContour", circle(6, (30, 30)))]}))
    assert "it does not say to which of 40 frames of its image it belongs" in why(tmp_path)


def test_a_binary_workspace_is_named(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / "a.cvi42ws").write_bytes(b"\0" * 99)
    assert run(["ingest", str(study), "-o", str(study / "out"), "--json"]) == 4
    reasons = json.loads(capsys.readouterr().out)["error"]["reasons"]
    binary = f"cvi42: {study / 'a.cvi42ws'} is a binary workspace: export it from cvi42 as an XML workspace (.cvi42wsx)"
    assert binary in reasons
    (study / "b.cvi42wsx").write_text(workspace(heart()))
    assert cvi42.recognises(study)
    shutil.move(study / "b.cvi42wsx", study / "out.cvi42wsx")
    shutil.rmtree(next(study.glob("PHANTOM*")))
    assert next(iter(cvi42.misses(study))).startswith(str(study / "a.cvi42ws"))
    assert f"there is no DICOM image below {study}" in list(cvi42.misses(study))[1]


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(UnusableError) as caught:
        read_workspace(path)
    return caught.value.message.removeprefix(f"{path}: ")


def test_hostile_and_damaged_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, head = tmp_path / "a.cvi42wsx", b'<?xml version="1.0"?>'
    entities = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
    outside = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'
    for document in (entities, outside):
        assert refusal(path, head + document) == "its XML has a document type, which no workspace has"
    assert refusal(path, b"<a>" * 100) == "its XML is nested too deeply"
    assert refusal(path, b'<a b="' + b"x" * 3_000_000) == "a tag in it is too long"
    assert refusal(path, b"<a>") == "damaged, no valid XML"
    assert refusal(path, b'<?xml version="1.0" encoding="klingon"?><a/>') == "damaged, no valid XML"
    assert refusal(path, b"<a/>") == "a workspace without contours"
    whole = workspace(heart()).encode()
    assert refusal(path, whole[:-50]) == "damaged, no valid XML"
    zipped = tmp_path / "a.cvi42wsx.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.cvi42wsx", whole)
    packed = zipped.read_bytes()
    assert "damaged" in refusal(zipped, packed[:60] + b"\xff" * 60 + packed[120:])
    assert "zip archive" in refusal(zipped, packed[-30:])
    assert "without a workspace" in refusal(zipped, packed.replace(b"a.cvi42wsx", b"a.textfile"))
    monkeypatch.setattr(cvi42_workspace, "_POINTS", 100)
    assert refusal(path, whole) == "its contours have more than 0 million points"
    monkeypatch.setattr(cvi42_workspace, "_LIMIT_BYTES", 1000)
    assert refusal(path, whole) == "larger than 0 MiB"
    with pytest.raises(UnusableError, match="cannot be read"):
        read_workspace(tmp_path / "absent.cvi42wsx")


def test_ingest_and_evaluate(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / "a.cvi42wsx").write_text(workspace(heart(), resolution=16))
    assert run(["ingest", str(study), "-o", str(tmp_path / "dataset")]) == 0
    assert "8 LV cavity contours" in capsys.readouterr().out
    write_cine(tmp_path / "masks" / "PHANTOM-0001.nii.gz", reference(HEART))
    assert run(["evaluate", str(tmp_path / "masks"), str(study), "--json"]) == 0
    measures = {item["measure"]: item["reference"] for item in json.loads(capsys.readouterr().out)["measures"]}
    for key in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "lv_mass_g", "rv_edv_ml", "rv_ef_percent"):
        assert measures[key] == pytest.approx(truth(HEART).measures[key], rel=0.02), key
    table = tmp_path / "names.toml"
    table.write_text('other = ["saendocardialContour"]\n')
    assert run(["ingest", str(study), "-o", str(tmp_path / "other"), "--structures", str(table)]) == 3
    assert "RV cavity" in capsys.readouterr().out


def test_labels_has_no_effect(study: Path) -> None:
    (study / "a.cvi42wsx").write_text(workspace(heart()))
    assert run(["ingest", str(study), "-o", str(study / "out"), "--labels", "ukbb"]) == 2
    assert Label.RV_CAVITY in subject(study).volumes[0].labels
