"""Fuzz: the DICOM and NIfTI doors under atheris, guided by the coverage of cardioseg and pydicom.

    pip install atheris
    python tests/adversarial/fuzz.py dicom CORPUS -max_total_time=600 -rss_limit_mb=1024 -timeout=5

CORPUS is a folder; where it is empty, the phantom's files are written into it. Everything behind it goes to libFuzzer:
a crash, a hang or too much memory leaves its input as `crash-*`, `timeout-*` or `oom-*` in the current folder.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cardioseg", "pydicom"]):
    from campaign import DOORS

    from cardioseg.errors import UnusableError


def main() -> None:
    kind, corpus = sys.argv[1], Path(sys.argv[2])
    read, write_originals = DOORS[kind]
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:  # TMPDIR=/dev/shm spares the disk
        if not any(corpus.iterdir()):
            for number, (content, _) in enumerate(write_originals(Path(scratch) / "originals")):
                (corpus / str(number)).write_bytes(content)
        path = Path(scratch) / ("input.nii.gz" if kind == "nifti" else "input.dcm")  # packed or not: read either way

        def one(content: bytes) -> None:
            path.write_bytes(content)
            with suppress(UnusableError):
                read(path)

        atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
