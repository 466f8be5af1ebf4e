"""Nothing of who a patient is gets out: not into results, messages, errors, nor with the names that users give."""

import contextlib
import io
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from canaries import CONFIDENTIAL, MARK, holds_canary, sing
from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from small_phantoms import SMALL, TINY
from thresholds import write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.cases.hashed_names import Hashed
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.phantom import Phantom, Vendor, enhanced_instance, write_dicom, write_sunnybrook
from cardioseg.results.folder import ResultsFolder

HOSTILE = (
    "../../../escaped", "/etc/passwd", "..", ".", "a/b", "a\\b", "C:\\x", "\\\\server\\share", "con", "nul", "-rf", "~",
    "a\nb", "a\rb", "\x1b[31mred", "\u202egnp", "😀", "é", "a" * 64, "$(touch escaped)", "`id`", ";ls", "|cat", "&",
    "%2e%2e%2f", "a b", " lead", "trail ", "trail.", "'", '"', "<script>", "{{7*7}}", "${HOME}", "%s%n", "=1+1", "@x",
    "*", "?", "[a]", "#", "!", "a:b", "a,b", "report.html", "status.csv", "case.json", ".hidden", "LPT1", "COM1.txt",
)  # fmt: skip


def cardioseg(*arguments: object) -> tuple[int, str]:
    """Run a command in this process; its exit code and all that it prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run([*map(str, arguments)])
    return code, said.getvalue()


def rewritten(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.dcm")):
        dataset = dcmread(path)
        sing(dataset)
        dataset.save_as(path)
        yield path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_threshold_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good case, one that cannot be stacked, one with no image in it, and damaged files: all full of canaries."""
    folder = tmp_path_factory.mktemp("hospital") / "scans"
    write_dicom(SMALL, folder)
    for seed in (2, 3):
        series = write_dicom(Phantom(**{**vars(SMALL), "seed": seed}), folder, Vendor.ENHANCED)
        (path,) = series.iterdir()
        dataset = dcmread(path)
        frames = dataset.PerFrameFunctionalGroupsSequence
        if seed == 2:  # the same slice and phase twice
            frames[1].PlanePositionSequence, frames[1].CardiacSynchronizationSequence = (
                frames[0].PlanePositionSequence, frames[0].CardiacSynchronizationSequence
            )  # fmt: skip
        else:
            dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(path)
    whole = [path.read_bytes() for path in rewritten(folder)][-1]
    for number, length in enumerate((140, 200, 400, 1000, len(whole) // 2, len(whole) - 9)):
        (folder / f"cut-{number}.dcm").write_bytes(whole[:length])
    return folder


def written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_list_is_that_of_the_standard() -> None:
    assert len(CONFIDENTIAL) > 600
    assert {"PatientName", "PatientID", "DeviceSerialNumber", "AccessionNumber", "RequestAttributesSequence"} <= set(
        CONFIDENTIAL
    )


def test_canaries_are_there_and_would_be_found(scans: Path) -> None:
    assert all(holds_canary(path.read_bytes()) for path in scans.rglob("IM-*.dcm"))


def test_nothing_gets_out_of_predict(scans: Path, model: Path, tmp_path: Path) -> None:
    code, said = cardioseg("predict", scans, "-o", tmp_path / "out", "-m", model, "--json")
    assert code == 3
    assert json.loads(said[said.index("{\n") : said.rindex("\n}") + 2])["cases"] == {
        "done": 1,
        "failed": 2,
        "flagged": 1,
    }
    assert not holds_canary(said.encode())
    assert len(written(tmp_path / "out")) >= 9
    assert not [path.name for path in written(tmp_path / "out") if holds_canary(path.read_bytes())]


def test_nothing_gets_out_of_inspect_and_ingest(scans: Path, tmp_path: Path) -> None:
    code, said = cardioseg("inspect", scans)
    assert code == 0
    assert not holds_canary(said.encode())
    write_sunnybrook([SMALL], tmp_path / "labelled")
    assert len(list(rewritten(tmp_path / "labelled"))) == SMALL.slices * SMALL.phases
    code, said = cardioseg("ingest", tmp_path / "labelled", "-o", tmp_path / "dataset")
    assert code == 0
    assert not holds_canary(said.encode())
    assert not [path.name for path in written(tmp_path / "dataset") if holds_canary(path.read_bytes())]


def test_names_of_the_user_stay_out_where_that_is_asked_for(scans: Path, model: Path, tmp_path: Path) -> None:
    named = tmp_path / f"{MARK} clinic's"
    named.mkdir()
    for patient in sorted(scans.glob("PHANTOM-*")):
        (named / f"{MARK}-{patient.name}").symlink_to(patient)  # links are named, not followed
        (named / f"{MARK} of {patient.name[-1]}").mkdir()
        for path in (patient / "study" / "sax_cine").iterdir():
            (named / f"{MARK} of {patient.name[-1]}" / f"{MARK}{path.name}").write_bytes(path.read_bytes())
    (named / "zz").mkdir()
    (named / "zz" / f"{MARK} copy.dcm").write_bytes(next(scans.rglob("sax_cine/*.dcm")).read_bytes())
    out = tmp_path / "out"
    options = ("-m", model, "--names", "hash", "--no-paths", "--format", "nifti")
    code, _ = cardioseg("predict", named, "-o", out, *options)
    assert code == 3
    assert not [path for path in out.rglob("*") if MARK.lower() in path.name.lower()]
    assert not [path.name for path in written(out) if holds_canary(path.read_bytes())]
    folders = [path.name for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")]
    assert all(re.fullmatch(r"case-[0-9a-f]{12}", name) for name in folders)
    register = ResultsFolder(out).names
    assert stat.S_IMODE(register.stat().st_mode) == 0o600
    own = json.loads(register.read_text())["cases"]
    assert sorted(own.values()) == [f"{MARK}_of_{seed}" for seed in (1, 2, 3)]
    assert set(folders) <= set(own)
    before = (out / folders[0] / "case.json").stat().st_mtime_ns
    assert cardioseg("predict", named, "-o", out, *options)[0] == 3
    assert (out / folders[0] / "case.json").stat().st_mtime_ns == before  # the names are the same: it is done
    assert cardioseg("measure", out, "-o", tmp_path / "measured", "-q")[0] == 0


def test_a_damaged_register_is_refused(scans: Path, tmp_path: Path) -> None:
    findings = find_cases([scans])
    for content in ("", "{}x", "[]", '{"key": 5}', '{"key": "zz", "cases": {}}', '{"key": "00", "cases": []}'):
        ResultsFolder(tmp_path / "out").names.write_text(content)
        with pytest.raises(UsageError, match="--names hash did not write this file"):
            Hashed(findings, tmp_path / "out")
    code, said = cardioseg("predict", scans, "-o", tmp_path / "out", "--names", "secret")
    assert (code, "--names 'secret' is unknown" in said) == (2, True)


def hostile_values() -> list[str]:
    return [*HOSTILE, *(f"{value}/../{value}" for value in HOSTILE)]


@pytest.mark.filterwarnings("ignore")  # pydicom's, of what is written here
@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_hostile_values_of_tags_name_nothing(tmp_path: Path, step: int) -> None:
    """A hundred values, each in every id-like tag at once, become names of the folders they lie in."""
    dataset = enhanced_instance(TINY, np.arange(8 * 5 * 256, dtype=np.int16).reshape(8, 5, 16, 16))
    dataset.preamble = bytes(128)
    for number, value in enumerate(hostile_values()[::step]):
        for keyword in (
            "PatientID", "PatientName", "StudyID", "AccessionNumber", "SeriesDescription", "StudyDescription",
            "ProtocolName", "StationName", "InstitutionName", "DeviceSerialNumber", "StudyInstanceUID",
            "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "OtherPatientIDs", "ImageComments",
        ):  # fmt: skip
            _set(dataset, keyword, value)
        (tmp_path / f"{number:03d}").mkdir()
        dataset.save_as(tmp_path / f"{number:03d}" / "a.dcm", enforce_file_format=False)
    cases = find_cases([tmp_path]).cases
    assert [case.case_id for case in cases] == [f"{number:03d}" for number in range(100 // step)]


def _set(dataset: Dataset, keyword: str, value: str) -> None:
    """Set what pydicom would not let through."""
    tag, content = Tag(keyword), value.encode()
    content += b" " * (len(content) % 2)
    dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(content), content, 0, False, True)


def test_hostile_folder_names_stay_within_out(model: Path, tmp_path: Path) -> None:
    scans = tmp_path / "deep" / "scans"
    (source,) = write_dicom(SMALL, tmp_path / "source", Vendor.ENHANCED).iterdir()
    for number, name in enumerate((os.fsdecode(b"caf\xe9\n"), "\u202e😀", "-rf ~", "$(touch escaped)")):
        (scans / name).mkdir(parents=True)
        dataset = dcmread(source)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, f"{str(dataset[keyword].value)[:-1]}{number}")
        dataset.save_as(scans / name / source.name)
    before = set(tmp_path.rglob("*"))
    code, _ = cardioseg("predict", scans, "-o", tmp_path / "deep" / "out", "-m", model, "-q")
    assert code == 0
    new = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "deep" / "out") for path in new)
    names = {path.name for path in (tmp_path / "deep" / "out").iterdir() if path.is_dir()}
    assert names == {"caf", "case", "rf", "touch_escaped"}
