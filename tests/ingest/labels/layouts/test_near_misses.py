"""Labelled data that almost lies in a layout: read where there is one right reading, else named, with what to do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from only_subject import subject, why
from read_subjects import read_layout
from skimage.io import imsave
from small_phantoms import SQUARE

from cardioseg.cli.app import run
from cardioseg.errors import NoInputError, UsageError
from cardioseg.image.labels import CONVENTIONS, Label, relabel
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Volume
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.structures import Meaning, Structure
from cardioseg.ingest.labels.subject import Subject
from cardioseg.phantom import cine, reference
from cardioseg.skipped import Skipped

SMALL = replace(SQUARE, phases=4, ed_phase=0)
IMAGE, MASK = cine(SMALL), reference(SMALL)
OTHER = np.array([0, 3, 2, 1], np.uint8)  # M&Ms' number of each label


@pytest.fixture
def reasons(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], str]:
    """What `ingest` says of a folder that it cannot use."""

    def said(root: Path) -> str:
        assert run(["ingest", str(root), "-o", str(root / "out"), "--json"]) == 4
        return "\n".join(json.loads(capsys.readouterr().out)["error"].get("reasons", []))

    return said


def volume(root: Path, name: str, cine_: Cine, phase: int = 0) -> str:
    write_volume(root / name, Volume(cine_.voxels[phase], cine_.grid))
    return name


def numbered(voxels: np.ndarray) -> Cine:
    """The mask in other numbers."""
    return Cine(voxels.astype(np.uint8), MASK.grid)


TABLES = {
    "semicolons": b"subject;image;lv_mask\na;x.png;m.png\n",
    "tabs": b"subject\timage\tlv_mask\na\tx.png\tm.png\n",
    "Excel's word for it": b"sep=;\r\nsubject;image;lv_mask\r\na;x.png;m.png\r\n",
    "other cases": b"Subject,IMAGE,LV_Mask\na,x.png,m.png\n",
    "blanks": b" subject , image , LV mask\na, x.png , m.png\n",
    "quotes": b'"subject";"image";"lv_mask"\n"a";"x.png";"m.png"\n',
    "UTF-16": "subject,image,lv_mask\r\na,x.png,m.png\r\n".encode("utf-16"),
    "UTF-16 as Excel saves it": "subject\timage\tlv_mask\r\na\tx.png\tm.png\r\n".encode("utf-16"),
    "UTF-16 without its mark": "subject,image,lv_mask\na,x.png,m.png\n".encode("utf-16-le"),
    "UTF-16 the other way": "\ufeffsubject,image,lv_mask\na,x.png,m.png\n".encode("utf-16-be"),
    "a mark": "subject,image,lv_mask\na,x.png,m.png\n".encode("utf-8-sig"),
    "empty lines": b"\n\nsubject,image,lv_mask\n\na,x.png,m.png\n,,\n",
    "old line ends": b"subject,image,lv_mask\ra,x.png,m.png\r",
    "a Western code page": "subject,image,lv_mask,größe\na,x.png,m.png,groß\n".encode("cp1252"),
    "Windows' paths": b"subject,image,lv_mask\na,.\\x.png,.\\m.png\n",
}


@pytest.mark.parametrize("content", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("name", ["slices.csv", "SLICES.CSV", "slices.tsv"])
def test_a_table_is_read_as_people_save_it(tmp_path: Path, name: str, content: bytes) -> None:
    disc = np.zeros((8, 9), np.uint8)
    disc[2:5, 3:6] = 255
    for file in ("x.png", "m.png"):
        imsave(tmp_path / file, disc, check_contrast=False)
    (tmp_path / name).write_bytes(content)
    one = subject(tmp_path)
    assert one.subject_id == "a"
    assert ((one.volumes[0].mask[0] == Label.LV_CAVITY) == (disc > 0)).all()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ed", ["0", "0.0", " 0 "])
def test_the_table_of_mnms_likewise(tmp_path: Path, encoding: str, separator: str, ed: str) -> None:
    patient = tmp_path / "A1"
    write_cine(patient / "A1_sa.nii.gz", IMAGE)
    write_cine(patient / "A1_sa_gt.nii.gz", numbered(OTHER[MASK.voxels]))
    lines = (["External Code", "ed", "ES", "Größe"], ["A1", ed, "2", "1"])
    (tmp_path / "info.csv").write_text("\n".join(map(separator.join, lines)) + "\n", encoding=encoding)
    one = subject(tmp_path)
    assert [(found.name, found.phase) for found in one.volumes] == [("ed", 0), ("es", 2)]
    np.testing.assert_array_equal(one.volumes[0].mask, MASK.voxels[0])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("my.csv", "patient,image,mask\n", "has the columns patient, image, mask; it has no column subject"),
        ("my.csv", "", "my.csv is empty"),
        ("my.csv", "\ufeff \n\n", "my.csv is empty"),
        ("my.csv", "subject;image;truth\n", "it has none of mask, myo_mask, rv_mask, lv_mask"),
        ("below/my.csv", "subject,image,mask\n", "my.csv has the columns: give the folder"),
        ("my.xlsx", "PK", "my.xlsx is a spreadsheet's own format: save it as CSV"),
        ("a/a_gt.nii.gz", "", "1 NIfTI files *_gt lie below"),
        ("patient001/patient001_frame01_gt.nii.gz", "", "no Info.cfg that gives the frames of ED and ES"),
        ("A1/A1_sa_gt.nii.gz", "", "no CSV with the columns External code, ED and ES"),
        ("info.csv", "External code,ED,ES\n", "has the CSV, but no folder <code>/ with <code>_sa_gt.nii.gz"),
        ("scd_patientdata.csv", "PatientID\n", "has scd_patientdata.csv, but no SCD_ManualContours"),
        ("labelsTr/a.nii.gz", "", "has labelsTr, but no dataset.json and no imagesTr"),
    ],
)
def test_what_is_almost_a_layout_is_named(
    tmp_path: Path, reasons: Callable[[Path], str], file: str, content: str, said: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    assert said in reasons(tmp_path)


def listed(root: Path, row: str, header: str = "subject,image,mask") -> Path:
    (root / "my.csv").write_text(f"{header}\n{row}\n")
    return root


def test_other_numbers_are_named_and_can_be_given(tmp_path: Path) -> None:
    volume(tmp_path, "x.nii.gz", IMAGE)
    volume(tmp_path, "m.nii.gz", numbered(OTHER[MASK.voxels]))
    listed(tmp_path, "a,x.nii.gz,m.nii.gz")
    said = "its numbers seem to mean 1 LV cavity, 2 LV myocardium, 3 RV cavity as in mnms and ukbb: "
    assert said in why(tmp_path)
    assert "use --labels mnms" in why(tmp_path)
    one = subject(tmp_path, meaning=Meaning(CONVENTIONS["mnms"]))
    np.testing.assert_array_equal(one.volumes[0].mask, MASK.voxels[0])


def test_mnms_in_the_numbers_of_acdc(tmp_path: Path) -> None:
    write_cine(tmp_path / "A1" / "A1_sa.nii.gz", IMAGE)
    write_cine(tmp_path / "A1" / "A1_sa_gt.nii.gz", MASK)
    (tmp_path / "info.csv").write_text("External code,ED,ES\nA1,0,2\n")
    assert "1 RV cavity, 2 LV myocardium, 3 LV cavity as in acdc: " in why(tmp_path)
    assert "use --labels acdc" in why(tmp_path)
    np.testing.assert_array_equal(
        subject(tmp_path, meaning=Meaning(CONVENTIONS["acdc"])).volumes[0].mask, MASK.voxels[0]
    )


def nnunet_dataset(root: Path, labels: object, mask: Cine = MASK, **more: object) -> Path:
    for frame, phase in (("01", 0), ("12", 2)):
        volume(root, f"imagesTr/patient001_frame{frame}_0000.nii.gz", IMAGE, phase)
        volume(root, f"labelsTr/patient001_frame{frame}.nii.gz", mask, phase)
    (root / "dataset.json").write_text(json.dumps({"labels": labels, **more}))
    return root


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        ({"background": 0, "RV": 1, "MLV": 2, "LVC": 3}, "acdc"),
        ({"0": "background", "1": "RV", "2": "MYO", "3": "LV"}, "acdc"),
        ({"background": 0, "LV": 1, "Myocardium": 2, "RV": 3}, "mnms"),
        ({"background": 0, "left ventricle": 1, "LV-myo": 2, "Right_Ventricle": 3}, "mnms"),
        ({"background": 0, "myo": 1, "lv cavity": 2, "rv cavity": 3}, None),
    ],
)
def test_nnunet_says_itself_what_its_numbers_mean(tmp_path: Path, labels: object, meant: str | None) -> None:
    own = CONVENTIONS[meant] if meant else {1: Label.LV_MYOCARDIUM, 2: Label.LV_CAVITY, 3: Label.RV_CAVITY}
    voxels = np.zeros_like(MASK.voxels)
    for number, label in own.items():
        voxels[MASK.voxels == label] = number
    one = subject(nnunet_dataset(tmp_path, labels, Cine(voxels, MASK.grid)))
    assert getattr(layouts.detect(tmp_path), "NAME", "") == "nnunet"
    assert one.subject_id == "patient001"
    assert [found.name for found in one.volumes] == ["ed", "es"]
    for found, phase in zip(one.volumes, (0, 2), strict=True):
        np.testing.assert_array_equal(found.mask, MASK.voxels[phase])
        np.testing.assert_array_equal(found.image, IMAGE.voxels[phase])
    assert "patient001_frame01_0000" in one.volumes[0].case_ids


def test_nnunet_with_names_at_the_wrong_numbers(tmp_path: Path) -> None:
    labels = {"background": 0, "RV": 1, "Myo": 3, "LV": 2}
    said = why(nnunet_dataset(tmp_path, labels))
    assert "its numbers seem to mean 1 RV cavity, 2 LV myocardium, 3 LV cavity as in acdc" in said
    assert "use --labels acdc, or correct `labels` in dataset.json" in said


@pytest.mark.parametrize(
    ("labels", "more", "said"),
    [
        ({"background": 0, "first": 1, "second": 2}, {}, "label 1 is called 'first'"),
        ({"background": 0, "LV": 1, "left ventricle": 2}, {}, "label 2 is called 'left ventricle'"),
        ({"background": 0, "heart": [1, 2], "LV": 2}, {}, "label [1, 2] is called 'heart'"),
        ({"background": 0, "LV": 1}, {"channel_names": {"0": "cine", "1": "LGE"}}, "2 channels an image"),
    ],
)
def test_nnunet_that_cannot_be_read(tmp_path: Path, labels: object, more: dict[str, object], said: str) -> None:
    nnunet_dataset(tmp_path, labels, **more)
    with pytest.raises(NoInputError, match=said.replace("[", r"\[").replace("]", r"\]")):
        list(layouts.find(tmp_path))


def test_nnunet_with_labels_that_are_given(tmp_path: Path) -> None:
    nnunet_dataset(tmp_path, {"background": 0, "1st": 1, "2nd": 2, "3rd": 3}, numbered(OTHER[MASK.voxels]))
    one = subject(tmp_path, meaning=Meaning(CONVENTIONS["mnms"]))
    np.testing.assert_array_equal(one.volumes[0].mask, MASK.voxels[0])


def test_a_3d_mask_of_a_4d_image(tmp_path: Path) -> None:
    write_cine(tmp_path / "x.nii.gz", IMAGE)
    volume(tmp_path, "m.nii.gz", MASK, 2)
    listed(tmp_path, "a,x.nii.gz,m.nii.gz,ES", "subject,image,mask,phase")
    assert "the image has 4 phases (4D), the mask one (3D); to which phase it belongs is unknown" in why(tmp_path)
    assert "number of its phase, from 0, in the column phase" in why(tmp_path)
    listed(tmp_path, "a,x.nii.gz,m.nii.gz,9", "subject,image,mask,phase")
    assert "there is no phase 9: the image has phases 0 to 3" in why(tmp_path)
    listed(tmp_path, "a,x.nii.gz,m.nii.gz,2", "subject,image,mask,phase")
    [found] = subject(tmp_path).volumes
    assert found.phase == 2
    np.testing.assert_array_equal(found.image, IMAGE.voxels[2])
    np.testing.assert_array_equal(found.mask, MASK.voxels[2])


def test_a_4d_mask_gives_the_phases_that_are_drawn(tmp_path: Path) -> None:
    drawn = MASK.voxels.copy()
    drawn[[1, 3]] = 0
    write_cine(tmp_path / "x.nii.gz", IMAGE)
    write_cine(tmp_path / "m.nii.gz", Cine(drawn, MASK.grid))
    one = subject(listed(tmp_path, "a,x.nii.gz,m.nii.gz"))
    assert [found.phase for found in one.volumes] == [0, 2]
    for found in one.volumes:
        np.testing.assert_array_equal(found.image, IMAGE.voxels[found.phase or 0])
        np.testing.assert_array_equal(found.mask, MASK.voxels[found.phase or 0])


def test_a_patient_of_acdc_whose_frames_are_in_the_cine(tmp_path: Path) -> None:
    folder = tmp_path / "patient001"
    write_cine(folder / "patient001_4d.nii.gz", IMAGE)
    for frame in (1, 3):
        volume(folder, f"patient001_frame{frame:02d}_gt.nii.gz", MASK, frame - 1)
    (folder / "Info.cfg").write_text("ED: 1\nES: 3\n")
    ed, es = subject(tmp_path).volumes
    np.testing.assert_array_equal(ed.image, IMAGE.voxels[0])
    np.testing.assert_array_equal(es.image, IMAGE.voxels[2])


def test_ingest_gives_every_reason_and_in_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    listed(source, "a,x.png,m.png\nb,y.png,m.png")
    assert run(["ingest", str(source), "-o", str(tmp_path / "out")]) == 4
    said = capsys.readouterr().err
    assert all(f"{name}: none of its images can be used" in said for name in "ab")
    assert "inspect" not in said
    assert run(["ingest", str(source), "-o", str(tmp_path / "out"), "--json"]) == 4
    found = json.loads(capsys.readouterr().out)["error"]["reasons"]
    assert [reason.partition(":")[0] for reason in found] == ["a", "b"]
    (source / "my.csv").write_text("who,image,mask\n")
    assert run(["ingest", str(source), "-o", str(tmp_path / "out"), "--json"]) == 4
    seen = capsys.readouterr()
    assert "no column subject" in json.loads(seen.out)["error"]["reasons"][0]
    assert "no column subject" in seen.err


@pytest.mark.parametrize("command", ["ingest", "evaluate"])
def test_labels_without_effect_are_an_error(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], write_source: Callable[[Path], None]
) -> None:
    write_source(tmp_path / "source")
    more = {"ingest": ["-o", str(tmp_path / "out")], "evaluate": [str(tmp_path / "source")]}[command]
    assert run([command, str(tmp_path / "source"), *more, "--labels", "mnms"]) == 2
    assert "--labels has no effect" in capsys.readouterr().err


@pytest.fixture
def write_source() -> Callable[[Path], None]:
    """Masks of one structure each: they have no numbers."""

    def write(root: Path) -> None:
        volume(root, "x.nii.gz", IMAGE)
        volume(root, "m.nii.gz", MASK)
        listed(root, "a,x.nii.gz,m.nii.gz", "subject,image,lv_mask")

    return write


def test_unknown_numbers(tmp_path: Path, write_source: Callable[[Path], None]) -> None:
    write_source(tmp_path)
    with pytest.raises(UsageError, match="has the column mask"):
        list(layouts.find(tmp_path, meaning=Meaning(CONVENTIONS["mnms"])))
    assert relabel(MASK.voxels, CONVENTIONS["acdc"]).max() == Label.LV_CAVITY


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ('{\n "labels": {"background": 0, "LV": 1}', "dataset.json is broken: it is no valid JSON from line 2, column"),
        ("\xff", "dataset.json is broken: it is no valid JSON"),
        ("{}", "dataset.json names no structure besides the background"),
    ],
)
def test_a_broken_card_of_nnunet(tmp_path: Path, reasons: Callable[[Path], str], card: str, said: str) -> None:
    nnunet_dataset(tmp_path, {"background": 0, "RV": 1, "MYO": 2, "LV": 3})
    (tmp_path / "dataset.json").write_text(card, encoding="latin-1")
    told = reasons(tmp_path)
    assert said in told
    assert "NIfTI" not in "".join(line for line in told.splitlines() if line.startswith("nnunet"))


def test_an_nnunet_folder_without_nifti(tmp_path: Path, reasons: Callable[[Path], str]) -> None:
    nnunet_dataset(tmp_path, {"background": 0, "RV": 1, "MYO": 2, "LV": 3})
    for path in (tmp_path / "labelsTr").iterdir():
        path.unlink()
    told = reasons(tmp_path)
    assert "labelsTr holds no NIfTI, NRRD or MetaImage files" in told
    assert "names no structure" not in told
    assert "imagesTr holds" not in told


def test_an_image_of_nnunet_without_a_mask_is_named(tmp_path: Path) -> None:
    nnunet_dataset(tmp_path, {"background": 0, "RV": 1, "MYO": 2, "LV": 3})
    volume(tmp_path, "imagesTr/patient002_frame01_0000.nii.gz", IMAGE)
    skipped, read = read_layout(tmp_path)
    assert skipped == Skipped("imagesTr/patient002_frame01_0000.nii.gz", "it has no mask in labelsTr")
    assert isinstance(read, Subject)


def test_a_reason_that_both_phases_have_is_said_once(tmp_path: Path) -> None:
    folder = tmp_path / "patient001"
    write_cine(folder / "patient001_4d.nii.gz", IMAGE)
    for frame in (1, 3):
        volume(folder, f"patient001_frame{frame:02d}_gt.nii.gz", numbered(OTHER[MASK.voxels]), frame - 1)
    (folder / "Info.cfg").write_text("ED: 1\nES: 3\n")
    assert why(tmp_path).count("use --labels mnms") == 1


@pytest.mark.parametrize("rows", ["", "\n", ",,\n"])
def test_a_table_of_a_header_alone(tmp_path: Path, rows: str) -> None:
    (tmp_path / "my.csv").write_text("subject,image,mask\n" + rows)
    with pytest.raises(NoInputError, match=r"my\.csv has a header but no rows"):
        read_layout(tmp_path)


def test_the_hint_is_of_the_layout_that_was_nearly_met(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("who,image,mask\n")
    with pytest.raises(NoInputError) as caught:
        read_layout(tmp_path)
    assert caught.value.hint.startswith("pairs is a .csv with columns")
    assert "acdc" not in caught.value.hint


def test_one_subject_and_one_slice_are_no_plurals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("x.png", "m.png"):
        imsave(tmp_path / file, np.eye(8, dtype=np.uint8), check_contrast=False)
    listed(tmp_path, "a,x.png,m.png", "subject,image,lv_mask")
    assert run(["ingest", str(tmp_path), "-o", str(tmp_path / "out")]) == 0
    assert "1 subject, 1 labelled slice in " in capsys.readouterr().out


def test_names_of_an_nnunet_card_can_be_given(tmp_path: Path) -> None:
    for folder, name, voxels in (("imagesTr", "a_0000", IMAGE), ("labelsTr", "a", MASK)):
        (tmp_path / folder).mkdir()
        volume(tmp_path / folder, f"{name}.nii.gz", voxels)
    (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "rechts": 1, "muskel": 2, "links": 3}}')
    with pytest.raises(NoInputError, match="label 1 is called 'rechts', which does not tell what structure it is"):
        list(layouts.find(tmp_path))
    names = {"rechts": Structure.OTHER, "muskel": Structure.LV_MYOCARDIUM, "links": Structure.LV_CAVITY}
    [read] = read_layout(tmp_path, meaning=Meaning(names=names))
    assert isinstance(read, Subject)
    expected = np.where(MASK.voxels[0] == Label.RV_CAVITY, Label.BACKGROUND, MASK.voxels[0])
    np.testing.assert_array_equal(read.volumes[0].mask, expected)


def test_names_for_labels_without_names_are_refused(tmp_path: Path) -> None:
    volume(tmp_path, "x.nii.gz", IMAGE)
    volume(tmp_path, "m.nii.gz", MASK)
    listed(tmp_path, "a,x.nii.gz,m.nii.gz")
    with pytest.raises(UsageError, match=r"--structures has no effect: the labels in .* have no names"):
        list(layouts.find(tmp_path, meaning=Meaning(names={})))
