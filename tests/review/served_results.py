"""Served results: small cases that `predict` wrote, and `cardioseg review`: as a user starts it, or in this process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.phantom import cine, write_dicom
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.page_server import serving

NOTCH_SLICE = 2
PLAIN = ("-q", "--format", "nifti")  # no pictures, which take most of the time
ROOT = Path(__file__).parents[2]


def write_results(folder: Path) -> Path:
    """Four cases: `dicom` is DICOM, `notched` has a dark spot in its heart, `still` is 3D, `broken` is no image."""
    scans, out = folder / "scans", folder / "results"
    write_dicom(SMALL, scans / "dicom")
    notched = cine(SMALL)
    middle = [size // 2 for size in notched.grid.shape[1:]]
    notched.voxels[2:5, NOTCH_SLICE, middle[0] - 4 : middle[0] + 1, middle[1] - 3 : middle[1] + 5] = 0
    write_cine(scans / "notched.nii.gz", notched)
    write_volume(scans / "still.nii.gz", cine(replace(SMALL, seed=3)).phase(0))
    write_cine(scans / "broken.nii.gz", replace(cine(SMALL), voxels=np.zeros_like(notched.voxels)))
    model = write_threshold_model(folder / "model")
    assert run(["predict", str(scans), "-o", str(out), "-m", str(model), *PLAIN]) == 3
    return out


@dataclass(frozen=True)
class Answer:
    """What was answered to a request."""

    status: int
    headers: HTTPMessage
    content: bytes


@dataclass(frozen=True)
class Served:
    """A running `cardioseg review`.

    Attributes:
        process: which ends with the test; None: this one.
        address: of the page, with its secret.
    """

    process: subprocess.Popen[str] | None
    address: str

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port
        return port

    @property
    def token(self) -> str:
        return urlsplit(self.address).fragment

    def ask(self, path: str, method: str = "GET", token: str | None = None, **headers: str) -> Answer:
        """The answer to a request; `headers` are added, with `_` for `-`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        secret = {"authorization": f"Bearer {self.token if token is None else token}"}
        try:
            connection.request(method, path, headers=secret | named)
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it; its exit code, and what it still said."""
        assert self.process
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def hear_ctrl_c() -> None:
    """In a child: Ctrl-C counts, although a shell that starts the tests in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start `cardioseg review` without a browser."""
    command = [sys.executable, "-m", "cardioseg", "review", *map(str, arguments), "--no-browser"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    options: dict[str, Any] = {"env": os.environ | {"PYTHONPATH": path}, "preexec_fn": hear_ctrl_c}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


@contextmanager
def served(*arguments: str | Path) -> Iterator[Served]:
    """A running `cardioseg review`, which is ended."""
    process = start(*arguments)
    assert process.stderr
    try:
        address = process.stderr.readline().strip()
        assert address.startswith("http://127.0.0.1:"), address + process.stderr.read()
        yield Served(process, address)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def served_here(results: Path) -> Iterator[Served]:
    """The server of `cardioseg review` in a thread: a process of its own takes a second to start."""
    with serving(ResultsFolder(results)) as (address, _):
        yield Served(None, address)
