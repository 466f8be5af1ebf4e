"""Exports in zip files: what is found in them, what it is called, and what is said of the rest."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from small_phantoms import SIX_SLICES, SMALL, TINY
from zips import write_zip, zip_folder

from cardioseg.cases.case_search import Search, find_cases
from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import cine, write_dicom


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three studies, each in a folder that is called like its patient."""
    base = tmp_path_factory.mktemp("folders")
    for number in range(3):
        write_dicom(replace(SMALL, seed=number + 1), base / f"{number}" / "DOE^JANE")
    return [base / f"{number}" for number in range(3)]


def names(*sources: Path) -> list[str]:
    return sorted(case.case_id for case in find_cases(sources).cases)


def test_a_zip_holds_the_series_of_its_folder(folders: list[Path], tmp_path: Path) -> None:
    archive = zip_folder(folders[0], tmp_path / "export.zip")
    in_folder, in_zip = survey(folders[0]), survey(archive)
    assert [str(series.folder.relative_to(archive)) for series in in_zip.series] == [
        str(series.folder.relative_to(folders[0])) for series in in_folder.series
    ]
    assert [series.reason for series in in_zip.series] == [series.reason for series in in_folder.series]
    stacks = in_zip.cines[0].stack, in_folder.cines[0].stack
    assert stacks[0]
    assert stacks[1]
    assert (stacks[0].read().voxels == stacks[1].read().voxels).all()
    assert in_zip.unused == ()


def test_a_zip_with_one_case_gives_it_its_name(folders: list[Path], tmp_path: Path) -> None:
    """Not the folder in it, whose name is often the patient's."""
    first = zip_folder(folders[0], tmp_path / "20209" / "1001_20209_2_0.zip")
    second = zip_folder(folders[1], tmp_path / "20209" / "1002_20209_2_0.ZIP")
    assert names(first) == ["1001_20209_2_0"]
    assert names(first, second) == names(tmp_path) == ["1001_20209_2_0", "1002_20209_2_0"]
    assert names(first, first) == ["1001_20209_2_0"]


def test_a_zip_with_several_cases_names_them_by_its_folders(folders: list[Path], tmp_path: Path) -> None:
    archive = zip_folder_of(tmp_path, folders[:2])
    assert names(archive) == ["patient0", "patient1"]
    zip_folder(folders[2], tmp_path / "both" / "other.zip")
    archive.rename(tmp_path / "both" / archive.name)
    assert names(tmp_path / "both") == ["batch_patient0", "batch_patient1", "other"]


def zip_folder_of(out: Path, folders: list[Path]) -> Path:
    files = {
        f"patient{number}/{file.relative_to(folder)}": file.read_bytes()
        for number, folder in enumerate(folders)
        for file in folder.rglob("*.dcm")
    }
    return write_zip(out / "batch.zip", files)


def test_zips_beside_loose_files_and_copies(folders: list[Path], tmp_path: Path) -> None:
    zip_folder(folders[0], tmp_path / "a.zip")
    zip_folder(folders[0], tmp_path / "b.zip")
    zip_folder(folders[1], tmp_path / "c.zip")
    write_dicom(replace(SIX_SLICES, seed=9), tmp_path / "loose")
    (tmp_path / "loose" / "z.zip").symlink_to(tmp_path / "a.zip")
    found = find_cases([tmp_path])
    assert [case.case_id for case in found.cases] == ["a", "c", "loose"]
    copy, link = sorted(found.unused, key=lambda item: item.where)
    assert link.why == "a symbolic link, not followed"
    assert copy.where == str(tmp_path / "b.zip")
    assert copy.why.startswith("none of its 43 files is used; the first is DOE^JANE/")
    assert ": a copy of " in copy.why
    for case in found.cases:
        assert case.read().phases == 8


