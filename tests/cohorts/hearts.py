"""A cohort of small hearts, and what is to be the same whoever segments it."""

import json
import re
from pathlib import Path
from typing import Any

from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, cine

SIZE: dict[str, Any] = {"slices": 5, "phases": 2, "rows": 40, "columns": 40, "spacing_mm": (16.0, 6.0, 6.0)}
_TIMINGS = {"seconds", "seconds_by_case"}


def write_hearts(folder: Path, count: int, different: int = 5) -> Path:
    """So many NIfTI files, some of them alike."""
    contents: dict[int, bytes] = {}
    for number in range(count):
        path = folder / f"heart-{number:02d}.nii.gz"
        seed = 1 + number % different
        if seed not in contents:
            write_cine(path, cine(Phantom(seed=seed, **SIZE)))
            contents[seed] = path.read_bytes()
        path.write_bytes(contents[seed])
    return folder


def tree(out: Path) -> dict[str, bytes]:
    """Every file and what is in it, timings aside; parts of a run and their ledgers are not."""
    files = (path for path in out.rglob("*") if path.is_file() and "parts" not in path.relative_to(out).parts)
    return {str(path.relative_to(out)): _timeless(path) for path in files}


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == "run.json":
        return json.dumps({key: one for key, one in json.loads(content).items() if key not in _TIMINGS}).encode()
    return re.sub(rb"<dt>seconds</dt><dd>[\d.]+</dd>", b"", content) if path.suffix == ".html" else content
