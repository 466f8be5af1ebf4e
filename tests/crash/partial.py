"""Fifty cases, five of them bad: `python tests/crash/partial.py`; `--write` puts the figures on the page."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from small_phantoms import SQUARE
from untrained import write_model

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import cine

FIGURES = Path(__file__).parents[2] / "docs" / "reliability" / "partial.json"
HEART = replace(SQUARE, phases=2)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("no image")


def _black(path: Path) -> None:
    one = cine(HEART)
    write_cine(path, replace(one, voxels=np.zeros_like(one.voxels)))


def _metres(path: Path) -> None:
    """Pixels a thousand times too large: a wrong unit."""
    one = cine(HEART)
    write_cine(path, replace(one, grid=replace(one.grid, spacing_mm=(16.0, 5000.0, 5000.0))))


BAD: tuple[Callable[[Path], None], ...] = (_cut, _empty, _text, _black, _metres)


def predict(cases: int, folder: Path) -> dict[str, Any]:
    """What becomes of so many cases, as many bad ones among them as there are kinds; and of those alone."""
    names = [f"case-{number:02d}" for number in range(cases)]
    victims = names[4 :: cases // len(BAD)]
    for number, name in enumerate(names):
        write_cine(folder / "scans" / f"{name}.nii.gz", cine(replace(HEART, seed=1 + number % 5)))
    for name, spoil in zip(victims, BAD, strict=True):
        spoil(folder / "scans" / f"{name}.nii.gz")
    model = str(write_model(folder / "model"))
    code = _run([str(folder / "scans")], folder / "all", model)
    good = [str(folder / "scans" / f"{name}.nii.gz") for name in names if name not in victims]
    assert _run(good, folder / "good", model) == 0
    with (folder / "all" / "status.csv").open(newline="") as file:
        failed = {row["case_id"]: row["reason"] for row in csv.DictReader(file) if row["status"] == "failed"}
    masks = {path.parent.name: path.read_bytes() for path in (folder / "all").glob("*/mask.nii.gz")}
    clean = {path.parent.name: path.read_bytes() for path in (folder / "good").glob("*/mask.nii.gz")}
    return {
        "exit": code,
        "done": len(masks),
        "failed": sorted(failed),
        "bad": victims,
        "reasons": len({reason for reason in failed.values() if reason}),
        "as_without": masks == clean,
    }


def _run(scans: Sequence[str], out: Path, model: str) -> int:
    return run(["predict", *scans, "-o", str(out), "-m", model, "--threads", "1", "-q"])


def document(found: dict[str, Any], cases: int) -> dict[str, Any]:
    """The figures for the page."""
    good = cases - len(BAD)
    figures = [
        {"what": "masks of the good cases", "promised": str(good), "measured": found["done"]},
        {"what": "exit code", "promised": "3", "measured": found["exit"]},
        {"what": "cases named as failed", "promised": str(len(BAD)), "measured": len(found["failed"])},
        {
            "what": "masks equal to those of a run without bad cases",
            "promised": "all",
            "measured": str(found["as_without"]),
        },
    ]
    return {
        "order": 30,
        "title": "One bad case among many",
        "promise": f"Of {cases} cases {len(BAD)} are bad: truncated, empty, text, black, in another unit. The others "
        "are done. Each bad case is named with the reason, and the exit code shows that some cases failed.",
        "command": "python tests/crash/partial.py --write",
        "figures": figures,
    }


def main() -> int:
    """Run it; 1 if the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = predict(asked.cases, Path(folder))
    sys.stdout.write(json.dumps(found) + "\n")
    if asked.write:
        FIGURES.write_text(json.dumps(document(found, asked.cases), indent=2) + "\n")
    kept = found["as_without"] and found["failed"] == found["bad"] and found["done"] == asked.cases - len(BAD)
    return int(found["exit"] != 3 or not kept)


if __name__ == "__main__":
    sys.exit(main())
