"""Privacy: the whole road on scans full of canaries, written to docs/reliability/privacy.json.

python tests/adversarial/privacy.py
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from canaries import CONFIDENTIAL, MARK, holds_canary, sing
from pydicom import dcmread
from small_phantoms import FINE as SMALL

from cardioseg.phantom import Phantom, Vendor, write_dicom, write_sunnybrook

RESULT = Path(__file__).parents[2] / "docs" / "reliability" / "privacy.json"
RECIPE = "size = 64\n[optimization]\nepochs = 1\n"


def write_scans(folder: Path) -> None:
    """Labelled studies, scans of which one has no image in it, and damaged files, all full of canaries."""
    write_sunnybrook([Phantom(**{**vars(SMALL), "seed": seed}) for seed in (1, 2)], folder / "labelled")
    for seed, vendor in ((3, Vendor.CLASSIC), (4, Vendor.ENHANCED)):
        write_dicom(Phantom(**{**vars(SMALL), "seed": seed}), folder / "scans", vendor)
    for path in folder.rglob("*.dcm"):
        dataset = dcmread(path)
        sing(dataset)
        if "0004" in str(path):
            dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(path)
    whole = next((folder / "scans").rglob("*.dcm")).read_bytes()
    for length in range(132, len(whole), len(whole) // 40):
        (folder / "scans" / f"cut-{length}.dcm").write_bytes(whole[:length])


def commands(folder: Path) -> Iterator[tuple[int, list[object]]]:
    """Exit code and arguments, in order."""
    labelled, dataset, run, model = (folder / name for name in ("in/labelled", "out/dataset", "out/run", "out/model"))
    (folder / "recipe.toml").write_text(RECIPE)
    training = ("-r", folder / "recipe.toml", "--folds", 2, "-d", "cpu", "--learning-rate", 0.05)
    yield 0, ["inspect", folder / "in"]
    yield 0, ["inspect", folder / "in", "--json"]
    yield 0, ["ingest", labelled, "-o", dataset]
    yield 0, ["train", dataset, "-o", run, *training]
    yield 0, ["export", run, dataset, "-o", model, "--licence", "CC0-1.0"]
    yield 3, ["predict", folder / "in/scans", "-o", folder / "out/results", "-m", model]
    yield 3, ["predict", folder / "in/scans", "-o", folder / "out/results", "-m", model, "--json", "--overwrite"]
    yield 0, ["predict", labelled, "-o", folder / "out/labelled", "-m", model]
    yield 0, ["evaluate", folder / "out/labelled", labelled, "-o", folder / "out/evaluation"]
    yield 0, ["measure", folder / "out/results", "-o", folder / "out/measured"]
    renamed = (folder / "in/scans").rename(folder / f"in/{MARK} scans")
    hidden = ("--names", "hash", "--no-paths")
    yield 3, ["predict", renamed, "-o", folder / "out/hidden", "-m", model, *hidden]


def measure(folder: Path) -> dict[str, Any]:
    """Run all commands; how much was written and said, and where a canary is."""
    write_scans(folder / "in")
    said, ran = [], 0
    for code, arguments in commands(folder):
        command = [sys.executable, "-m", "cardioseg", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
        if done.returncode != code:
            raise RuntimeError(f"{command}: {done.returncode}\n{done.stderr.decode()}")
        ran += 1
        said.append((done.stdout + done.stderr).replace(f"{MARK} scans".encode(), b"SCANS"))  # the user's own words
    files = [path for path in (folder / "out").rglob("*") if path.is_file()]
    return {
        "commands": ran,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "in_files": sum(holds_canary(path.read_bytes()) for path in files),
        "in_names": sum(MARK.lower() in path.name.lower() for path in (folder / "out").rglob("*")),
        "in_messages": sum(holds_canary(text) for text in said),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(Path(scratch))
    figures = [
        ("confidential attributes of PS3.15 table E.1-1 with a canary", "", len(CONFIDENTIAL)),
        ("commands run (inspect, ingest, train, export, predict, evaluate, measure; good and bad scans)", "",
         found["commands"]),
        ("files that they wrote, unpacked and searched", "", found["files"]),
        ("bytes in them", "", found["bytes"]),
        ("files with a canary", "0", found["in_files"]),
        ("names of files and folders with a canary", "0", found["in_names"]),
        ("messages and tables with a canary", "0", found["in_messages"]),
    ]  # fmt: skip
    document = {
        "order": 40,
        "title": "Privacy",
        "promise": (
            "No value of a DICOM tag that can identify a patient appears in a result, a model, a message or an error."
            " This includes private tags and nested sequences. Geometry, times, height and weight are read as "
            "numbers."
        ),
        "command": "python tests/adversarial/privacy.py",
        "figures": [{"what": what, "promised": promised, "measured": value} for what, promised, value in figures],
        "notes": [
            "The user names folders and files, and the cases get these names. `predict --names hash --no-paths` keeps"
            " these names and paths out of the results, too (the last command). `OUT.names.json`, next to the "
            "results, says which hashed name belongs to which case. Only its owner can read it; do not give it away.",
            "The DICOM objects for a PACS (SEG, SR, RTSTRUCT, secondary capture) are not anonymous, because a PACS "
            "files them by patient and study. They are only written with `--format`, and contain the tags of patient "
            "and study as the scan has them.",
        ],
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
