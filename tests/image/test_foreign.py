"""Files of other formats: a person is told what they are and what to do, wherever they are given."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from cardioseg.cli.app import run
from cardioseg.phantom import Phantom, write_dicom

ITEM = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 900, (4, 12, 10)).astype(np.int16))


def made(folder: Path, kind: str) -> Path:
    """A folder with files of one other format."""
    folder.mkdir(parents=True)
    if kind == "pair.img":
        sitk.WriteImage(ITEM, str(folder / kind))
        (folder / "pair.hdr").unlink()
    elif kind in {"scan.zip", "scene.mrb"}:
        with zipfile.ZipFile(folder / kind, "w") as archive:
            archive.writestr("IM-0001.dcm", bytes(900))
    elif kind == "scan.dcm.gz":
        (folder / kind).write_bytes(gzip.compress(bytes(900)))
    elif kind == "scan.mat":
        (folder / kind).write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128) + bytes(99))
    elif kind == "slice.png":
        Image.fromarray(np.eye(9, dtype=np.uint8)).save(folder / kind)
    elif kind == "scan.npy":
        np.save(folder / kind, np.eye(9))
    elif kind == "DICOMDIR":
        meta = bytes.fromhex("02000200") + b"UI" + (20).to_bytes(2, "little") + b"1.2.840.10008.1.3.10"
        (folder / kind).write_bytes(bytes(128) + b"DICM" + meta + b"\0" * 40)
    return folder


KINDS = {
    "pair.img": ("one half of a NIfTI pair", "keep both files in one folder, with the same name, and give the .hdr"),
    "scene.mrb": ("a zip archive", "unpack it and give the folder"),
    "scan.dcm.gz": ("packed with gzip", "unpack it and give the folder"),
    "scan.mat": ("a MATLAB file", "save its volume as NIfTI with niftiwrite"),
    "slice.png": ("a PNG picture", "give the DICOM or NIfTI files that it was made from"),
    "scan.npy": ("a NumPy array", "give the DICOM or NIfTI files that it was made from"),
    "DICOMDIR": ("a DICOMDIR, which lists files but holds no images", "the files that it lists must lie in its folder"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_file", [False, True])
def test_every_command_says_what_it_is_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, is_file: bool
) -> None:
    folder = made(tmp_path / "given", kind)
    given, out = str(folder / kind if is_file else folder), str(tmp_path / "out")
    what, remedy = KINDS[kind]
    for command in (
        ["predict", given, "-o", out],
        ["inspect", given],
        ["measure", given, "-o", out],
        ["evaluate", given, given, "-o", out],
    ):
        assert run(command) == 4
        said = capsys.readouterr().err
        assert what in said, command
        assert remedy in said, command
        assert "damaged" not in said, command


@pytest.mark.parametrize("is_file", [False, True])
def test_masks_are_not_read_from_archives(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_file: bool) -> None:
    folder = made(tmp_path / "given", "scan.zip")
    given, out = str(folder / "scan.zip" if is_file else folder), str(tmp_path / "out")
    for command in (["measure", given, "-o", out], ["evaluate", given, given, "-o", out]):
        assert run(command) == 4
        said = capsys.readouterr().err
        assert "a zip archive" in said
        assert "unpack it and give the folder" in said


def test_a_nifti_file_by_the_name_of_another_format_is_recognised() -> None:
    from cardioseg.image.foreign_formats import foreign_content

    stream = io.BytesIO()
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(stream, "PNG")
    assert foreign_content("a.nii", stream.getvalue()) == foreign_content("a.png", stream.getvalue())


@pytest.mark.parametrize("content", [b"", b"\0", b"notes", bytes(2000)])
def test_what_is_nothing_known_is_nothing_foreign(tmp_path: Path, content: bytes) -> None:
    from cardioseg.image.foreign_formats import foreign

    (tmp_path / "notes.txt").write_bytes(content)
    assert foreign(tmp_path / "notes.txt") is None
    assert foreign(tmp_path) is None


def test_dicom_and_nifti_are_not_foreign(tmp_path: Path) -> None:
    from cardioseg.image.foreign_formats import foreign

    write_dicom(
        Phantom(slices=5, phases=1, rows=16, columns=16, spacing_mm=(16.0, 9.0, 9.0), ed_phase=0), tmp_path / "d"
    )
    assert all(foreign(path) is None for path in (tmp_path / "d").rglob("*.dcm"))


def test_inspect_says_it_in_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(made(tmp_path / "given", "scene.mrb")), "--json"]) == 4
    assert "a zip archive: unpack it and give the folder" in json.loads(capsys.readouterr().out)["error"]["hint"]
