"""Sex and age from DICOM: as stated, from two dates, or not at all."""

from pathlib import Path

import pytest
from pydicom import dcmread
from small_phantoms import TINY

from cardioseg.ingest.dicom.patient_tags import read_sex_and_age
from cardioseg.phantom import write_dicom


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sorted(write_dicom(TINY, tmp_path_factory.mktemp("scan")).iterdir())[0]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PatientSex": "F", "PatientAge": "061Y"}, ("F", 61)),
        ({"PatientSex": "M", "PatientAge": "018M"}, ("M", 1.5)),
        ({"PatientSex": "M", "PatientAge": "026W"}, ("M", 26 * 7 / 365.25)),
        ({"PatientSex": "O", "PatientAge": "061Y"}, (None, 61)),
        ({"PatientSex": "", "PatientAge": ""}, (None, None)),
        ({"PatientSex": "F", "PatientBirthDate": "19600102", "StudyDate": "20220102"}, ("F", 62)),
        ({"PatientBirthDate": "19600102", "StudyDate": "", "AcquisitionDate": "20220102"}, (None, 62)),
        ({"PatientBirthDate": "19600102", "StudyDate": ""}, (None, None)),
        ({"PatientBirthDate": "00000000", "StudyDate": "20220102"}, (None, None)),
        ({"PatientBirthDate": "18000101", "StudyDate": "20220102"}, (None, None)),
        ({"PatientBirthDate": "20230101", "StudyDate": "20220102"}, (None, None)),
        ({"PatientAge": "sixty"}, (None, None)),
    ],
)
@pytest.mark.filterwarnings("ignore")  # pydicom warns of values that are none of their kind
def test_what_the_tags_say(
    tags: dict[str, str], expected: tuple[str | None, float | None], image: Path, tmp_path: Path
) -> None:
    dataset = dcmread(image)
    for keyword in ("PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "AcquisitionDate"):
        if keyword in dataset:
            del dataset[keyword]
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "image.dcm")
    sex, age = read_sex_and_age(tmp_path / "image.dcm")
    assert sex == expected[0]
    assert age == (None if expected[1] is None else pytest.approx(expected[1], abs=0.01))


def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "image.dcm").write_bytes(b"no image")
    assert read_sex_and_age(tmp_path / "image.dcm") == (None, None)
    assert read_sex_and_age(tmp_path / "gone.dcm") == (None, None)