def test_a_study_in_two_zips_is_one_study(folders: list[Path], tmp_path: Path) -> None:
    """UK Biobank has a zip for each field; other archives one for each series."""
    files = sorted((folders[0]).rglob("*.dcm"))
    for number in (0, 1):
        write_zip(
            tmp_path / f"{number}.zip",
            {
                file.name: file.read_bytes()
                for file in files
                if "sax" in str(file) and int(file.stem[-4:]) % 2 == number
            },
        )
    (case,) = find_cases([tmp_path]).cases
    assert case.read().voxels.shape == (8, 5, 48, 40)


def test_a_folder_in_a_zip_and_a_single_file_can_be_given(folders: list[Path], tmp_path: Path) -> None:
    archive = zip_folder(folders[0], tmp_path / "export.zip")
    (case,) = find_cases([archive]).cases
    (again,) = find_cases([case.source]).cases
    assert again.fingerprint() == case.fingerprint()
    assert run(["inspect", str(case.files[0])]) == 0
    assert run(["inspect", str(archive / "nowhere")]) == 4


@pytest.mark.slow
def test_a_zip_of_deep_folders(folders: list[Path], tmp_path: Path) -> None:
    files = {"a/" * 450 + file.name: file.read_bytes() for file in folders[0].rglob("sax_cine/*.dcm")}
    assert names(write_zip(tmp_path / "in" / "deep.zip", files)) == names(tmp_path / "in") == ["deep"]


def test_a_link_to_a_zip_can_be_given(folders: list[Path], tmp_path: Path) -> None:
    archive = zip_folder(folders[0], tmp_path / "1234.zip")
    (tmp_path / "current.zip").symlink_to(archive)
    (case,) = find_cases([tmp_path / "current.zip"]).cases
    assert (case.case_id, case.read().phases) == ("1234", 8)


def test_volume_files_in_a_zip(tmp_path: Path) -> None:
    """ACDC's form, a MetaImage in two files, and nnU-Net's channels."""
    scan = cine(SMALL)
    write_cine(tmp_path / "scan.nii.gz", scan)
    content = (tmp_path / "scan.nii.gz").read_bytes()
    head = "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 12 10 6\nElementSpacing = 2 2 8\n"
    pixels = bytes(Random(0).randbytes(1440))  # noqa: S311
    archive = write_zip(
        tmp_path / "in" / "patient.zip",
        {
            "patient001/patient001_4d.nii.gz": content,
            "patient001/patient001_4d_gt.nii.gz": content,
            "patient001/Info.cfg": b"ED: 1\nHeight: 180.0\nWeight: 81.0\n",
            "mhd/still.mhd": f"{head}ElementType = MET_USHORT\nElementDataFile = still.raw\n".encode(),
            "mhd/still.raw": pixels,
            "nnunet/imagesTr/case_0000.nii.gz": content,
            "nnunet/imagesTr/case_0001.nii.gz": content,
        },
    )
    found = find_cases([archive])
    assert sorted(case.case_id for case in found.cases) == ["case", "patient001_4d", "still"]
    by_name = {case.case_id: case for case in found.cases}
    assert (by_name["patient001_4d"].read().voxels == scan.voxels).all()
    assert by_name["still"].read().voxels.shape == (1, 6, 10, 12)
    assert [Path(item.where).name for item in found.unused] == ["case_0001.nii.gz"]

    assert (by_name["patient001_4d"].acquisition.height_m, by_name["case"].acquisition.height_m) == (1.8, None)


def test_reference_masks_alone_in_a_zip_are_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = write_zip(tmp_path / "a.zip", {"x_gt.nii.gz": b"x"})
    assert run(["predict", str(archive), "-o", str(tmp_path / "out")]) == 4
    assert "only reference masks (*_gt)" in capsys.readouterr().err


