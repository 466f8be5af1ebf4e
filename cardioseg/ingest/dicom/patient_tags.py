"""Patient tags: sex and age from a DICOM file. They are read only if a user asks for it."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError
from cardioseg.image.plausible_ranges import AGE_YEARS
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.reader import boundary

_PER_YEAR: Mapping[str, float] = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}
_AGE = re.compile(r"(\d{1,3})([YMWD])")
_TAGS = ["PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "AcquisitionDate"]


def read_sex_and_age(path: Path) -> tuple[str | None, float | None]:
    """The sex (`F` or `M`) and the age in years at the scan; None for what is not known or impossible.

    The age is that of the tag, or the time from the date of birth to that of the study.

    Args:
        path: any image of the scan.
    """
    try:
        with boundary(path), open_file(path) as file:
            tags = dcmread(bounded(file), stop_before_pixels=True, force=True, specific_tags=_TAGS)
            return _sex(tags), _age_years(tags)
    except UnusableError:
        return None, None


def _sex(tags: Dataset) -> str | None:
    sex = str(tags.get("PatientSex") or "").strip().upper()
    return sex if sex in {"F", "M"} else None


def _age_years(tags: Dataset) -> float | None:
    stated = _AGE.fullmatch(str(tags.get("PatientAge") or "").strip().upper())
    if stated:
        age = int(stated[1]) / _PER_YEAR[stated[2]]
    else:
        born, scanned = _day(tags, "PatientBirthDate"), _day(tags, "StudyDate") or _day(tags, "AcquisitionDate")
        if born is None or scanned is None:
            return None
        age = (scanned - born).days / _PER_YEAR["D"]
    return age if AGE_YEARS.hold(age) else None


def _day(tags: Dataset, keyword: str) -> date | None:
    text = str(tags.get(keyword) or "").strip().replace(".", "")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
