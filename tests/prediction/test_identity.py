"""Who the patient is stays in the scan: nothing that predict writes holds any of it, packed or not."""

import gzip
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import dcmread
from pydicom.dataset import Dataset
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.inference.session import open_model
from cardioseg.phantom import Phantom, write_dicom
from cardioseg.prediction.cohort_prediction import predict_all

NAME, NUMBER = "Zebedee", "31415926535"
TAGS = {
    "PatientName": f"{NAME}^Anna", "PatientID": f"{NAME}{NUMBER}", "PatientBirthDate": "19341123", "PatientAge": "089Y",
    "OtherPatientIDs": f"{NAME}-2", "PatientAddress": f"{NAME} street", "StudyID": f"{NAME}-3", "StudyDate": "20231124",
    "AccessionNumber": f"{NAME}-4", "ReferringPhysicianName": f"{NAME}^Doc", "InstitutionName": f"{NAME} hospital",
    "OperatorsName": f"{NAME}^Op", "StudyDescription": f"{NAME} study", "SeriesDescription": f"{NAME} series",
    "ProtocolName": f"{NAME} protocol", "StationName": NAME, "DeviceSerialNumber": NUMBER,
}  # fmt: skip
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
SECRETS = (NAME.lower(), NUMBER, "19341123", "20231124", "089y")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What predict makes of one good scan and of a black one."""
    folder = tmp_path_factory.mktemp("identity")
    for seed in (1, 2):
        series = write_dicom(Phantom(**{**vars(SMALL), "seed": seed}), folder / "scans")
        for path in series.parent.rglob("*.dcm"):
            dataset = dcmread(path)
            dataset.PixelData = dataset.PixelData if seed == 1 else bytes(len(dataset.PixelData))
            _name(dataset, path)
    model = open_model(write_threshold_model(folder / "model"))
    outcomes = list(predict_all(find_cases([folder / "scans"]), model, folder / "out"))
    assert sorted(outcome.status for outcome in outcomes) == ["done", "failed"]
    return folder / "out"


def _name(dataset: Dataset, path: Path) -> None:
    for keyword, value in TAGS.items():
        setattr(dataset, keyword, value)
    for keyword in UIDS:
        setattr(dataset, keyword, f"1.2.3.{NUMBER}.{str(getattr(dataset, keyword))[-20:].lstrip('.0')}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path)


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes of a file, and of what is packed in it."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from unpacked(gzip.decompress(content))
    for text in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield from unpacked(b64decode(text))
    for packed in re.findall(rb"(?:zTXt|iTXt|iCCP)[^\0]*\0.(.*)", content, re.DOTALL):
        yield zlib.decompressobj().decompress(packed)


def holds_identity(content: bytes) -> bool:
    return any(secret.encode() in part.lower() for part in unpacked(content) for secret in SECRETS)


def test_nothing_that_is_written_holds_it(out: Path) -> None:
    written = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".gz", ".json", ".csv", ".html", ".png", ".gif"}
    assert not [path.name for path in written if holds_identity(path.read_bytes())]
    assert not [path for path in out.rglob("*") if holds_identity(path.name.encode())]


def test_pictures_hold_nothing_but_pixels(out: Path) -> None:
    pictures = [*out.rglob("*.png"), *out.rglob("*.gif")]
    assert len(pictures) == 2
    for path in pictures:
        with Image.open(path) as picture:
            assert set(picture.info) <= {"version", "background", "loop", "duration", "extension", "transparency"}


def test_it_would_be_found(tmp_path: Path) -> None:
    plain = f"x {NAME}^Anna".encode()
    for content in (plain, gzip.compress(plain), b"data:x;base64," + b64encode(gzip.compress(plain))):
        assert holds_identity(content)
    info = PngInfo()
    info.add_text("Title", f"{NAME}^Anna", zip=True)
    Image.new("L", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert holds_identity((tmp_path / "a.png").read_bytes())
    assert not holds_identity(b"nothing")