def test_inspect_names_what_is_not_read(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = tmp_path / "scans"
    zip_folder(folders[0], scans / "good.zip")
    write_zip(scans / "code.zip", {"a.py": b"print()", "b.py": b"", ".DS_Store": b""})
    whole = write_zip(scans / "half.zip", {"a.dcm": bytes(9999)}, zipfile.ZIP_STORED).read_bytes()
    (scans / "half.zip").write_bytes(whole[:5000])
    with zipfile.ZipFile(scans / "good.zip", "a") as archive:
        archive.writestr("inner.zip", b"PK\3\4")
        archive.writestr("../../up.dcm", b"x")
        archive.writestr("manifest.csv", b"filename\n")
    (scans / "linked.zip").symlink_to(scans / "good.zip")
    assert run(["inspect", str(scans), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [series["kind"] for series in document["series"]] == ["localizer", "short-axis cine"]
    assert {item["where"].removeprefix(f"{scans}/"): item["why"] for item in document["unused"]} == {
        "code.zip": "none of its 3 files is used; the first is .DS_Store: not a DICOM file",
        "half.zip": "a zip archive that is incomplete, damaged or one part of several: copy it again, or unpack it",
        "good.zip/inner.zip": "a zip archive in a zip archive: unpack the outer one and give the folder",
        "good.zip/manifest.csv": "not a DICOM file",
        "good.zip/up.dcm": "its path in the archive is absolute, leads out of it or is too long: unpack "
        "the archive and give the folder",
        "linked.zip": "a symbolic link, not followed",
    }


def test_a_zip_in_or_beside_results_holds_no_scans(folders: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "scans" / "out"
    zip_folder(folders[0], tmp_path / "scans" / "a.zip")
    zip_folder(folders[1], out / "pack.zip")
    zip_folder(folders[1], tmp_path / "scans" / "old" / "pack.zip")
    (tmp_path / "scans" / "old" / "case.json").write_text("{}")
    assert [case.case_id for part in Search([tmp_path / "scans"], out) for case in part.cases] == ["a"]
    files = {f"case/{number}.dcm": file.read_bytes() for number, file in enumerate(folders[1].rglob("*.dcm"))}
    write_zip(tmp_path / "shared" / "results.zip", files | {"case/case.json": b"{}"})
    write_zip(tmp_path / "shared" / "scans.zip", files)
    assert names(tmp_path / "shared") == ["scans"]


def test_a_dicomdir_stands_for_its_folder(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = bytes.fromhex("02000200") + b"UI" + (20).to_bytes(2, "little") + b"1.2.840.10008.1.3.10"
    listing = bytes(128) + b"DICM" + meta + b"\0" * 40
    files = {f"DICOM/{number}": file.read_bytes() for number, file in enumerate(sorted(folders[0].rglob("*.dcm")))}
    for name, content in (files | {"DICOMDIR": listing}).items():
        (tmp_path / "disc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "disc" / name).write_bytes(content)
    assert names(tmp_path / "disc" / "DICOMDIR") == names(tmp_path / "disc") == ["DICOM"]
    assert run(["inspect", str(tmp_path / "disc" / "DICOMDIR")]) == 0
    assert "DICOMDIR, which lists files but holds no images" in capsys.readouterr().err
    archive = write_zip(tmp_path / "disc.zip", files | {"DICOMDIR": listing})
    assert names(archive / "DICOMDIR") == names(archive) == ["disc"]


def test_ingest_says_that_labels_are_read_from_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = write_zip(tmp_path / "labelled.zip", {"patient001/Info.cfg": b""})
    assert run(["ingest", str(archive), "-o", str(tmp_path / "out")]) == 4
    said = capsys.readouterr().err
    assert "a zip archive; labelled data are read from folders" in said
    assert "unpack it and give the folder" in said


def test_mutants_of_a_zipped_study_give_findings_or_a_clear_error(tmp_path: Path) -> None:
    write_dicom(replace(TINY, phases=2), tmp_path / "study")
    original = zip_folder(tmp_path / "study", tmp_path / "a.zip").read_bytes()
    random = Random(0)  # noqa: S311
    counts = set()
    for number in range(150):
        changed = bytearray(original)
        for _ in range(random.randrange(1, 30)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        archive = tmp_path / f"mutant{number % 2}.zip"
        archive.write_bytes(changed)
        found = survey(archive)
        counts.add((sum(len(series.files) for series in found.series), len(found.unused)))
        assert all(item.why for item in found.unused)
    assert len(counts) > 9
