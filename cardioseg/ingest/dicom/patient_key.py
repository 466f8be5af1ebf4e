"""Patient key: tells whether DICOM files belong to the same patient, without showing the PatientID of any of them."""

import hmac
import secrets
from pathlib import Path

from pydicom import dcmread

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.reader import boundary

_SECRET = secrets.token_bytes(32)  # a new one in each process: keys are never written, and mean nothing elsewhere


def patient_key(path: Path) -> str:
    """A keyed hash of the PatientID; "" if the file has none or cannot be read.

    Keys can be compared only within one process. Two files have the same key if they have the same PatientID.

    Args:
        path: any image of the scan.
    """
    try:
        with boundary(path), open_file(path) as file:
            tags = dcmread(bounded(file), stop_before_pixels=True, force=True, specific_tags=["PatientID"])
            value = str(tags.get("PatientID") or "").strip(" \0")
    except UnusableError:
        return ""
    return hmac.digest(_SECRET, value.encode(errors="surrogatepass"), "sha256").hex() if value else ""
